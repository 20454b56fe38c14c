// Charts drawn as SVG, each with its picture to save and its table.
import { BarChart, LineChart, LinesChart, SankeyChart, ScatterChart } from "echarts/charts";
import { GeoComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";
import { button, h } from "./dom.js";
import { PICTURE, framed, notesOf, savePng, saveSvg } from "./download.js";
import { amount, currentLanguage, number, signed, t, term } from "./i18n.js";
import { dataTable } from "./tables.js";
import { palette } from "./theme.js";

echarts.use([
  BarChart,
  LineChart,
  LinesChart,
  SankeyChart,
  ScatterChart,
  GeoComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  LabelLayout,
  CanvasRenderer,
  SVGRenderer,
]);
export { echarts };
export const FONT = "'Inter Variable', Inter, system-ui, 'Noto Sans', sans-serif";

const drawn = new Set();
const waiting = new Set();
// Promise that every chart made so far has been drawn once.
export const allDrawn = () => Promise.all(waiting);
export const resizeAll = (size) => drawn.forEach((each) => each.resize(size));
export function forgetAll() {
  drawn.forEach((each) => each.dispose());
  drawn.clear();
  waiting.clear();
}

// A drawing on its own, as the text of an SVG.
export function drawingOf(option, { width, height } = PICTURE) {
  const pen = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  pen.setOption(option);
  const drawing = pen.renderToSVGString();
  pen.dispose();
  return drawing;
}

// The same as an element: vector on paper, drawn at once.
export function drawingElement(option, size) {
  // Hover styles, which paper does not need, are not let in by the page's policy.
  const plain = drawingOf(option, size).replace(/<style[\s\S]*?<\/style>/g, "");
  const svg = document.importNode(new DOMParser().parseFromString(plain, "image/svg+xml").documentElement, true);
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  return svg;
}

export function makeChart(element, renderer) {
  const chart = echarts.init(element, null, { renderer });
  letPageScroll(element);
  drawn.add(chart);
  waiting.add(new Promise((done) => chart.on(renderer === "canvas" ? "rendered" : "finished", done))); // one that moves never finishes
  return chart;
}

// One finger up or down scrolls the page, which a chart would keep it from; sideways, and two fingers, are the chart's.
function letPageScroll(element) {
  let [start, isPage] = [null, false];
  const listen = (kind, on) => element.addEventListener(kind, on, { capture: true, passive: true });
  listen("touchstart", ({ touches }) => ([start, isPage] = [touches.length === 1 ? touches[0] : null, false]));
  listen("touchmove", (event) => {
    const [touch, second] = event.touches;
    if (start && !second) {
      isPage = Math.abs(touch.clientY - start.clientY) > Math.abs(touch.clientX - start.clientX);
      start = null; // the first move decides
    }
    if (isPage && !second) event.stopPropagation();
  });
}

export const chartOf = (element) => echarts.getInstanceByDom(element);
export function forgetChart(chart) {
  drawn.delete(chart);
  chart.dispose();
}

export function baseOption(colours) {
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: FONT, color: colours.ink, fontSize: 13 },
    tooltip: tooltip(colours),
  };
}

export const tooltip = (colours) => ({
  confine: true,
  backgroundColor: colours.paper,
  borderColor: colours.line,
  textStyle: { color: colours.ink, fontFamily: FONT, fontSize: 13 },
  extraCssText: "max-width:min(22rem,80vw);white-space:normal;box-shadow:0 2px 12px rgb(0 0 0 / .18)",
});

// A tip of lines of text as an element, so that no name is ever read as markup.
export const tip = (title, lines) =>
  h(
    "div",
    {},
    h("strong", {}, title),
    lines.map((line) => h("div", {}, line)),
  );

