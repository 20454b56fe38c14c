// Power hour by hour: prices at both ends of a line and what it carries, in a week and as duration curves; who gains; other sizes.
import { ofAnswer } from "./answered.js";
import { axis, chartOf, figure, legend, tip, tooltip } from "./charts.js";
import { h } from "./dom.js";
import { amount, currentLanguage, number, percent, signed, t } from "./i18n.js";
import { dataTable } from "./tables.js";

const YEAR_H = 8760;
const WEEK_H = 168;
const PARTIES = ["consumers", "producers", "lines", "borders"];
const LEAST_MUSD = 0.05;

const nameOf = (found, id) => found.called[id] ?? id;
const hoursOf = (found) => found.hourly[Object.keys(found.hourly)[0]].length;
const dayText = (found, hour) =>
  new Intl.DateTimeFormat(currentLanguage(), { day: "numeric", month: "short", timeZone: "UTC" }).format(Date.UTC(2001, 0, 1, hour));
const hourText = (found, hour) =>
  new Intl.DateTimeFormat(currentLanguage(), { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", timeZone: "UTC" }).format(
    Date.UTC(2001, 0, 1, hour),
  );

// What is drawn of a line: prices at both of its ends and its flow, there above zero and back below.
function seriesOf(found, lineId) {
  const line = found.lines.find((row) => row.line_id === lineId);
  return [
    { name: nameOf(found, line.from_zone), unit: "power.unit_price", values: found.hourly[`price_${line.from_zone}`] },
    { name: nameOf(found, line.to_zone), unit: "power.unit_price", values: found.hourly[`price_${line.to_zone}`] },
    { name: nameOf(found, lineId), unit: "power.unit_flow", values: found.hourly[`flow_${lineId}`] },
  ];
}

// Two panels under each other on one axis: prices above, the flow below.
function panels(colours, rows, { xAxis, xs, isPicture, told }) {
  const [from, to, flow] = rows;
  const right = isPicture ? 24 : 14;
  const price = (row, colour, type) => ({
    name: row.name,
    type: "line",
    xAxisIndex: 0,
    yAxisIndex: 0,
    data: row.values.map((value, at) => [xs[at], value]),
    symbol: "none",
    lineStyle: { color: colour, width: 2, type },
    itemStyle: { color: colour },
  });
  const shown = (more) => ({ ...axis(colours, { ...xAxis, ...more }), splitLine: { show: false } });
  const named = (name, more) =>
    axis(colours, {
      type: "value",
      name,
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -46] },
      axisLabel: { color: colours.soft, formatter: (value) => amount(value) },
      splitNumber: 4,
      ...more,
    });
  return {
    grid: [
      { left: 58, right, top: 34, height: "38%" },
      { left: 58, right, top: "60%", height: isPicture ? "22%" : "23%" },
    ],
    legend: legend(colours, { data: rows.map((row) => row.name) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      formatter: (items) =>
        tip(
          told(items[0].value[0]),
          rows.map((row) => `${row.name}: ${number(row.values[xs.indexOf(items[0].value[0])], 0)} ${t(row.unit)}`),
        ),
    },
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: colours.soft } },
    xAxis: [shown({ gridIndex: 0, axisLabel: { show: false } }), shown({ gridIndex: 1 })],
    yAxis: [named(t("power.unit_price"), { gridIndex: 0, scale: false }), named(t("power.unit_flow"), { gridIndex: 1 })],
    series: [
      price(from, colours.series[0], "solid"),
      price(to, colours.series[1], [7, 4]),
      {
        name: flow.name,
        type: "line",
        xAxisIndex: 1,
        yAxisIndex: 1,
        data: flow.values.map((value, at) => [xs[at], value]),
        symbol: "none",
        lineStyle: { color: colours.series[2], width: 1.5 },
        areaStyle: { color: colours.series[2], opacity: 0.25 },
        itemStyle: { color: colours.series[2] },
      },
    ],
  };
}

function weekOption(found, colours, { lineId, week, isPicture }) {
  const first = week * WEEK_H;
  const rows = seriesOf(found, lineId).map((row) => ({ ...row, values: row.values.slice(first, first + WEEK_H) }));
  const xs = rows[0].values.map((_, at) => first + at);
  return panels(colours, rows, {
    xs,
    isPicture,
    told: (hour) => hourText(found, hour),
    xAxis: {
      type: "value",
      min: first,
      max: first + WEEK_H,
      interval: 24,
      axisLabel: { color: colours.soft, hideOverlap: true, formatter: (hour) => dayText(found, hour) },
    },
  });
}

