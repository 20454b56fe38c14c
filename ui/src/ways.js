// How ways of a shipment are drawn: days over distance by cause, and lines on the map.
import { axis, baseOption, legend, tip, tooltip } from "./charts.js";
import { has, number, t } from "./i18n.js";
import { geoOption, leavingSeries, pathsOf, placeLabel } from "./map.js";

const DASHES = ["solid", [8, 4], [2, 4], [10, 3, 2, 3], [4, 4], "solid"];
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "roundRect", "pin"];
export const CAUSES = ["moving", "waiting", "border", "gauge", "port"];
const STEP_OF_CAUSE = { waiting: 0, gauge: 1, port: 2, border: 3 };

export const colourOfWay = (colours, way) => (way.isRefused ? colours.less : colours.series[(way.number - 1) % colours.series.length]);
export const dashOfWay = (way) => (way.isRefused ? [3, 5] : DASHES[(way.number - 1) % DASHES.length]);
const colourOfCause = (colours, cause) => colours.use[STEP_OF_CAUSE[cause]];

// The ways that an answer shows: its options, or what rules refuse where none may pass.
export function waysOf(answer) {
  if (answer.options.length) return answer.options.map((way, at) => ({ ...way, number: at + 1, isRefused: false }));
  return answer.rejected.slice(0, 3).map(({ opens, reason }, at) => ({ ...opens, number: at + 1, isRefused: true, reason }));
}

const wordOf = (label) => (has(`ship.label.${label}`) ? t(`ship.label.${label}`) : label.replaceAll("_", " "));
export const labelsOf = (way) =>
  way.isRefused ? t(`ship.reason_${way.reason}`) : way.labels.map(wordOf).join(", ") || t("ship.label.other");
export const nameOfWay = (answer, way) => {
  const family = answer.families[way.family_id];
  return `${way.number} ${labelsOf(way)}${family ? ` (${family})` : ""}`;
};

// Running days over distance: a slope is movement; a step stands still, its broad underlay says why.
export function timeDistanceOption(answer, colours, { selected, isPicture }) {
  const ways = waysOf(answer);
  const line = (way, at) => ({
    name: nameOfWay(answer, way),
    type: "line",
    data: way.profile.map((point) => ({ value: [point.distance_km, point.time_d], point })),
    symbol: SYMBOLS[at % SYMBOLS.length],
    symbolSize: at === selected ? 5 : 3.5,
    lineStyle: { color: colourOfWay(colours, way), width: at === selected ? 3 : 1.8, type: dashOfWay(way), join: "round" },
    itemStyle: { color: colourOfWay(colours, way) },
    z: at === selected ? 6 : 5,
  });
  const stops = (cause) => ({
    name: t(`ship.cause.${cause}`),
    type: "lines",
    coordinateSystem: "cartesian2d",
    zlevel: 0,
    z: 3,
    silent: true,
    data: ways.flatMap((way) =>
      way.profile.flatMap((point, index) =>
        point.cause === cause
          ? [{ coords: [way.profile[index - 1], point].map((each) => [each.distance_km, each.time_d]), lineStyle: { width: 9 } }]
          : [],
      ),
    ),
    lineStyle: { color: colourOfCause(colours, cause), width: 9, opacity: 1, cap: "butt" },
    itemStyle: { color: colourOfCause(colours, cause) },
    effect: { show: false },
  });
  const causes = CAUSES.slice(1).filter((cause) => ways.some((way) => way.profile.some((point) => point.cause === cause)));
  return {
    grid: { left: 46, right: 26, top: 30, bottom: isPicture ? 108 : 68 + 17 * ways.length },
    legend: [
      legend(colours, {
        orient: isPicture ? "horizontal" : "vertical",
        itemGap: isPicture ? 26 : 5,
        bottom: 24,
        data: ways.map((way) => nameOfWay(answer, way)),
      }),
      legend(colours, { icon: "roundRect", itemHeight: 9, data: causes.map((cause) => t(`ship.cause.${cause}`)) }),
    ],
    tooltip: {
      ...tooltip(colours),
      trigger: "item",
      formatter: ({ seriesName, data: { point } }) =>
        tip(seriesName, [
          point.cause ? `${point.place}: ${t(`ship.cause.${point.cause}`)}` : point.place,
          `${number(point.distance_km, 0)} ${t("unit.km")}, ${number(point.time_d, 1)} ${t("ship.days")}`,
        ]),
    },
    xAxis: axis(colours, {
      type: "value",
      min: 0,
      name: t("ship.distance"),
      nameLocation: "middle",
      nameGap: 28,
      splitLine: { show: false },
      axisLabel: { color: colours.soft, formatter: (value) => number(value, 0), hideOverlap: true },
    }),
    yAxis: axis(colours, {
      type: "value",
      min: 0,
      name: t("unit.days"),
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -36] },
    }),
    series: [...causes.map(stops), ...ways.map(line)],
  };
}

