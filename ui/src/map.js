// The map: land, links by mode or use, facilities, names. The same drawing serves screen, picture and comparison.
import { FONT, baseOption, echarts, makeChart } from "./charts.js";
import { cut, goodsOf, goodsShown } from "./goods.js";
import { number, percent, t, term } from "./i18n.js";
import { frameOf, projection } from "./projection.js";
import { classOfMode, palette, useStep } from "./theme.js";

const BEND = {
  rail: 0.03,
  road: -0.05,
  rail_ferry: 0.16,
  ro_ro: 0.26,
  feeder: -0.14,
  dry_ship: -0.26,
  deep_sea: 0.1,
  tanker: 0.36,
  pipeline: -0.12,
};
const ANIMATED = 60;
// Lines of one look are drawn as one path, which takes a fraction of the time of hundreds.
const AS_ONE = { large: true, largeThreshold: 1 };

let registered = false;
export function registerBasemap(basemap) {
  if (!registered) echarts.registerMap("land", basemap);
  registered = true;
}

// Corners cut twice, ends kept: a course of few turns as a curve.
function rounded(points, times = 2) {
  if (!times || points.length < 3) return points;
  const found = [points[0]];
  for (let at = 1; at < points.length; at += 1) {
    const [a, b] = [points[at - 1], points[at]];
    const between = (u) => [0, 1].map((axis) => a[axis] + u * (b[axis] - a[axis]));
    if (at > 1) found.push(between(0.25));
    if (at < points.length - 1) found.push(between(0.75));
  }
  return rounded([...found, points.at(-1)], times - 1);
}

// A link that runs beside others of another mode over the same turns is shifted by a little.
const SHIFT = { tanker: 0.18, dry_ship: -0.18, feeder: 0.1 };

// Points of every link: by its turns where the case has them, else bent by mode so that parallel ones do not hide each other.
export function pathsOf(doc) {
  const places = Object.fromEntries(doc.places.map((place) => [place.place_id, place]));
  const used = {};
  const paths = {};
  for (const link of doc.links) {
    const [a, b] = [places[link.from_place], places[link.to_place]].map((place) => [place.lon_deg, place.lat_deg]);
    if (link.turns?.length) {
      const shift = SHIFT[link.mode] ?? 0;
      paths[link.link_id] = rounded([a, ...link.turns.map(([lon, lat]) => [lon, lat + shift]), b]);
      continue;
    }
    const pair = [link.from_place, link.to_place].sort().join("|") + link.mode;
    const repeat = (used[pair] = (used[pair] ?? -1) + 1);
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    const sign = dx + dy * 0.01 >= 0 ? 1 : -1; // the same side whichever end comes first
    const bend = sign * (BEND[link.mode] + 0.12 * repeat);
    const middle = [(a[0] + b[0]) / 2 - dy * bend, (a[1] + b[1]) / 2 + dx * bend];
    const steps = 14;
    paths[link.link_id] = Array.from({ length: steps + 1 }, (_, step) => {
      const u = step / steps;
      const at = (axis) => (1 - u) ** 2 * a[axis] + 2 * u * (1 - u) * middle[axis] + u ** 2 * b[axis];
      return [at(0), at(1)];
    });
  }
  return paths;
}

const SOUTH = -2; // where the land that is drawn ends

