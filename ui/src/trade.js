// Trade of two countries against what was promised: by year and part, by goods, what each measure adds; forecasts beside what came.
import { ofAnswer } from "./answered.js";
import { barsHeight, barsOption } from "./bars.js";
import { axis, figure, legend, tip, tooltip } from "./charts.js";
import { h } from "./dom.js";
import { amount, number, percent, signed, t } from "./i18n.js";
import { dataTable } from "./tables.js";

const PARTS = ["base", "growth", "transport", "tariffs", "ventures"];
const MOST_GOODS = 10;

const nameOf = (found, id) => found.called[id] ?? id;
const flowName = (found, row) =>
  t("trading.flow", { from: nameOf(found, row.exporter), to: nameOf(found, row.importer), goods: row.commodity_group === "unsplit" ? t("trading.unsplit") : nameOf(found, row.commodity_group) });

function partsOption(found, colours, { isPicture, width }) {
  const money = t("unit.MUSD");
  const decals = [{ symbol: "none" }, { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 }];
  const names = [...PARTS.map((key) => t(`trading.part.${key}`)), t("trading.value")];
  const most = Math.max(found.target_musd ?? 0, ...found.outlook.map((row) => row.high_musd));
  const least = Math.min(...found.outlook.map((row) => PARTS.reduce((sum, key) => sum + Math.min(0, row[`${key}_musd`]), 0)));
  return {
    grid: { left: 58, right: 16, top: 34, bottom: isPicture ? 96 : width < 640 ? 104 : 58 },
    legend: legend(colours, { itemGap: 10, icon: "roundRect", itemHeight: 9, data: names }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) => {
        const row = found.outlook[items[0].dataIndex];
        return tip(String(row.year), [
          ...PARTS.map((key) => `${t(`trading.part.${key}`)}: ${key === "base" ? number(row.base_musd, 1) : signed(row[`${key}_musd`], 1)} ${money}`),
          `${t("trading.value")}: ${number(row.value_musd, 0)} ${money} (${number(row.low_musd, 0)} – ${number(row.high_musd, 0)})`,
        ]);
      },
    },
    xAxis: axis(colours, { type: "category", data: found.outlook.map((row) => String(row.year)), splitLine: { show: false } }),
    yAxis: axis(colours, {
      type: "value",
      name: money,
      min: least < -0.02 * most ? null : 0, // a sliver below zero makes no room for itself
      max: Math.ceil((most * 1.08) / 100) * 100,
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -46] },
      axisLabel: { color: colours.soft, formatter: (value) => amount(value) },
    }),
    series: [
      ...PARTS.map((key, at) => ({
        name: names[at],
        type: "bar",
        stack: "trade",
        barMaxWidth: 44,
        data: found.outlook.map((row) => row[`${key}_musd`]),
        itemStyle: { color: at ? colours.series[at - 1] : colours.still, decal: decals[at % 2] },
      })),
      {
        name: names.at(-1),
        type: "line",
        data: found.outlook.map((row) => row.value_musd),
        symbol: "diamond",
        symbolSize: 9,
        lineStyle: { color: colours.ink, width: 1.5, type: "dotted" },
        itemStyle: { color: colours.ink },
        label: { show: true, position: "top", color: colours.ink, formatter: ({ value }) => number(value, 0) },
        markLine: found.target_musd
          ? {
              silent: true,
              symbol: "none",
              data: [{ yAxis: found.target_musd }],
              lineStyle: { color: colours.less, type: "solid", width: 1.2 },
              label: {
                position: "insideStartTop",
                color: colours.ink,
                formatter: t("trading.promised", { target: number(found.target_musd, 0) }),
              },
            }
          : undefined,
      },
    ],
  };
}

function goodsRows(found, year) {
  return found.goods
    .filter((row) => row.year === year)
    .toSorted((a, b) => b.value_musd - a.value_musd)
    .slice(0, MOST_GOODS);
}