// A chart with heading, picture buttons and table twin. `option(colours, state, size)` draws; `table(state)` gives columns and rows.
// Files and lines under the picture are named after the run, unless the context has a `fileName` and `notes` of its own.
export function figure({ id, context, title, subtitle, source, height, option, table, controls = null, renderer = "svg", heading = "h3" }) {
  const { doc, store } = context;
  const body = h("div", { class: "chart", id: `chart-${id}`, style: { height: `${height}px` }, role: "img", "aria-label": title() });
  const told = h("p", { class: "soft" });
  const twin = h("details", { class: "twin" }, h("summary", {}, t("table.show")));
  let shown = null;
  twin.addEventListener("toggle", () => fillTwin());
  const name = context.fileName?.(id) ?? `karvan-${doc.run.run_id}-${id}`;
  const picture = () => {
    const state = store.get();
    const colours = palette(state.theme);
    const drawing = drawingOf({ ...baseOption(colours), ...option(colours, state, { ...PICTURE, isPicture: true }) });
    return framed(drawing, { title: title(), subtitle: subtitle(state), notes: context.notes?.(source) ?? notesOf(doc, source), colours });
  };
  const element = h(
    "figure",
    { class: "card", id, "aria-labelledby": `${id}-title` },
    h(
      "div",
      { class: "card-head" },
      h(heading, { id: `${id}-title` }, title()),
      h(
        "div",
        { class: "tools no-print" },
        button("PNG", () => savePng(name, picture()), { "aria-label": t("save.png", { title: title() }) }),
        button("SVG", () => saveSvg(name, picture()), { "aria-label": t("save.svg", { title: title() }) }),
      ),
    ),
    told,
    controls,
    body,
    h("figcaption", { class: "soft" }, source),
    twin,
  );
  let chart = null;
  function fillTwin() {
    if (!twin.open) return;
    const { columns, rows } = table(store.get());
    shown = dataTable({ id: `table-${id}`, caption: title(), columns, rows, fileName: name });
    twin.replaceChildren(twin.firstElementChild, shown.element);
  }
  function draw() {
    const state = store.get();
    told.textContent = subtitle(state);
    const { center, zoom } = chart?.getOption().geo?.[0] ?? {};
    chart ??= makeChart(body, renderer);
    const colours = palette(state.theme);
    chart.setOption(
      {
        ...baseOption(colours),
        ...option(colours, state, { width: body.clientWidth, height, isPicture: false, at: zoom && { center, zoom } }),
      },
      { notMerge: true },
    );
    fillTwin();
  }
  return { element, draw, picture, keys: ["theme", "still"], forget: () => chart && forgetChart(chart) };
}

export const axis = (colours, more) => ({
  axisLine: { lineStyle: { color: colours.line } },
  axisTick: { show: false },
  splitLine: { lineStyle: { color: colours.line } },
  axisLabel: { color: colours.soft, fontFamily: FONT },
  nameTextStyle: { color: colours.soft, fontFamily: FONT },
  ...more,
});

export const legend = (colours, more = {}) => ({
  bottom: 0,
  left: 0,
  type: "plain",
  itemWidth: 22,
  itemGap: 14,
  textStyle: { color: colours.ink, fontFamily: FONT },
  ...more,
});

/** The line of what was promised, Mt a year, as a series. */
export const promisedLine = (colours, targetMt) => ({
  type: "line",
  data: [],
  silent: true,
  markLine: {
    silent: true,
    symbol: "none",
    data: [{ yAxis: targetMt }],
    lineStyle: { color: colours.less, type: "solid", width: 1.2 },
    label: { position: "insideStartTop", color: colours.ink, fontFamily: FONT, formatter: t("outlook.promised", { target_mt: targetMt }) },
  },
});