// Arrows where lines leave the land that is drawn, named after the place that they go by.
export function leavingSeries({ doc, paths, ids, colours, zlevel }) {
  const places = Object.fromEntries(doc.places.map((place) => [place.place_id, place]));
  const found = new Map();
  for (const link of doc.links) {
    if (!ids.includes(link.link_id) || !paths[link.link_id]) continue;
    const beyond = [link.from_place, link.to_place].map((id) => places[id]).find((place) => place?.lat_deg < SOUTH);
    const path = paths[link.link_id];
    const at = path.findIndex((point, step) => step && point[1] < SOUTH !== path[step - 1][1] < SOUTH);
    if (!beyond || at < 0) continue;
    const [a, b] = [path[at - 1], path[at]];
    const u = (SOUTH - a[1]) / (b[1] - a[1]);
    const lon = a[0] + u * (b[0] - a[0]);
    found.set(`${beyond.place_id} ${Math.round(lon / 8)}`, {
      name: beyond.name,
      value: [lon, SOUTH + 0.6],
      label: { position: lon > 90 ? "left" : "right" },
    });
  }
  return {
    id: "leaving",
    type: "scatter",
    coordinateSystem: "geo",
    zlevel,
    silent: true,
    symbol: "triangle",
    symbolRotate: 180,
    symbolSize: 11,
    data: [...found.values()],
    itemStyle: { color: colours.ink, opacity: 1 },
    label: {
      show: true,
      color: colours.ink,
      fontFamily: FONT,
      fontSize: 12,
      textBorderColor: colours.sea,
      textBorderWidth: 3,
      formatter: ({ name }) => name.replace(/ \(.*\)$/, ""),
    },
  };
}

export const midpoint = (path) => path[Math.floor(path.length / 2)];

const OIL_SCALE = 6;
// Width in pixels of so many kilotonnes; oil has a scale of its own.
export const widthOf = (kt, isOil, scope) =>
  scope === "corridor"
    ? Math.min(10, 0.8 + 4 * (kt / 1000) ** 0.62)
    : Math.min(9, 0.6 + 2.3 * (kt / 1000 / (isOil ? OIL_SCALE : 1)) ** 0.55);

// Kilotonnes of a link in a year that the choice of routes and goods leaves.
export function carried(link, index, { goods, scope }) {
  if (scope === "corridor") return goods === "all" ? link.corridor_kt[index] : (link.corridor_goods_kt[goods]?.[index] ?? 0);
  return goods === "all" ? link.forward_kt[index] + link.backward_kt[index] : (link.goods_kt[goods]?.[index] ?? 0);
}

// Highest use of capacity among the facilities of a link, or null without any.
function useOfLink(link, facilities, index) {
  let found = null;
  for (const id of link.facility_ids) {
    const row = facilities[id].scenario;
    if (row.capacity[index] > 0) {
      const step = useStep(row.flow[index] / row.capacity[index], row.is_full[index]);
      found = found === null ? step : Math.max(found, step);
    }
  }
  return found;
}

// Facilities with where they stand: at their place, else in the middle of a link.
export function facilitySites(doc, paths) {
  const places = Object.fromEntries(doc.places.map((place) => [place.place_id, [place.lon_deg, place.lat_deg]]));
  return doc.facilities.flatMap((row) => {
    const path = row.link_ids.map((id) => paths[id]).find(Boolean);
    const at = row.place_ids.map((id) => places[id]).find(Boolean) ?? (path && midpoint(path));
    return at ? [{ ...row, at: path && !row.place_ids.length ? midpoint(path) : at }] : [];
  });
}