function verdict(found) {
  const last = found.outlook.at(-1);
  const value = number(last.value_musd, 0);
  if (!found.target_musd) return t("trade.no_target", { value, year: String(last.year) });
  const about = { target: number(found.target_musd, 0), value, last: String(last.year) };
  const reached = found.outlook.find((row) => row.value_musd >= found.target_musd);
  if (reached) return t("trade.reached", { ...about, year: String(reached.year) });
  return t("trade.missed", { ...about, short: number(found.target_musd - last.value_musd, 0) });
}

// Gives the element and the views to draw, as every room does.
export function tradeView(context, found, { level = "h2" } = {}) {
  const below = `h${Number(level[1]) + 1}`;
  const [one, other] = found.pair.map((id) => nameOf(found, id));
  const years = found.outlook.map((row) => row.year);
  let year = years.at(-1);
  const own = ofAnswer(context, found, {
    name: `${found.scenario_id}-${found.pair.join("-")}`,
    year: years.length > 1 ? `${years[0]}–${years.at(-1)}` : String(years[0]),
  });
  const money = t("unit.MUSD");
  const about = { context: own, heading: below, source: t("source.trade") };
  const parts = figure({
    ...about,
    id: "trade-parts",
    title: () => t("trading.parts"),
    subtitle: () => t("trading.parts_told"),
    height: 420,
    option: (colours, _, size) => partsOption(found, colours, size),
    table: () => ({
      columns: [
        { key: "year", label: t("column.year"), digits: 0, show: String },
        ...PARTS.map((key) => ({ key: `${key}_musd`, label: t(`trading.part.${key}`), digits: 1 })),
        ...["value", "low", "high", "created", "diverted"].map((key) => ({ key: `${key}_musd`, label: t(`trading.${key}`), digits: 1 })),
      ],
      rows: found.outlook,
    }),
  });
  const goods = figure({
    ...about,
    id: "trade-goods",
    title: () => t("trading.goods"),
    subtitle: () => t("trading.goods_told", { year: String(year) }),
    height: barsHeight(goodsRows(found, year).length, 2),
    controls: h(
      "div",
      { class: "tools no-print" },
      h(
        "label",
        { class: "field" },
        h("span", {}, t("column.year")),
        h(
          "select",
          { id: "trade-year", onchange: (event) => ((year = Number(event.target.value)), goods.draw(null)) },
          years.map((each) => h("option", { value: each, selected: each === year }, String(each))),
        ),
      ),
    ),
    option: (colours, _, size) => {
      const rows = goodsRows(found, year);
      return barsOption(colours, {
        names: rows.map((row) => flowName(found, row)),
        rows: [
          { name: t("trading.part.base"), values: rows.map((row) => row.base_musd), colour: colours.still },
          { name: String(year), values: rows.map((row) => row.value_musd), colour: colours.series[0] },
        ],
        unit: money,
        size,
      });
    },
    table: () => ({
      columns: [
        { key: "name", label: t("trading.goods_label") },
        { key: "base_musd", label: t("trading.part.base"), digits: 1 },
        { key: "value_musd", label: t("trading.value"), digits: 1 },
        ...PARTS.slice(1, 4).map((key) => ({ key: `${key}_musd`, label: t(`trading.part.${key}`), digits: 2 })),
        { key: "tonnes_factor", label: t("trading.tonnes"), digits: 3 },
      ],
      rows: found.goods.filter((row) => row.year === year).map((row) => ({ ...row, name: flowName(found, row) })),
    }),
  });
  const figures = [parts, goods];
  const ventures = found.ventures.filter((row) => row.adds_musd > 0).toSorted((a, b) => b.adds_musd - a.adds_musd);
  if (ventures.length)
    figures.push(
      figure({
        ...about,
        id: "trade-measures",
        title: () => t("trading.measures"),
        subtitle: () => t("trade.ventures"),
        height: barsHeight(ventures.length, 1),
        option: (colours, _, size) =>
          barsOption(colours, {
            names: ventures.map((row) => row.title),
            rows: [{ name: t("trading.adds"), values: ventures.map((row) => row.adds_musd) }],
            unit: money,
            isPlain: true,
            size,
          }),
        table: () => ({
          columns: [
            { key: "title", label: t("column.name") },
            { key: "measure_id", label: t("trading.measure_id") },
            { key: "adds_musd", label: t("trading.adds"), digits: 1 },
            { key: "output_musd", label: t("trading.output"), digits: 1 },
            { key: "jobs_count", label: t("trading.jobs"), digits: 0 },
          ],
          rows: ventures,
        }),
      }),
    );
  const told = found.forecasts.filter((row) => row.outturn);
  if (told.length) {
    const name = (row) => t("trading.forecast", { name: row.name, year: String(row.for_year), who: row.forecaster });
    const share = (row, key) => (row[key] === null ? null : (100 * row[key]) / row.outturn);
    figures.push(
      figure({
        ...about,
        id: "trade-forecasts",
        title: () => t("trading.forecasts"),
        subtitle: () => t("trading.forecasts_told"),
        height: barsHeight(told.length, 3),
        option: (colours, _, size) =>
          barsOption(colours, {
            names: told.map(name),
            rows: [
              { name: t("trading.expected"), values: told.map((row) => share(row, "forecast")) },
              { name: t("trading.ours"), values: told.map((row) => share(row, "ours")) },
            ],
            unit: "%",
            digits: 0,
            mark: { value: 100, text: t("trading.came") },
            size,
          }),
        table: () => ({
          columns: [
            { key: "name", label: t("column.name") },
            { key: "forecaster", label: t("trading.forecaster") },
            { key: "made_year", label: t("trading.made"), digits: 0, show: String },
            { key: "for_year", label: t("column.year"), digits: 0, show: String },
            { key: "unit", label: t("trading.unit") },
            { key: "forecast", label: t("trading.expected"), digits: 0 },
            { key: "outturn", label: t("trading.came"), digits: 0 },
            { key: "error", label: t("trading.error") },
            { key: "ours", label: t("trading.ours"), digits: 0 },
          ],
          rows: found.forecasts.map((row) => ({ ...row, error: row.error_share === null ? "–" : percent(row.error_share) })),
        }),
      }),
    );
  }
  const table = (id, caption, columns, rows) =>
    rows.length
      ? h("div", { class: "card" }, dataTable({ id: `table-trade-${id}`, caption, columns, rows, fileName: own.fileName(id) }).element)
      : null;
  const element = h(
    "div",
    { class: "crossings" },
    h(level, { id: "trade-answer", tabindex: "-1" }, t("trading.trade_title", { one, other, scenario: found.scenario_title })),
    h("p", {}, verdict(found)),
    figures.map((each) => each.element),
    table(
      "demand",
      t("trading.demand.demand"),
      [
        { key: "year", label: t("column.year"), digits: 0, show: String },
        { key: "group", label: t("trading.demand.group") },
        ...["base_kt", "mid_kt", "low_kt", "high_kt", "with_trade_kt"].map((key) => ({ key, label: t(`trading.demand.${key}`), digits: 0 })),
      ],
      found.demand.map((row) => ({ ...row, group: row.growth_id.replaceAll("_", " ") })),
    ),
    table(
      "corridor",
      t("trading.corridor"),
      [
        { key: "year", label: t("column.year"), digits: 0, show: String },
        { key: "corridor_mt", label: t("trading.corridor_mt"), digits: 2 },
        { key: "corridor_with_trade_mt", label: t("trading.corridor_with_trade_mt"), digits: 2 },
        { key: "rounds", label: t("trading.rounds"), digits: 0 },
      ],
      found.carried,
    ),
    table(
      "incomes",
      t("trading.incomes"),
      [
        { key: "year", label: t("column.year"), digits: 0, show: String },
        { key: "name", label: t("oil.country") },
        { key: "real_income_factor", label: t("trading.real_income"), digits: 5 },
        { key: "wage_factor", label: t("trading.wage"), digits: 5 },
        { key: "price_factor", label: t("trading.price"), digits: 5 },
      ],
      found.incomes.map((row) => ({ ...row, name: nameOf(found, row.region_id) })),
    ),
    h("p", { class: "soft small prose-wide" }, t("trade.how")),
  );
  return { element, views: figures, forget: () => figures.forEach((each) => each.forget()) };
}