// Each curve falls by itself: its hours are not those of the others.
function curveOption(found, colours, { lineId, isPicture }) {
  const rows = seriesOf(found, lineId);
  const last = rows[0].values.length - 1;
  const xs = Array.from({ length: 101 }, (_, at) => at);
  const fallen = rows.map((row) => {
    const ordered = [...row.values].sort((a, b) => b - a);
    return { ...row, values: xs.map((share) => ordered[Math.round((share / 100) * last)]) };
  });
  return panels(colours, fallen, {
    xs,
    isPicture,
    told: (share) => t("power.exceeded", { share: share / 100 }),
    xAxis: {
      type: "value",
      min: 0,
      max: 100,
      interval: 20,
      axisLabel: { color: colours.soft, formatter: (value) => percent(value / 100) },
    },
  });
}

const gainRows = (found, design) =>
  found.parties
    .filter((row) => row.design === design && PARTIES.some((party) => Math.abs(row[`${party}_musd`]) >= LEAST_MUSD))
    .sort((a, b) => b.total_musd - a.total_musd);

function gainOption(found, colours, { design, isPicture }) {
  const rows = gainRows(found, design);
  const decals = [{ symbol: "none" }, { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 }];
  return {
    grid: { left: 8, right: 28, top: 10, bottom: isPicture ? 90 : 76, containLabel: true },
    legend: legend(colours, { icon: "roundRect", itemHeight: 9, data: PARTIES.map((party) => t(`power.party.${party}`)) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) =>
        tip(
          items[0].axisValue,
          items.map((item) => `${item.seriesName}: ${signed(item.value, 1)} ${t("unit.MUSD")}`),
        ),
    },
    xAxis: axis(colours, { type: "value", name: t("unit.MUSD"), nameLocation: "middle", nameGap: 26 }),
    yAxis: axis(colours, {
      type: "category",
      inverse: true,
      data: rows.map((row) => row.who),
      axisLabel: { color: colours.ink, fontSize: isPicture ? 11 : 12, width: 170, overflow: "truncate", interval: 0 },
    }),
    series: PARTIES.map((party, at) => ({
      name: t(`power.party.${party}`),
      type: "bar",
      stack: "gain",
      barMaxWidth: 18,
      data: rows.map((row) => row[`${party}_musd`]),
      itemStyle: { color: colours.series[at], decal: decals[at % 2] },
    })),
  };
}

const SWEPT = ["rent_musd", "kept_musd", "gain_musd", "cost_musd"];

function sweepOption(found, colours, { isPicture }) {
  const types = ["solid", [7, 4], "solid", [2, 4]];
  return {
    grid: { left: 58, right: 28, top: 34, bottom: isPicture ? 96 : 76 },
    legend: legend(colours, { data: SWEPT.map((key) => t(`power.swept.${key}`)) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      formatter: (items) =>
        tip(
          `${number(items[0].value[0], 0)} ${t("power.unit_flow")}`,
          items.map((item) => `${item.seriesName}: ${number(item.value[1], 1)} ${t("unit.MUSD")}`),
        ),
    },
    xAxis: axis(colours, { type: "value", name: t("power.unit_flow"), nameLocation: "middle", nameGap: 26 }),
    yAxis: axis(colours, {
      type: "value",
      name: t("unit.MUSD"),
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -46] },
      axisLabel: { color: colours.soft, formatter: (value) => amount(value) },
    }),
    series: SWEPT.map((key, at) => ({
      name: t(`power.swept.${key}`),
      type: "line",
      data: found.sweep.filter((row) => row[key] !== null).map((row) => [row.capacity_mw, row[key]]),
      symbolSize: 6,
      lineStyle: { color: colours.series[at], width: 2, type: types[at] },
      itemStyle: { color: colours.series[at] },
    })),
  };
}