// Series of a map; `changes` instead of flows draws a difference.
export function mapSeries({ doc, paths, colours, state, width: space = 1000, changes = null, isPicture = false }) {
  const index = doc.years.indexOf(state.year);
  const facilities = Object.fromEntries(doc.facilities.map((row) => [row.facility_id, row]));
  const shownGoods = state.colourBy === "goods" && !changes ? goodsShown(state.goodsFrom ?? doc, state) : null;
  const solid = [];
  const casing = [];
  const planned = [];
  const still = [];
  const moving = [];
  for (const link of doc.links) {
    const kind = classOfMode(link.mode);
    const coords = paths[link.link_id];
    const kt = changes ? Math.abs(changes[link.link_id] ?? 0) : carried(link, index, state);
    if (kt < (changes ? 5 : state.scope === "corridor" ? 4 : 0.5)) {
      const runs = link.forward_kt[index] + link.backward_kt[index] >= 0.5;
      if (!link.is_open_at_start && !runs && !changes && kind !== "oil") planned.push({ coords });
      else if (kind !== "ship" && (changes || runs)) still.push({ coords });
      continue;
    }
    let colour = colours[kind];
    if (changes) colour = changes[link.link_id] > 0 ? colours.more : colours.less;
    else if (state.colourBy === "use") {
      const step = useOfLink(link, facilities, index);
      colour = step === null ? colours.still : colours.use[step];
    }
    const isSea = link.mode === "deep_sea";
    const width = changes ? Math.min(10, 0.8 + 6 * (kt / 1000) ** 0.65) : widthOf(kt, kind === "oil", state.scope) * (isSea ? 0.55 : 1);
    casing.push({ coords, lineStyle: { width: width + (state.colourBy === "use" ? 2 : 1.6) } });
    const lineStyle = { color: colour, width, opacity: isSea ? 0.55 : 1 };
    const parts = shownGoods && goodsOf(link, index, shownGoods, state);
    const whole = parts?.reduce((sum, each) => sum + each, 0);
    if (!whole) solid.push({ coords, link, kt, lineStyle });
    else
      cut(
        coords,
        parts.map((each) => each / whole),
      ).forEach((piece, at) => {
        if (parts[at] > 0) solid.push({ coords: piece, link, kt, lineStyle: { ...lineStyle, color: colours.series[at], cap: "butt" } });
      });
    const forward = link.forward_kt[index] >= link.backward_kt[index];
    if (!isSea) moving.push({ kt, coords: forward ? coords : [...coords].reverse() });
  }
  solid.sort((a, b) => b.kt - a.kt);
  const lines = (id, zlevel, data, lineStyle, more = {}) => ({
    id,
    type: "lines",
    coordinateSystem: "geo",
    polyline: true,
    zlevel,
    data,
    silent: true,
    lineStyle: { opacity: 1, cap: "round", join: "round", ...lineStyle },
    effect: { show: false },
    ...more,
  });
  const series = [
    lines("casing", 1, casing, { color: state.colourBy === "use" ? colours.useCasing : colours.casing }),
    lines("still", 1, still, { color: colours.still, width: 0.8 }, AS_ONE),
    lines("planned", 1, planned, { color: colours.planned, width: 1.2, type: [4, 4] }, AS_ONE),
    lines("links", 2, solid, {}),
  ];
  if (!state.still && !changes && !isPicture) {
    moving.sort((a, b) => b.kt - a.kt);
    series.push(
      lines(
        "moving",
        3,
        moving.slice(0, ANIMATED),
        { width: 0, opacity: 0 },
        { effect: { show: true, constantSpeed: 28, symbol: "circle", symbolSize: 3.2, trailLength: 0, color: "#ffffff" } },
      ),
    );
  }
  series.push(...pointSeries({ doc, paths, colours, state, index, changes, space }));
  series.push(leavingSeries({ doc, paths, ids: solid.map(({ link }) => link.link_id), colours, zlevel: 4 }));
  return { series, shown: solid };
}

