// How a headline of one plan spreads over the years, and the medians of the other plans beside it.
import { FONT, axis, legend, promisedLine, tip, tooltip } from "./charts.js";
import { amount, t } from "./i18n.js";

const BANDS = [
  ["p5", "p10", 0.12],
  ["p10", "p25", 0.22],
  ["p25", "p75", 0.36],
  ["p75", "p90", 0.22],
  ["p90", "p95", 0.12],
];
const DASHES = [
  [7, 4],
  [2, 4],
  [10, 3, 2, 3],
  [4, 4],
];

/** `fans`: `{ name, rows }` by plan, the chosen one first; `target` is what is promised, or null. */
export function fanOption(colours, { fans, unit, isMoney, target, size }) {
  const [own, ...others] = fans;
  const hidden = { symbol: "none", silent: true, lineStyle: { opacity: 0 }, stack: "band", stackStrategy: "all", tooltip: { show: false } };
  const band = (values, opacity) => ({ ...hidden, type: "line", data: values, areaStyle: { color: colours.band, opacity } });
  const middle = (fan, at) => {
    const colour = at ? colours.series[at % colours.series.length] : colours.rail;
    return {
      name: fan.name,
      type: "line",
      symbol: "none",
      data: fan.rows.map((row) => [row.year, row.p50]),
      lineStyle: { color: colour, width: at ? 2 : 3, type: at ? DASHES[(at - 1) % DASHES.length] : "solid", join: "round" },
      itemStyle: { color: colour },
      z: at ? 4 : 5,
    };
  };
  const years = own.rows.map((row) => row.year);
  const series = [
    band(
      own.rows.map((row) => [row.year, row.p5]),
      0,
    ),
    ...BANDS.map(([low, high, opacity]) =>
      band(
        own.rows.map((row) => [row.year, row[high] - row[low]]),
        opacity,
      ),
    ),
    ...[own, ...others].map(middle),
  ];
  if (target !== null) series.push(promisedLine(colours, target));
  const most = Math.max(...own.rows.map((row) => row.p95), target ?? 0);
  return {
    grid: { left: 8, right: 18, top: 34, bottom: 18 + 22 * fans.length, containLabel: true },
    legend: legend(colours, {
      orient: "vertical",
      itemGap: 6,
      data: fans.map((fan) => fan.name),
      textStyle: { color: colours.ink, fontFamily: FONT, width: size.width - 60, overflow: "truncate" },
    }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      formatter: (items) => {
        const year = items[0].axisValue;
        const row = own.rows.find((each) => each.year === year);
        if (!row) return "";
        return tip(String(year), [
          t("futures.fan_tip", { plan: own.name, middle: amount(row.p50), low: amount(row.p10), high: amount(row.p90) }),
          ...others.map((fan) => `${fan.name}: ${amount(fan.rows.find((each) => each.year === year)?.p50)}`),
        ]);
      },
    },
    xAxis: axis(colours, {
      type: "value",
      min: years[0],
      max: Math.max(years.at(-1), years[0] + 1),
      minInterval: 1,
      splitLine: { show: false },
      axisLabel: {
        color: colours.soft,
        hideOverlap: true,
        showMinLabel: years[0] % 5 === 0 || years.length < 9,
        formatter: (year) => String(year),
      },
    }),
    yAxis: axis(colours, {
      type: "value",
      min: isMoney ? null : 0,
      max: isMoney ? null : Math.ceil(most * 10.6) / 10,
      scale: isMoney,
      name: unit,
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left" },
      axisLabel: { color: colours.soft, showMaxLabel: isMoney, formatter: (value) => amount(value) },
    }),
    series,
  };
}