const NUMBERS = {
  zones: ["demand_twh", "generation_twh", "imports_twh", "exports_twh", "unserved_gwh", "curtailed_twh", "co2_mt", "mean_price_usd_per_mwh"],
  lines: ["capacity_mw", "there_twh", "back_twh", "full_h", "rent_musd", "value_usd_per_kw"],
  worth: [
    "capacity_mw",
    "there_twh",
    "back_twh",
    "rent_musd",
    "kept_musd",
    "gain_musd",
    "cost_musd",
    "owner_pays_until_usd_per_kw",
    "all_pay_until_usd_per_kw",
    "credit_from_mw",
    "credit_to_mw",
    "co2_change_mt",
    "curtailed_change_twh",
    "unserved_change_gwh",
  ],
};
const digitsOf = (key) => (/_mw$|_h$|_kw$/.test(key) ? 0 : /_twh$/.test(key) ? 2 : 1);
const columnsOf = (kind, first) => [
  { key: first, label: t("column.name") },
  ...NUMBERS[kind].map((key) => ({ key, label: t(`power.column.${key}`), digits: digitsOf(key) })),
];
const designText = (design) => (design === "as it is" ? t("power.as_it_is") : design);

function tableOf(found, kind, caption, key, rows) {
  return h(
    "div",
    { class: "card" },
    dataTable({
      id: `table-power-${kind}`,
      caption,
      columns: columnsOf(kind, "name"),
      rows: rows.map((row) => ({ ...row, name: key === "design" ? designText(row.design) : nameOf(found, row[key]) })),
      fileName: `karvan-power-${found.year}-${kind}`,
    }).element,
  );
}