// History, outlook with its range, what is being built, without limits, published forecasts.
export function outlookOption(doc, colours) {
  const { observed, scenario, baseline, low, high, forecasts } = doc.outlook;
  const points = (rows, key = "corridor_mt") => rows.map((row) => [row.year, row[key]]);
  const first = Math.min(...[...observed, ...scenario].map((row) => row.year), ...forecasts.map((row) => row.year));
  const last = Math.max(scenario.at(-1).year, ...forecasts.map((row) => row.year).filter((year) => year <= scenario.at(-1).year + 1));
  const headline = doc.headline;
  const line = (name, data, colour, type, width, more = {}) => ({
    name,
    type: "line",
    data,
    symbol: "none",
    lineStyle: { color: colour, width, type, join: "round" },
    itemStyle: { color: colour },
    z: 4,
    ...more,
  });
  const series = [
    {
      name: "low",
      type: "line",
      data: points(low),
      stack: "range",
      symbol: "none",
      lineStyle: { opacity: 0 },
      areaStyle: { opacity: 0 },
      silent: true,
      tooltip: { show: false },
    },
    {
      name: t("outlook.range"),
      type: "line",
      data: high.map((row, index) => [row.year, row.corridor_mt - low[index].corridor_mt]),
      stack: "range",
      symbol: "none",
      lineStyle: { opacity: 0 },
      areaStyle: { color: colours.band, opacity: 0.18 },
      itemStyle: { color: colours.band, opacity: 0.35 },
      silent: true,
    },
    line(t("outlook.latent"), points(scenario, "corridor_latent_mt"), colours.soft, [2, 4], 1.5),
    line(t("outlook.baseline"), points(baseline), colours.oil, [7, 4], 2),
    line(t("outlook.scenario"), points(scenario), colours.rail, "solid", 3),
  ];
  if (observed.length)
    series.push(
      line(t("outlook.observed"), points(observed), colours.ink, "solid", 2, { symbol: "circle", symbolSize: 7, showSymbol: true, z: 6 }),
    );
  if (forecasts.length) {
    series.push({
      name: t("outlook.forecasts"),
      type: "scatter",
      symbol: "diamond",
      symbolSize: 13,
      z: 7,
      data: forecasts.map((row) => ({ value: [row.year, row.value_mt], scope: row.scope })),
      itemStyle: {
        color: "transparent",
        borderColor: colours.useCasing === colours.sea ? colours.ink : colours.less,
        borderWidth: 2,
        opacity: 1,
      },
    });
  }
  if (headline) series.push(promisedLine(colours, headline.target_mt));
  return {
    grid: { left: 38, right: 18, top: 34, bottom: 86 },
    legend: legend(colours, { data: series.map((each) => each.name).filter((name) => name && name !== "low") }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      formatter: (items) =>
        tip(
          String(items[0].axisValue),
          items
            .filter((item) => item.seriesName !== "low")
            .map((item) =>
              item.seriesName === t("outlook.range")
                ? `${item.seriesName}: ${ends(low, high, item.value[0])}`
                : `${item.seriesName}: ${number(item.value[1], 2)} ${t("unit.Mt")}`,
            ),
        ),
    },
    xAxis: axis(colours, {
      type: "value",
      min: first,
      max: last,
      minInterval: 1,
      splitLine: { show: false },
      axisLabel: {
        color: colours.soft,
        fontFamily: FONT,
        hideOverlap: true,
        showMinLabel: first % 5 === 0,
        formatter: (year) => String(year),
      },
    }),
    yAxis: axis(colours, {
      type: "value",
      min: 0,
      name: t("unit.mt_per_year"),
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -30] },
      axisLabel: { color: colours.soft, formatter: (value) => number(value, 0) },
    }),
    series,
  };
}

function ends(low, high, year) {
  const [a, b] = [low, high].map((rows) => rows.find((row) => row.year === year)?.corridor_mt);
  return a === undefined ? "–" : `${number(a, 2)} – ${number(b, 2)} ${t("unit.Mt")}`;
}

