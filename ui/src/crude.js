// Crude oil: what a tonne fetches at home by each route, flows by route and year, who earns, what an interrupted route costs.
import { ofAnswer } from "./answered.js";
import { axis, figure, legend, tip, tooltip } from "./charts.js";
import { h } from "./dom.js";
import { amount, number, t } from "./i18n.js";
import { dataTable } from "./tables.js";

const NOT_SHIPPED = "not_shipped";
const PARTS = ["netback_usd_per_t", "tariffs_usd_per_t", "handling_usd_per_t"];
const MOST_ROUTES = 6;
const LEAST_MUSD = 0.05;

const nameOf = (found, id) => (id === NOT_SHIPPED ? t("oil.not_shipped") : (found.called[id] ?? id));
const plain = (id) => (id.charAt(0).toUpperCase() + id.slice(1)).replaceAll("_", " ");
const rungs = (found, market) => found.ladder.filter((row) => row.market_id === market && row.family_id !== NOT_SHIPPED);

function ladderOption(found, colours, { market, isPicture }) {
  const rows = rungs(found, market);
  const decals = [{ symbol: "none" }, { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 }, { symbol: "none" }];
  return {
    grid: { left: 8, right: 28, top: 10, bottom: isPicture ? 90 : 76, containLabel: true },
    legend: legend(colours, { icon: "roundRect", itemHeight: 9, data: PARTS.map((key) => t(`oil.part.${key}`)) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) =>
        tip(items[0].axisValue, [
          ...items.map((item) => `${item.seriesName}: ${number(item.value, 1)} ${t("unit.usd_per_t")}`),
          t("oil.carries", { flow: number(rows[items[0].dataIndex].flow_kt / 1e3, 2) }),
        ]),
    },
    xAxis: axis(colours, { type: "value", name: t("unit.usd_per_t"), nameLocation: "middle", nameGap: 26 }),
    yAxis: axis(colours, {
      type: "category",
      inverse: true,
      data: rows.map((row) => nameOf(found, row.family_id)),
      axisLabel: { color: colours.ink, fontSize: isPicture ? 11 : 12, width: 220, overflow: "truncate", interval: 0 },
    }),
    series: PARTS.map((key, at) => ({
      name: t(`oil.part.${key}`),
      type: "bar",
      stack: "price",
      barMaxWidth: 20,
      data: rows.map((row) => row[key]),
      itemStyle: { color: [colours.rail, colours.oil, colours.still][at], decal: decals[at] },
    })),
  };
}

// Routes that carry most, the smaller ones as one; what stays in the ground is no route.
function routesOf(found) {
  const total = {};
  for (const row of found.flows) if (row.family_id !== NOT_SHIPPED) total[row.family_id] = (total[row.family_id] ?? 0) + row.flow_mt;
  const ids = Object.keys(total).sort((a, b) => total[b] - total[a]);
  return { main: ids.slice(0, MOST_ROUTES - 1), rest: ids.slice(MOST_ROUTES - 1) };
}

function flowRows(found) {
  const { main, rest } = routesOf(found);
  const years = [...new Set(found.flows.map((row) => row.year))].sort((a, b) => a - b);
  const of = (year, ids) => found.flows.filter((row) => row.year === year && ids.includes(row.family_id)).reduce((sum, row) => sum + row.flow_mt, 0);
  const groups = [...main.map((id) => ({ name: nameOf(found, id), ids: [id] })), ...(rest.length ? [{ name: t("oil.other"), ids: rest }] : [])];
  return { years, groups: groups.map((group) => ({ name: group.name, values: years.map((year) => of(year, group.ids)) })) };
}

function flowOption(found, colours, { isPicture }) {
  const { years, groups } = flowRows(found);
  return {
    grid: { left: 52, right: 12, top: 34, bottom: isPicture ? 100 : 44 + 20 * Math.ceil(groups.length / 2) },
    legend: legend(colours, { itemGap: 8, icon: "roundRect", itemHeight: 9, data: groups.map((group) => group.name) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) =>
        tip(
          items[0].axisValue,
          items.map((item) => `${item.seriesName}: ${number(item.value, 2)} ${t("unit.Mt")}`),
        ),
    },
    xAxis: axis(colours, { type: "category", data: years.map(String), splitLine: { show: false } }),
    yAxis: axis(colours, {
      type: "value",
      name: t("unit.mt_per_year"),
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -42] },
      axisLabel: { color: colours.soft, formatter: (value) => amount(value) },
    }),
    series: groups.map((group, at) => ({
      name: group.name,
      type: "bar",
      stack: "flow",
      barMaxWidth: 34,
      data: group.values,
      itemStyle: { color: colours.series[at], borderColor: colours.paper, borderWidth: 0.5 },
    })),
  };
}

function insurance({ avoided_by_second_musd_per_year: saved, expected_loss_without_second_musd_per_year: without }) {
  if (saved === null) return "";
  return ` ${saved < LEAST_MUSD ? t("oil.no_insurance") : t("oil.insurance", { without: number(without, 1), saved: number(saved, 1) })}`;
}