// Every point of the chart, for its twin.
export const profileRows = (answer) =>
  waysOf(answer).flatMap((way) =>
    way.profile.map((point) => ({ ...point, way: nameOfWay(answer, way), what: point.cause ? t(`ship.cause.${point.cause}`) : "" })),
  );

// A box around points, in degrees, with room for names; what lies off the land that is drawn does not stretch it.
const LAND = [-20, -1, 150, 72];
function boxOf(points) {
  const inside = (value, axis) => Math.max(LAND[axis], Math.min(LAND[axis + 2], value));
  const ends = (axis) => [Math.min, Math.max].map((pick) => pick(...points.map((point) => inside(point[axis], axis))));
  const [[west, east], [south, north]] = [ends(0), ends(1)];
  const [wide, high] = [Math.max(3, (east - west) * 0.07), Math.max(2, (north - south) * 0.1)];
  return [west - wide, south - high, east + wide * 1.8, north + high];
}

export function wayMapOption(answer, colours, { selected, width, height, at = null, roam = false }) {
  const ways = waysOf(answer);
  const paths = pathsOf(answer);
  const drawn = ways.map((way) =>
    way.legs
      .flatMap((leg) => leg.links)
      .map((id) => paths[id])
      .filter(Boolean),
  );
  const places = Object.fromEntries(answer.places.map((place) => [place.place_id, place]));
  const ends = new Set([answer.origin.place_id, answer.destination.place_id]);
  const series = (id, zlevel, coords, lineStyle) => ({
    id,
    type: "lines",
    coordinateSystem: "geo",
    polyline: true,
    zlevel,
    silent: true,
    data: coords.map((each) => ({ coords: each })),
    lineStyle: { opacity: 1, cap: "round", join: "round", ...lineStyle },
    effect: { show: false },
  });
  const order = ways.map((_, index) => index).sort((a, b) => (a === selected) - (b === selected) || b - a);
  const stops = new Map();
  const chosen = ways[selected] ?? ways[0];
  for (const leg of chosen?.legs ?? []) for (const id of [leg.from, leg.to]) if (places[id]) stops.set(id, places[id]);
  const named = [...stops.values()].sort((a, b) => ends.has(b.place_id) - ends.has(a.place_id));
  const box = boxOf([...drawn.flat(2), ...[...ends].map((id) => [places[id].lon_deg, places[id].lat_deg])]);
  const geo = { ...geoOption(colours, { box, width, height, roam }), ...(at ?? {}) };
  return {
    ...baseOption(colours),
    backgroundColor: colours.sea,
    tooltip: { show: false },
    geo,
    series: [
      ...order.flatMap((index, rank) => {
        const isChosen = index === selected;
        return [
          series(`casing-${index}`, 1 + rank, drawn[index], { color: colours.casing, width: isChosen ? 7 : 4 }),
          series(`way-${index}`, 1 + rank, drawn[index], {
            color: colourOfWay(colours, ways[index]),
            width: isChosen ? 4.2 : 2.2,
            type: dashOfWay(ways[index]),
          }),
        ];
      }),
      leavingSeries({
        doc: answer,
        paths,
        ids: ways.flatMap((way) => way.legs.flatMap((leg) => leg.links)),
        colours,
        zlevel: 2 + ways.length,
      }),
      {
        id: "stops",
        type: "scatter",
        coordinateSystem: "geo",
        zlevel: 2 + ways.length,
        silent: true,
        symbol: "circle",
        data: named.map((place) => ({
          name: place.name,
          value: [place.lon_deg, place.lat_deg],
          symbolSize: ends.has(place.place_id) ? 9 : 5.5,
          label: { fontWeight: ends.has(place.place_id) ? 650 : 500 },
        })),
        labelLayout: { hideOverlap: true },
        itemStyle: { color: colours.paper, borderColor: colours.ink, borderWidth: 1.6, opacity: 1 },
        label: placeLabel(colours),
      },
    ],
  };
}