// Gives the element and the views to draw, as every room does.
export function powerView(context, found, { level = "h2" } = {}) {
  const below = `h${Number(level[1]) + 1}`;
  const own = ofAnswer(context, found, { name: `${found.year}-${found.scenario_id}`, year: found.year });
  const used = found.lines.filter((row) => row.capacity_mw > 0);
  const weeks = Math.max(1, Math.floor(hoursOf(found) / WEEK_H));
  let lineId = used.find((row) => row.line_id === found.line_id)?.line_id ?? used[0]?.line_id;
  let week = 0;
  const source = t("source.power", { seed: String(found.seed) });
  const views = [];
  const choice = () =>
    h(
      "select",
      {
        "data-choice": "power-line",
        onchange: (event) => {
          lineId = event.target.value;
          for (const each of element.querySelectorAll("[data-choice=power-line]")) each.value = lineId;
          for (const each of views) each.draw(null);
        },
      },
      used.map((row) => h("option", { value: row.line_id, selected: row.line_id === lineId }, nameOf(found, row.line_id))),
    );
  const field = (control) => h("label", { class: "field" }, h("span", {}, t("power.line")), control);
  const table = (rows, head, told) => ({
    columns: [
      { key: "at", label: head, isNumber: true, show: told },
      ...rows.map((row, index) => ({ key: `v${index}`, label: `${row.name}, ${t(row.unit)}`, digits: 1 })),
    ],
    rows: rows[0].values.map((_, at) => ({ at, ...Object.fromEntries(rows.map((row, index) => [`v${index}`, row.values[at]])) })),
  });
  if (lineId) {
    const slider = h("input", {
      type: "range",
      id: "power-week",
      min: 0,
      max: weeks - 1,
      step: 1,
      value: 0,
      "aria-label": t("power.week"),
      oninput: (event) => {
        week = Number(event.target.value);
        event.target.setAttribute("aria-valuetext", weekText());
        weekly.draw(null);
      },
    });
    const weekText = () => t("power.week_of", { day: dayText(found, week * WEEK_H) });
    slider.setAttribute("aria-valuetext", weekText());
    const weekly = figure({
      id: "power-week-chart",
      context: own,
      heading: below,
      title: () => t("power.hours"),
      subtitle: () => weekText(),
      source,
      height: 460,
      controls: h("div", { class: "tools no-print" }, field(choice()), h("label", { class: "field" }, h("span", {}, t("power.week")), slider)),
      option: (colours, _, size) => weekOption(found, colours, { lineId, week, isPicture: size.isPicture }),
      table: () => {
        const first = week * WEEK_H;
        const rows = seriesOf(found, lineId).map((row) => ({ ...row, values: row.values.slice(first, first + WEEK_H) }));
        return table(rows, t("power.hour"), (at) => hourText(found, first + at));
      },
    });
    const curve = figure({
      id: "power-curve",
      context: own,
      heading: below,
      title: () => t("power.curves"),
      subtitle: () => t("power.curves_told"),
      source,
      height: 460,
      controls: h("div", { class: "tools no-print" }, field(choice())),
      option: (colours, _, size) => curveOption(found, colours, { lineId, isPicture: size.isPicture }),
      table: () => {
        const last = hoursOf(found) - 1;
        const rows = seriesOf(found, lineId).map((row) => {
          const ordered = [...row.values].sort((a, b) => b - a);
          return { ...row, values: Array.from({ length: 101 }, (_, share) => ordered[Math.round((share / 100) * last)]) };
        });
        return table(rows, t("power.hours_share"), (share) => percent(share / 100));
      },
    });
    views.push(weekly, curve);
  }
  if (found.parties.length) {
    const designs = [...new Set(found.parties.map((row) => row.design))];
    let design = designs[0];
    const gains = figure({
      id: "power-gains",
      context: own,
      heading: below,
      title: () => t("power.gains", { line: nameOf(found, found.line_id) }),
      subtitle: () => t("power.gains_told"),
      source,
      height: 120 + 26 * Math.max(4, gainRows(found, design).length),
      controls:
        designs.length > 1
          ? h(
              "div",
              { class: "tools no-print" },
              h(
                "label",
                { class: "field" },
                h("span", {}, t("power.design_label")),
                h(
                  "select",
                  { id: "power-design", onchange: (event) => ((design = event.target.value), gains.draw(null), chartOf(gains.element)?.resize()) },
                  designs.map((name) => h("option", { value: name }, designText(name))),
                ),
              ),
            )
          : null,
      option: (colours, _, size) => gainOption(found, colours, { design, isPicture: size.isPicture }),
      table: () => ({
        columns: [
          { key: "who", label: t("power.who_label") },
          ...PARTIES.map((party) => ({ key: `${party}_musd`, label: t(`power.party.${party}`), digits: 1 })),
          { key: "total_musd", label: t("power.head_all"), digits: 1 },
        ],
        rows: gainRows(found, design),
      }),
    });
    views.push(gains);
  }
  if (found.sweep.length) {
    views.push(
      figure({
        id: "power-sweep",
        context: own,
        heading: below,
        title: () => t("power.sizes", { line: nameOf(found, found.line_id) }),
        subtitle: () =>
          found.pays
            ? t(found.pays.is_beyond ? "power.beyond" : "power.pays", {
                size: number(found.pays.size_mw, 0),
                capital: number(found.terms.cost_usd_per_kw, 0),
                rate_share: found.terms.discount_rate,
                life: number(found.terms.life_years, 0),
                annual: number(found.pays.cost_usd_per_kw_year, 0),
                first: number(found.pays.worth_of_first_usd_per_kw_year, 0),
              })
            : "",
        source,
        height: 380,
        option: (colours, _, size) => sweepOption(found, colours, { isPicture: size.isPicture }),
        table: () => ({
          columns: [
            { key: "capacity_mw", label: t("power.column.capacity_mw"), digits: 0 },
            ...SWEPT.map((key) => ({ key, label: t(`power.swept.${key}`), digits: 1 })),
            { key: "value_usd_per_kw", label: t("power.column.value_usd_per_kw"), digits: 1 },
          ],
          rows: found.sweep,
        }),
      }),
    );
  }
  const element = h(
    "div",
    { class: "crossings" },
    h(level, { id: "power-answer", tabindex: "-1" }, t("power.view_title", { year: found.year, scenario: found.scenario_title })),
    h("p", { class: "soft" }, t("power.how"), found.hours < YEAR_H ? ` ${t("power.first_hours", { hours: found.hours })}` : ""),
    found.draw == null ? null : h("p", { class: "soft", id: "power-storms" }, t("power.storms", { draw: String(found.draw) })),
    views.map((view) => view.element),
    found.worth.length ? tableOf(found, "worth", t("power.worth", { line: nameOf(found, found.line_id) }), "design", found.worth) : null,
    tableOf(found, "zones", t("power.zones_label"), "zone_id", found.zones),
    tableOf(found, "lines", t("power.lines_label"), "line_id", used),
    h("p", { class: "soft small prose-wide" }, t("power.rests")),
  );
  return { element, views, forget: () => views.forEach((view) => view.forget()) };
}