// Running days or money over distance: a vertical step is a stop, a slope is movement.
export function profileOption(curves, colours, { measure, isPicture }) {
  const dashes = ["solid", [8, 4], [2, 4], [10, 3, 2, 3], [4, 4], "solid"];
  const symbols = ["circle", "rect", "triangle", "diamond", "roundRect", "pin"];
  const series = curves.map((curve, index) => {
    const colour = colours.series[index % colours.series.length];
    const data = [
      { value: [0, 0], place: curve.origin, mode: "" },
      ...curve.legs.map((leg) => ({ value: [leg.distance_km / 1000, leg[measure]], place: leg.place, mode: leg.mode })),
    ];
    return {
      name: curve.name,
      type: "line",
      data,
      symbol: symbols[index % symbols.length],
      symbolSize: 5,
      lineStyle: { color: colour, width: 2.4, type: dashes[index % dashes.length], join: "round" },
      itemStyle: { color: colour },
      z: 4 - index * 0.1,
    };
  });
  const name = measure === "time_d" ? t("unit.days") : t("unit.usd_per_t");
  return {
    grid: { left: 46, right: 22, top: 30, bottom: isPicture ? 96 : 46 + 22 * curves.length },
    legend: legend(colours, { orient: "vertical", itemGap: 5 }),
    tooltip: {
      ...tooltip(colours),
      trigger: "item",
      formatter: (item) =>
        tip(item.seriesName, [
          item.data.mode ? `${item.data.place} (${term("mode", item.data.mode)})` : item.data.place,
          `${number(item.value[0] * 1000, 0)} ${t("unit.km")}, ${number(item.value[1], 1)} ${name}`,
        ]),
    },
    xAxis: axis(colours, {
      type: "value",
      min: 0,
      name: t("profile.distance"),
      nameLocation: "middle",
      nameGap: 28,
      splitLine: { show: false },
      axisLabel: { color: colours.soft, formatter: (value) => number(value, 0) },
    }),
    yAxis: axis(colours, {
      type: "value",
      min: 0,
      name,
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -36] },
    }),
    series,
  };
}

// Origins, goods, destinations of what crosses the headline cordon in a year.
export function sankeyOption(doc, colours, { year, wide }) {
  const index = doc.years.indexOf(year);
  const regions = Object.fromEntries(doc.regions.map((row) => [row.region_id, row.name]));
  const goods = Object.fromEntries(doc.goods.map((row) => [row.commodity_group, row.name]));
  const nodes = new Map();
  const links = new Map();
  const totals = new Map();
  const add = (from, to, value) => {
    const key = `${from}\n${to}`;
    links.set(key, (links.get(key) ?? 0) + value);
  };
  for (const row of doc.flows) {
    const value = row.scenario_kt[index] / 1000;
    if (value < 0.003) continue;
    const [from, via, to] = [`o:${row.origin_region}`, `g:${row.commodity_group}`, `d:${row.destination_region}`];
    nodes.set(from, { name: from, depth: 0, label: { position: "right" }, itemStyle: { color: colours.rail } });
    nodes.set(via, {
      name: via,
      depth: 1,
      label: { position: "right" },
      itemStyle: { color: row.commodity_group.startsWith("crude") ? colours.oil : colours.series[3] },
    });
    nodes.set(to, {
      name: to,
      depth: 2,
      label: { position: "right", width: wide ? 160 : 112, overflow: "break", lineHeight: 13 },
      itemStyle: { color: colours.ship },
    });
    for (const node of [from, via, to]) totals.set(node, (totals.get(node) ?? 0) + value);
    add(from, via, value);
    add(via, to, value);
  }
  const nameOf = (key) => (key.startsWith("g:") ? goods : regions)[key.slice(2)] ?? key.slice(2);
  const short = (text) => text.replace(/ \(.*\)$/, "");
  return {
    tooltip: {
      ...tooltip(colours),
      trigger: "item",
      formatter: (item) =>
        item.dataType === "edge"
          ? tip(`${nameOf(item.data.source)} → ${nameOf(item.data.target)}`, [`${number(item.value, 3)} ${t("unit.Mt")}`])
          : tip(nameOf(item.name), [`${number(totals.get(item.name), 3)} ${t("unit.Mt")}`]),
    },
    series: [
      {
        type: "sankey",
        left: 4,
        right: wide ? 168 : 118,
        top: 8,
        bottom: 8,
        nodeWidth: 12,
        nodeGap: wide ? 9 : 7,
        draggable: false,
        emphasis: { focus: "adjacency" },
        layoutIterations: 64,
        data: [...nodes.values()],
        links: [...links].map(([key, value]) => ({ source: key.split("\n")[0], target: key.split("\n")[1], value })),
        labelLayout: { hideOverlap: true },
        lineStyle: { color: "source", opacity: 0.3, curveness: 0.5 },
        label: {
          color: colours.ink,
          fontFamily: FONT,
          fontSize: 12,
          textBorderColor: colours.paper,
          textBorderWidth: 2,
          formatter: (item) => (totals.get(item.name) >= 0.04 ? `${short(nameOf(item.name))} ${number(totals.get(item.name), 2)}` : ""),
        },
      },
    ],
  };
}