// Names as many as there is room for, busiest first; facilities of the corridor before all others.
function pointSeries({ doc, paths, colours, state, index, changes, space }) {
  const sites = facilitySites(doc, paths);
  const weight = {};
  for (const site of sites) {
    if (!site.scenario.is_on_corridor[index]) continue;
    for (const id of site.place_ids) weight[id] = Math.max(weight[id] ?? 0, site.scenario.is_full[index] ? 60000 : 40000);
  }
  const busiest = {};
  for (const link of doc.links) {
    const kt = carried(link, index, { goods: "all", scope: state.scope });
    for (const end of [link.from_place, link.to_place]) busiest[end] = Math.max(busiest[end] ?? 0, kt);
  }
  const named = [...doc.places]
    .map((place) => ({ place, size: (busiest[place.place_id] ?? 0) + (weight[place.place_id] ?? 0) }))
    .filter((each) => each.size > 40)
    .sort((a, b) => b.size - a.size)
    .slice(0, Math.round(space / 11));
  const places = named.map(({ place, size }, rank) => ({
    name: place.name,
    value: [place.lon_deg, place.lat_deg],
    symbolSize: size > 20000 ? 7 : rank < 60 ? 5.5 : 4,
    label: { fontWeight: size > 20000 ? 600 : 500, distance: size > 60000 ? 9 : 5 },
  }));
  const series = [
    {
      id: "places",
      type: "scatter",
      coordinateSystem: "geo",
      zlevel: 4,
      data: places,
      silent: true,
      symbol: "circle",
      labelLayout: { hideOverlap: true },
      itemStyle: { color: colours.paper, borderColor: colours.ink, borderWidth: 1.4, opacity: 1 },
      label: placeLabel(colours),
    },
  ];
  if (!changes) {
    const full = sites.filter((site) => site.scenario.is_full[index]);
    series.push({
      id: "facilities",
      type: "scatter",
      coordinateSystem: "geo",
      zlevel: 4,
      symbol: "diamond",
      silent: true,
      symbolSize: 13,
      data: full.map((site) => ({ name: site.name, value: site.at })),
      itemStyle: { color: colours.use[3], borderColor: colours.paper, borderWidth: 1.6, opacity: 1 },
    });
  }
  return series;
}

function viewOf(box, width, height) {
  const frame = frameOf(box);
  const whole = frameOf([-25, -2, 160, 75]);
  const fit = Math.min(width / whole.width, height / whole.height);
  return {
    center: [frame.x + frame.width / 2, frame.y + frame.height / 2],
    zoom: Math.min(width / frame.width, height / frame.height) / fit,
  };
}

// The name beside a place, without what stands in brackets behind it.
export function placeLabel(colours) {
  return {
    show: true,
    position: "right",
    distance: 5,
    color: colours.ink,
    fontFamily: FONT,
    fontSize: 12,
    textBorderColor: colours.land,
    textBorderWidth: 3,
    formatter: ({ name }) => name.replace(/ \(.*\)$/, "").replace(/ International Port$|, .*$/, ""),
  };
}

export function geoOption(colours, { box, width, height, roam = false }) {
  return {
    map: "land",
    projection,
    roam,
    silent: true,
    left: 0,
    right: 0,
    top: 0,
    bottom: 0,
    preserveAspect: "contain",
    scaleLimit: { min: 0.8, max: 60 },
    ...viewOf(box, width, height),
    itemStyle: { areaColor: colours.land, borderColor: colours.border, borderWidth: 0.7 },
    label: { show: false },
    emphasis: { disabled: true },
  };
}