function disruptionTexts(found) {
  return found.disruptions.map((row) =>
    h(
      "p",
      {},
      t("oil.disruption", {
        name: row.name,
        period: row.period,
        moved: number(row.rerouted_mt, 2),
        shut: number(row.shut_in_mt, 2),
        lost: number(row.lost_musd, 0),
        expected: number(row.expected_loss_musd_per_year, 1),
      }),
      row.second_family_id === null
        ? ""
        : ` ${t("oil.second", { route: nameOf(found, row.second_family_id), before: number(row.second_before_mt, 3), after: number(row.second_after_mt, 3) })}`,
      insurance(row),
    ),
  );
}

// Gives the element and the views to draw, as every room does.
export function oilView(context, found, { level = "h2" } = {}) {
  const below = `h${Number(level[1]) + 1}`;
  const own = ofAnswer(context, found, { name: `${found.year}-${found.scenario_id}`, year: found.year });
  const markets = [...new Set(found.ladder.map((row) => row.market_id))];
  let market = markets.toSorted((a, b) => rungs(found, b).length - rungs(found, a).length)[0];
  const ladder = figure({
    id: "oil-ladder",
    context: own,
    heading: below,
    title: () => t("oil.ladder"),
    subtitle: () => t("oil.ladder_told"),
    source: t("source.oil"),
    height: 120 + 34 * Math.max(...markets.map((each) => rungs(found, each).length)),
    controls: h(
      "div",
      { class: "tools no-print" },
      h(
        "label",
        { class: "field" },
        h("span", {}, t("oil.market")),
        h(
          "select",
          { id: "oil-market", onchange: (event) => ((market = event.target.value), ladder.draw(null)) },
          markets.map((each) => h("option", { value: each, selected: each === market }, plain(each))),
        ),
      ),
    ),
    option: (colours, _, size) => ladderOption(found, colours, { market, isPicture: size.isPicture }),
    table: () => ({
      columns: [
        { key: "name", label: t("oil.route") },
        { key: "flow_kt", label: t("unit.kt"), digits: 0 },
        ...PARTS.map((key) => ({ key, label: t(`oil.part.${key}`), digits: 1 })),
        { key: "netback_usd_per_bbl", label: t("oil.head_barrel"), digits: 1 },
        { key: "scarcity_usd_per_t", label: t("oil.head_scarcity"), digits: 1 },
        { key: "buffer_d", label: t("oil.head_days"), digits: 0 },
      ],
      rows: rungs(found, market).map((row) => ({ ...row, name: nameOf(found, row.family_id) })),
    }),
  });
  const flows = figure({
    id: "oil-flows",
    context: own,
    heading: below,
    title: () => t("oil.flows"),
    subtitle: () => t("oil.flows_told"),
    source: t("source.oil"),
    height: 420,
    option: (colours, _, size) => flowOption(found, colours, { isPicture: size.isPicture }),
    table: () => {
      const { years, groups } = flowRows(found);
      return {
        columns: [{ key: "year", label: t("column.year"), digits: 0, show: String }, ...groups.map((group, at) => ({ key: `v${at}`, label: group.name, digits: 2 }))],
        rows: years.map((year, place) => ({ year, ...Object.fromEntries(groups.map((group, at) => [`v${at}`, group.values[place]])) })),
      };
    },
  });
  const table = (id, caption, columns, rows) =>
    h("div", { class: "card" }, dataTable({ id: `table-oil-${id}`, caption, columns, rows, fileName: own.fileName(`oil-${id}`) }).element);
  const element = h(
    "div",
    { class: "crossings" },
    h(level, { id: "oil-answer", tabindex: "-1" }, t("oil.view_title", { year: found.year, scenario: found.scenario_title })),
    h(
      "p",
      { class: "soft" },
      t("oil.price", { barrel: number(found.reference_usd_per_bbl, 1), tonne: number(found.reference_usd_per_t, 0) }),
      " ",
      t("oil.how"),
    ),
    ladder.element,
    flows.element,
    found.disruptions.length ? h("div", { class: "card crossings" }, h(below, {}, t("oil.disruptions")), disruptionTexts(found)) : null,
    found.limits.length
      ? table(
          "limits",
          t("oil.limits"),
          [
            { key: "name", label: t("column.name") },
            { key: "flow", label: t("oil.head_carries"), digits: 0 },
            { key: "capacity", label: t("oil.head_can"), digits: 0 },
            { key: "turned_away", label: t("oil.head_turned"), digits: 0 },
            { key: "shadow_price_usd_per_t", label: t("oil.head_more"), digits: 1 },
          ],
          found.limits.map((row) => ({ ...row, name: nameOf(found, row.facility_id) })),
        )
      : h("p", { class: "soft" }, t("oil.nothing_full")),
    table(
      "earners",
      t("oil.earners"),
      [
        { key: "name", label: t("oil.operator") },
        { key: "country", label: t("oil.country") },
        { key: "route", label: t("oil.route") },
        { key: "paid_musd", label: t("unit.MUSD"), digits: 1 },
      ],
      found.earners.map((row) => ({ ...row, name: nameOf(found, row.operator_id), route: nameOf(found, row.family_id) })),
    ),
  );
  const views = [ladder, flows];
  return { element, views, forget: () => views.forEach((view) => view.forget()) };
}