// Which route families gain and lose against the baseline, year by year.
export function diversionOption(doc, colours, { isPicture }) {
  const change = doc.diversion.map((row) => ({
    name: row.name,
    values: row.scenario_mt.map((value, index) => value - row.baseline_mt[index]),
  }));
  const kept = change
    .filter((row) => Math.max(...row.values.map(Math.abs)) > 0.02)
    .sort((a, b) => Math.max(...b.values.map(Math.abs)) - Math.max(...a.values.map(Math.abs)))
    .slice(0, 6);
  const none = { symbol: "none" };
  const decals = [
    none,
    { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 },
    none,
    { symbol: "circle", symbolSize: 0.5 },
    none,
    { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: 0.8 },
  ];
  return {
    grid: { left: 52, right: 12, top: 34, bottom: isPicture ? 90 : 40 + 22 * Math.ceil(kept.length / 1) },
    legend: legend(colours, { orient: isPicture ? "horizontal" : "vertical", itemGap: 5, data: kept.map((row) => row.name) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) =>
        tip(
          items[0].axisValue,
          items.map((item) => `${item.seriesName}: ${signed(item.value, 3)} ${t("unit.Mt")}`),
        ),
    },
    xAxis: axis(colours, { type: "category", data: doc.years.map(String), splitLine: { show: false } }),
    yAxis: axis(colours, {
      type: "value",
      name: t("unit.mt_per_year"),
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -42] },
      axisLabel: { color: colours.soft, formatter: (value) => amount(value) },
    }),
    series: kept.map((row, index) => ({
      name: row.name,
      type: "bar",
      stack: "change",
      data: row.values,
      barMaxWidth: 34,
      itemStyle: { color: colours.series[index], decal: decals[index] },
    })),
  };
}

// Model over published value by kind, on a logarithmic scale.
export function validationOption(doc, colours) {
  const rows = doc.validation.rows.filter((row) => row.error > -1);
  const families = [...new Set(rows.map((row) => row.family))];
  const inside = (value) => Math.max(0.25, Math.min(4, value));
  const of = (used) =>
    rows
      .filter((row) => row.used_in_calibration === used)
      .map((row) => ({ value: [inside(1 + row.error), families.indexOf(row.family)], row }));
  const scatter = (name, data, style, symbol) => ({
    name,
    type: "scatter",
    data,
    symbol,
    symbolSize: 9,
    itemStyle: { opacity: 1, ...style },
  });
  return {
    grid: { left: 8, right: 20, top: 14, bottom: 66, containLabel: true },
    legend: legend(colours),
    tooltip: {
      ...tooltip(colours),
      trigger: "item",
      formatter: (item) =>
        tip(item.data.row.scope, [
          `${item.data.row.year}: ${t("validation.published")} ${amount(item.data.row.compared_with)} ${item.data.row.unit}, ${t("validation.model")} ${amount(item.data.row.model)}`,
        ]),
    },
    xAxis: axis(colours, {
      type: "log",
      logBase: 2,
      min: 0.25,
      max: 4,
      axisLabel: { color: colours.soft, formatter: (value) => `× ${value.toLocaleString(currentLanguage())}` },
    }),
    yAxis: axis(colours, {
      type: "category",
      data: families.map((name) => t(`family.${name}`)),
      inverse: true,
      axisLabel: { color: colours.ink, fontFamily: FONT },
    }),
    series: [
      {
        ...scatter(t("validation.free"), of(false), { color: colours.rail }, "circle"),
        markLine: {
          silent: true,
          symbol: "none",
          label: { show: false },
          lineStyle: { color: colours.ink, type: "solid", width: 1.2 },
          data: [{ xAxis: 1 }],
        },
      },
      scatter(t("validation.used"), of(true), { color: "transparent", borderColor: colours.soft, borderWidth: 1.6 }, "rect"),
    ],
  };
}
