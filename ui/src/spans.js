// Spans that lie: from a low to a high value each, a mark between them, the name above and the ends written beside.
import { FONT, axis, chartOf, figure, tip, tooltip } from "./charts.js";
import { t } from "./i18n.js";

const ROW = 46;
const SIGNS = 7; // pixels that a sign of a name takes
const LINE = 15;
const NUMBER = 62; // pixels that a number at an end takes

const linesOf = (name, width) => Math.ceil((name.length * SIGNS) / Math.max(120, width - 40));
const rowHeight = (rows, width) => ROW + LINE * (Math.max(1, ...rows.map((row) => linesOf(row.name, width))) - 1);

// Height that rows need in a place so wide.
export const spansHeight = (rows, width = 900) => 58 + rowHeight(rows, width) * Math.max(1, rows.length);

/** A figure of spans as high as its rows need where it stands, and without a picture where there are none. `rows(colours)`, `drawn` the rest. */
export function spansFigure({ rows, drawn, ...about }) {
  const view = figure({
    ...about,
    height: spansHeight(rows(null)),
    option: (colours, state, size) => (rows(null).length ? spansOption(colours, { ...drawn, rows: rows(colours), size }) : NOTHING),
  });
  const body = view.element.querySelector(".chart");
  const draw = () => {
    body.hidden = !rows(null).length;
    body.style.setProperty("height", `${spansHeight(rows(null), body.clientWidth || undefined)}px`);
    chartOf(body)?.resize();
    view.draw();
  };
  return { ...view, draw };
}
const NOTHING = { xAxis: { show: false, type: "value" }, yAxis: { show: false, type: "value" }, series: [] };

/** `rows`: `{ name, low, high, middle, colour, isFaint, lines }`, `middle` may be null; `written` writes a value; `mark` draws a line at one. */
export function spansOption(colours, { rows, written, unit, size, mark = null, least = null, most = null }) {
  const { width } = size;
  const values = [...rows.flatMap((row) => [row.low, row.high]), ...(mark === null ? [] : [mark])];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = Math.min(0.3, NUMBER / width);
  const room = ((high - low || Math.abs(high) || 1) * share) / (1 - 2 * share);
  const [first, last] = [least ?? low - room, most ?? high + room];
  // Where a low end leaves no place for its number, the other end has both.
  const isTight = (row) => row.low - first < 0.9 * share * (last - first);
  const atLow = (row) => (isTight(row) ? "" : written(row.low));
  const atHigh = (row) => (isTight(row) ? t("futures.between", { low: written(row.low), high: written(row.high) }) : written(row.high));
  const end = (key, position, text) => ({
    type: "scatter",
    z: 4,
    zlevel: 0,
    silent: true,
    symbolSize: 0.1,
    data: rows.map((row, at) => ({ value: [row[key], at] })),
    label: {
      show: true,
      position,
      color: colours.ink,
      fontFamily: FONT,
      fontSize: 12,
      formatter: ({ dataIndex }) => text(rows[dataIndex]),
    },
  });
  const told = ({ dataIndex }) => tip(rows[dataIndex].name, rows[dataIndex].lines);
  return {
    grid: { left: 8, right: 16, top: 14, bottom: 44 },
    tooltip: { ...tooltip(colours), trigger: "item", formatter: told },
    xAxis: axis(colours, {
      type: "value",
      min: first,
      max: last,
      name: unit,
      nameLocation: "middle",
      nameGap: 26,
      axisLabel: {
        color: colours.soft,
        fontFamily: FONT,
        hideOverlap: true,
        showMinLabel: least !== null,
        showMaxLabel: most !== null,
        formatter: written,
      },
    }),
    yAxis: {
      type: "category",
      inverse: true,
      data: rows.map((row) => row.name),
      axisLine: { show: false },
      axisTick: { show: false },
      z: 5,
      axisLabel: {
        inside: true,
        margin: 0,
        interval: 0,
        verticalAlign: "bottom",
        padding: [0, 0, 9, 0],
        color: colours.ink,
        fontFamily: FONT,
        fontSize: 12,
        lineHeight: LINE,
        width: width - 40,
        overflow: "break",
      },
    },
    series: [
      {
        type: "lines",
        coordinateSystem: "cartesian2d",
        zlevel: 0,
        z: 3,
        data: rows.map((row, at) => ({
          coords: [
            [row.low, at],
            [row.high, at],
          ],
          lineStyle: { color: row.colour, width: 11, opacity: row.isFaint ? 0.55 : 1, cap: "butt" },
        })),
        effect: { show: false },
        tooltip: { formatter: told },
        markLine:
          mark === null
            ? undefined
            : {
                silent: true,
                symbol: "none",
                label: { show: false },
                lineStyle: { color: colours.ink, type: "solid", width: 1 },
                data: [{ xAxis: mark }],
              },
      },
      {
        type: "scatter",
        zlevel: 0,
        z: 4,
        symbol: "rect",
        symbolSize: [4, 17],
        itemStyle: { color: colours.ink, borderColor: colours.paper, borderWidth: 1, opacity: 1 },
        data: rows.map((row, at) => ({ value: [row.middle ?? NaN, at] })),
      },
      end("low", "left", atLow),
      end("high", "right", atHigh),
    ],
  };
}
