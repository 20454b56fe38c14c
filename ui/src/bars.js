// Bars that lie: names at the left, one or several values each, beside each other or stacked.
import { axis, legend, tip, tooltip } from "./charts.js";
import { amount, number, t } from "./i18n.js";

const HATCHED = { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 };
const ROW_LEGEND = 22;

/** `rows`: `{ name, values, colour }` with a value per name, null for none; `mark` draws a line at a value. */
export function barsOption(colours, { names, rows, unit, size, digits = 1, isStacked = false, isPlain = false, mark = null }) {
  const shown = (value) => (value === null || value === undefined ? "–" : `${number(value, digits)} ${unit}`);
  const { isPicture, width } = size;
  const lines = rows.length < 2 ? 0 : Math.ceil(rows.length / 3);
  return {
    grid: { left: 8, right: 32, top: mark ? 24 : 10, bottom: (isPicture ? 56 : 42) + ROW_LEGEND * lines, containLabel: true },
    legend: lines ? legend(colours, { icon: "roundRect", itemHeight: 9, data: rows.map((row) => row.name) }) : { show: false },
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) =>
        tip(
          items[0].axisValue,
          [
            ...items.filter((item) => item.value !== null).map((item) => (rows.length > 1 ? `${item.seriesName}: ` : "") + shown(item.value)),
            ...(isStacked ? [t("trading.sum", { value: shown(items.reduce((sum, item) => sum + item.value, 0)) })] : []),
          ],
        ),
    },
    xAxis: axis(colours, {
      type: "value",
      name: unit,
      nameLocation: "middle",
      nameGap: 26,
      axisLabel: { color: colours.soft, hideOverlap: true, formatter: (value) => amount(value) },
    }),
    yAxis: axis(colours, {
      type: "category",
      inverse: true,
      data: names,
      axisLabel: { color: colours.ink, fontSize: isPicture ? 11 : 12, lineHeight: 14, width: Math.min(280, 0.34 * width), overflow: "break", interval: 0 },
    }),
    series: rows.map((row, at) => ({
      name: row.name,
      type: "bar",
      stack: isStacked ? "all" : undefined,
      barMaxWidth: isStacked ? 24 : 16,
      data: row.values,
      label: {
        show: isPlain,
        position: "right",
        color: colours.ink,
        formatter: ({ value }) => (value === null ? "" : number(value, digits)),
      },
      itemStyle: { color: row.colour ?? colours.series[at % colours.series.length], decal: at % 2 ? HATCHED : { symbol: "none" } },
      markLine:
        mark && at === 0
          ? {
              silent: true,
              symbol: "none",
              data: [{ xAxis: mark.value }],
              lineStyle: { color: colours.less, type: "solid", width: 1.4 },
              label: { position: "start", color: colours.ink, formatter: mark.text },
            }
          : undefined,
    })),
  };
}

// Height that so many names need.
export const barsHeight = (names, rows, { isStacked = false } = {}) =>
  70 + ROW_LEGEND * Math.ceil(rows / 3) + names * (isStacked ? 38 : 14 + 16 * Math.max(1, rows));