// Shortest distance in pixels from a point to a path.
function distance(point, path) {
  let least = Infinity;
  for (let index = 1; index < path.length; index += 1) {
    const [[x1, y1], [x2, y2]] = [path[index - 1], path[index]];
    const [dx, dy] = [x2 - x1, y2 - y1];
    const u = Math.max(0, Math.min(1, ((point[0] - x1) * dx + (point[1] - y1) * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(point[0] - x1 - u * dx, point[1] - y1 - u * dy));
  }
  return least;
}

// `current` gives the document to draw: the run's, or the same with a moved year laid over it.
export function makeMap(element, { doc, store, current = () => doc, changes = () => null, onpick = null, onmove = null }) {
  const chart = makeChart(element, "canvas");
  new ResizeObserver(() => chart.isDisposed() || chart.resize()).observe(element);
  const paths = pathsOf(doc);
  let shown = [];
  let preset = null;

  function draw(keys = null) {
    const state = store.get();
    const colours = palette(state.theme);
    const drawing = mapSeries({ doc: current(), paths, colours, state, width: chart.getWidth(), changes: changes(state) });
    shown = drawing.shown;
    if (keys === null || preset === null) {
      preset = state.preset;
      chart.setOption(
        {
          ...baseOption(colours),
          tooltip: { show: false },
          backgroundColor: colours.sea,
          geo: geoOption(colours, { box: doc.views[preset], width: chart.getWidth(), height: chart.getHeight(), roam: true }),
          series: drawing.series,
        },
        { notMerge: true },
      );
    } else if (keys.includes("theme")) {
      const geo = geoOption(colours, { box: doc.views[preset], width: 1, height: 1, roam: true });
      delete geo.center; // the reader may have moved the map
      delete geo.zoom;
      chart.setOption(
        { ...baseOption(colours), tooltip: { show: false }, backgroundColor: colours.sea, geo, series: drawing.series },
        { replaceMerge: ["series"] },
      );
    } else {
      if (keys.includes("preset")) go(state.preset);
      chart.setOption({ series: drawing.series }, { replaceMerge: ["series"] });
    }
  }

  function go(name) {
    preset = name;
    chart.setOption({ geo: viewOf(doc.views[name], chart.getWidth(), chart.getHeight()) });
    onmove?.(where());
  }

  const where = () => {
    const [geo] = chart.getOption().geo;
    return { center: geo.center, zoom: geo.zoom };
  };

  function move(dx, dy, factor = 1) {
    const { center, zoom } = where();
    const step = 60 / zoom;
    chart.setOption({
      geo: { center: [center[0] + dx * step * 3, center[1] + dy * step * 3], zoom: Math.max(0.8, Math.min(60, zoom * factor)) },
    });
    onmove?.(where());
  }

  chart.on("georoam", () => onmove?.(where()));
  const near = (x, y, reach) => {
    const pixel = (point) => chart.convertToPixel("geo", point);
    const index = doc.years.indexOf(store.get().year);
    const found = facilitySites(current(), paths)
      .filter((site) => site.scenario.is_full[index] && !changes(store.get()))
      .map((site) => ({ facility: site, far: Math.hypot(pixel(site.at)[0] - x, pixel(site.at)[1] - y) - 4 }));
    found.push(...shown.map(({ link, coords }) => ({ link, far: distance([x, y], coords.map(pixel)) })));
    return found.filter((each) => each.far <= reach).sort((a, b) => a.far - b.far);
  };
  chart.getZr().on("click", (event) => onpick?.(near(event.offsetX, event.offsetY, 8)));
  chart.getZr().on("mousemove", (event) => {
    const hit = near(event.offsetX, event.offsetY, 6)[0];
    element.title = hit ? titleOf(hit, doc, store.get()) : "";
    chart.getZr().setCursorStyle(hit ? "pointer" : "grab");
  });
  element.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (moves[event.key]) move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") move(0, 0, 1.4);
    else if (event.key === "-") move(0, 0, 1 / 1.4);
    else return;
    event.preventDefault();
  });
  // Whether land or sea and every series really stand on the canvas.
  const isDrawn = () => {
    const canvas = element.querySelector("canvas");
    const inside = chart.convertToPixel("geo", midpoint(paths[doc.links[0].link_id]));
    return (
      Boolean(canvas) &&
      inside.every(Number.isFinite) &&
      canvas.getContext("2d").getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data[3] > 0
    );
  };
  const flush = () => chart.getZr().flush();
  return { chart, paths, draw, go, move, where, isDrawn, flush, show: (view) => chart.setOption({ geo: view }) };
}

function titleOf(hit, doc, state) {
  if (hit.facility) return hit.facility.name;
  const index = doc.years.indexOf(state.year);
  const kt = carried(hit.link, index, state);
  const told = `${hit.link.name}, ${term("mode", hit.link.mode)}: ${number(kt / 1000, 2)} ${t("unit.Mt")}`;
  if (state.colourBy !== "goods") return told;
  const shown = goodsShown(doc, state);
  const parts = goodsOf(hit.link, index, shown, state);
  const whole = parts.reduce((sum, each) => sum + each, 0);
  const named = shown.map(({ name }, at) => [name, parts[at] / whole]).filter(([, share]) => share >= 0.005);
  return [told, ...named.map(([name, share]) => `${name} ${percent(share)}`)].join("; ");
}
