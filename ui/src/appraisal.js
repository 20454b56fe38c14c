// An appraisal: what a set of measures is worth, to whom, in which years, how sure; where its traffic comes from; its workbook.
import { axis, figure, legend, tip, tooltip } from "./charts.js";
import { button, h } from "./dom.js";
import { saveBlob } from "./download.js";
import { amount, has, number, percent, signed, t } from "./i18n.js";
import { dataTable } from "./tables.js";

const BUILDERS = "builders";
const PARTIES = ["shippers", "consumers", "operators", "states", "neighbours", "climate", "ventures"];
const KINDS = ["normal", "diverted", "generated"];
const MOVED = ["diverted", "generated"]; // what was there before would dwarf them; it stands in the table
const MEMBERS = ["npv_alone_musd", "npv_last_musd"];
const LEAST_MUSD = 0.05;
const LEAST_KT = 0.05;
const MOST_BARS = 16;
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

export const nameOf = (found, id) => found.called[id] ?? String(id).replaceAll("_", " ");
export const placeOf = (country) => (has(`appraisal.${country}`) ? t(`appraisal.${country}`) : country);
const partyOf = (row) => t(`appraisal.party.${row.party}`);
const itemOf = (row) => t(`appraisal.item.${row.item}`);
const sum = (rows, key) => rows.reduce((total, row) => total + (row[key] ?? 0), 0);
const musd = (value) => `${signed(value, 1)} ${t("unit.MUSD")}`;

function grouped(rows, keyOf) {
  const found = new Map();
  for (const row of rows) found.set(keyOf(row), [...(found.get(keyOf(row)) ?? []), row]);
  return found;
}

// What pages of money say of themselves under a saved picture, and what their files are called.
export const ownContext = (context, found, told) => ({
  ...context,
  fileName: (id) => `karvan-${found.corridor}-${found.scenario_id}-${id}`,
  notes: (source) => [
    told,
    source,
    t("picture.case", { version: found.version, corridor: found.corridor_title, edition: found.edition, hash: found.corridor_hash.slice(0, 12) }),
  ],
});

const WIDE = 1000;
const NARROW = 640;

/** How names stand beside bars that lie: in lines that leave room for the bars. */
export const namesIn = (room) => ({ width: room < NARROW ? 116 : 230, overflow: "break", lineHeight: 13 });

/** Bars that lie, one row each; `series` gives name, values and perhaps a colour of their own by row. */
export function lyingOption(colours, { names, series, isPicture, isStacked = false, digits = 1, unit = t("unit.MUSD"), room = WIDE }) {
  const decals = [{ symbol: "none" }, { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 }];
  const hasLegend = series.length > 1;
  return {
    grid: { left: 8, right: 28, top: 10, bottom: (hasLegend ? 70 : 44) + (isPicture ? 10 : 0), containLabel: true },
    legend: hasLegend ? legend(colours, { icon: "roundRect", itemHeight: 9, data: series.map((row) => row.name) }) : undefined,
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) =>
        tip(
          items[0].axisValue,
          items.map((item) => `${item.seriesName}: ${number(item.value, digits)} ${unit}`),
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
      splitLine: { show: false },
      axisLabel: { color: colours.ink, fontSize: isPicture ? 11 : 12, interval: 0, ...namesIn(room) },
    }),
    series: series.map((row, at) => ({
      name: row.name,
      type: "bar",
      stack: isStacked ? "all" : undefined,
      barMaxWidth: 18,
      data: row.values,
      itemStyle: { color: row.colour ?? colours.series[at], decal: decals[at % 2] },
    })),
  };
}

// What gains and what loses in two colours, so that a sign is not read off a line alone.
const signedSeries = (colours, values) => [
  { name: t("money.gains"), values: values.map((value) => Math.max(value, 0)), colour: colours.series[0] },
  { name: t("money.loses"), values: values.map((value) => Math.min(value, 0)), colour: colours.series[1] },
];

function partyRows(found) {
  const groups = grouped(found.parties, (row) => `${row.party}|${row.item}`);
  return [...groups.values()]
    .map((rows) => ({ ...rows[0], npv_musd: sum(rows, "npv_musd") }))
    .filter((row) => Math.abs(row.npv_musd) >= LEAST_MUSD);
}

function countryRows(found) {
  const groups = grouped(
    found.parties.filter((row) => row.party !== BUILDERS),
    (row) => row.country,
  );
  return [...groups.entries()]
    .map(([country, rows]) => ({ country: placeOf(country), npv_musd: sum(rows, "npv_musd") }))
    .filter((row) => Math.abs(row.npv_musd) >= LEAST_MUSD)
    .sort((a, b) => b.npv_musd - a.npv_musd);
}

function yearOption(found, colours, { isPicture }) {
  const years = found.flows.map((row) => row.year);
  const byParty = PARTIES.map((party) => ({
    name: t(`appraisal.party.${party}`),
    values: years.map((year) => sum(found.yearly.filter((row) => row.year === year && row.party === party), "gain_musd")),
  })).filter((row) => row.values.some((value) => Math.abs(value) >= LEAST_MUSD));
  const costs = [
    { name: t("appraisal.item.building"), values: found.flows.map((row) => -row.capital_musd) },
    { name: t("appraisal.item.upkeep"), values: found.flows.map((row) => -row.running_musd) },
    { name: t("appraisal.item.residual value"), values: found.flows.map((row) => row.residual_musd) },
  ];
  const decals = [{ symbol: "none" }, { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 }];
  const bars = [...byParty, ...costs].map((row, at) => ({
    name: row.name,
    type: "bar",
    stack: "year",
    barMaxWidth: 24,
    data: row.values,
    itemStyle: { color: colours.series[at % colours.series.length], decal: decals[at >= byParty.length ? 1 : 0] },
  }));
  const net = {
    name: t("money.net"),
    type: "line",
    data: found.flows.map((row) => row.net_musd),
    symbol: "none",
    lineStyle: { color: colours.ink, width: 2 },
    itemStyle: { color: colours.ink },
  };
  return {
    grid: { left: 58, right: 14, top: 34, bottom: isPicture ? 110 : 104 },
    legend: legend(colours, { itemGap: 8, itemHeight: 9, data: [...bars, net].map((row) => row.name) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) =>
        tip(
          items[0].axisValue,
          items.filter((item) => Math.abs(item.value) >= LEAST_MUSD).map((item) => `${item.seriesName}: ${musd(item.value)}`),
        ),
    },
    xAxis: axis(colours, { type: "category", data: years.map(String), splitLine: { show: false }, axisLabel: { color: colours.soft, hideOverlap: true } }),
    yAxis: axis(colours, {
      type: "value",
      name: t("unit.MUSD"),
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -46] },
      axisLabel: { color: colours.soft, formatter: (value) => amount(value) },
    }),
    series: [...bars, net],
  };
}

function trafficRows(found, year) {
  const groups = grouped(
    found.traffic.filter((row) => row.year === year),
    (row) => row.to_family,
  );
  return [...groups.entries()]
    .map(([family, rows]) => ({
      family,
      ...Object.fromEntries(KINDS.map((kind) => [kind, sum(rows.filter((row) => row.kind === kind), "flow_kt")])),
    }))
    .filter((row) => row.diverted + row.generated >= LEAST_KT)
    .sort((a, b) => b.diverted + b.generated - a.diverted - a.generated)
    .slice(0, MOST_BARS);
}

const rate = (value) => (value === null ? t("money.none") : percent(value, 1));
const ratio = (value) => (value === null ? t("money.none") : number(value, 2));

function bankRows(found) {
  return [
    ["npv", number(found.npv_musd, 1)],
    ["npv_queue", number(found.npv_queue_musd, 1)],
    ["err", rate(found.err_share)],
    ["bcr", ratio(found.bcr_ratio)],
    ["first_year", rate(found.first_year_share)],
    ["payback", found.payback_year_count === null ? t("money.none") : number(found.payback_year_count, 0)],
    ["switch_gains", ratio(found.switching.benefits)],
    ["switch_costs", ratio(found.switching.costs)],
    ["residual", number(found.residual_musd, 1)],
    ["wider", number(sum(found.wider, "npv_musd"), 1)],
    ["estimated", percent(found.estimated_capital_share)],
  ].map(([key, value]) => ({ name: t(`money.bank.${key}`), value }));
}

/** A table of operators that earn by what is built, as an appraisal and a portfolio in the full loop tell it. */
export const sponsorColumns = () => [
  { key: "name", label: t("money.sponsor") },
  ...[
    ["capital_musd", 1],
    ["npv_musd", 1],
    ["firr_share", null],
    ["npv_without_rent_musd", 1],
    ["firr_without_rent_share", null],
    ["debt_cover_ratio", 2],
    ["grant_musd", 1],
    ["charge_musd_per_year", 1],
  ].map(([key, digits]) =>
    digits === null
      ? { key, label: t(`money.column.${key}`), isNumber: true, show: (value) => percent(value, 1) }
      : { key, label: t(`money.column.${key}`), digits },
  ),
];

/** That what a joint venture is worth is an estimate, and how that follows. */
export const ventureText = (row) =>
  t("plan.venture_estimate", {
    name: row.title,
    value: number(row.stated_musd_per_year, 1),
    low: number(row.stated_low_musd_per_year, 1),
    high: number(row.stated_high_musd_per_year, 1),
    share: percent(row.counted_share),
    basis: row.basis ?? "",
  });

const answerNames = (names) => names.map((name) => t(`full.${name}`)).join(", ");

// What answers beside delays, what of it did not settle, and which benefits are estimates.
function toldBeside(found) {
  const rest = [...new Set(found.settled.filter((row) => !row.is_settled).map((row) => `${t(`full.${row.answer}`)} ${row.year}`))];
  return [
    found.answers.length ? t("appraisal.answers", { names: answerNames(found.answers) }) : null,
    rest.length ? t("appraisal.unsettled", { names: rest.join(", ") }) : null,
    ...found.ventures.filter((row) => row.is_estimate).map(ventureText),
  ].filter(Boolean);
}

// Gives the element and the views to draw, as every room does.
export function appraisalView(context, found, { level = "h2" } = {}) {
  const below = `h${Number(level[1]) + 1}`;
  const titles = found.measure_ids.map((id) => nameOf(found, id));
  const own = ownContext(context, found, t("money.picture", { names: titles.join(", "), scenario: found.scenario_title }));
  const source = t("money.source", { first_year: found.from_year, last_year: found.last_year, rate: percent(found.rate_share, 1) });
  const drawn = (id, more) => figure({ id: `money-${id}`, context: own, heading: below, source, subtitle: () => t(`money.${id}_told`), title: () => t(`money.${id}`), ...more });
  const years = [...found.sample_years];
  let year = years.at(-1);
  const parties = partyRows(found);
  const countries = countryRows(found);
  const views = [
    drawn("parties", {
      height: 110 + 26 * Math.max(3, parties.length),
      option: (colours, _, size) =>
        lyingOption(colours, {
          names: parties.map((row) => `${partyOf(row)}: ${itemOf(row)}`),
          series: signedSeries(colours, parties.map((row) => row.npv_musd)),
          isPicture: size.isPicture, room: size.width,
          isStacked: true,
        }),
      table: () => ({
        columns: [
          { key: "who", label: t("money.party") },
          { key: "what", label: t("money.item") },
          { key: "where", label: t("money.country") },
          { key: "npv_musd", label: t("money.column.present_musd"), digits: 2 },
        ],
        rows: found.parties.map((row) => ({ ...row, who: partyOf(row), what: itemOf(row), where: placeOf(row.country) })),
      }),
    }),
    drawn("countries", {
      height: 110 + 26 * Math.max(3, Math.min(MOST_BARS, countries.length)),
      option: (colours, _, size) => {
        const kept = [...countries].sort((a, b) => Math.abs(b.npv_musd) - Math.abs(a.npv_musd)).slice(0, MOST_BARS);
        kept.sort((a, b) => b.npv_musd - a.npv_musd);
        return lyingOption(colours, {
          names: kept.map((row) => row.country),
          series: signedSeries(colours, kept.map((row) => row.npv_musd)),
          isPicture: size.isPicture, room: size.width,
          isStacked: true,
        });
      },
      table: () => ({
        columns: [
          { key: "country", label: t("money.country") },
          { key: "npv_musd", label: t("money.column.present_musd"), digits: 2 },
        ],
        rows: countries,
      }),
    }),
    drawn("years", {
      height: 440,
      option: (colours, _, size) => yearOption(found, colours, { isPicture: size.isPicture }),
      table: () => ({
        columns: [
          { key: "year", label: t("column.year"), isNumber: true, show: String },
          ...PARTIES.map((party) => ({ key: party, label: t(`appraisal.party.${party}`), digits: 2 })),
          ...["benefit", "capital", "running", "residual", "net"].map((key) => ({ key: `${key}_musd`, label: t(`money.column.${key}_musd`), digits: 2 })),
        ],
        rows: found.flows.map((row) => ({
          ...row,
          ...Object.fromEntries(PARTIES.map((party) => [party, sum(found.yearly.filter((each) => each.year === row.year && each.party === party), "gain_musd")])),
        })),
      }),
    }),
    drawn("tests", {
      height: 110 + 26 * found.tests.length,
      option: (colours, _, size) =>
        lyingOption(colours, {
          names: found.tests.map((row) => t(`appraisal.test.${row.test}`)),
          series: signedSeries(colours, found.tests.map((row) => row.npv_musd)),
          isPicture: size.isPicture, room: size.width,
          isStacked: true,
        }),
      table: () => ({
        columns: [
          { key: "name", label: t("money.test") },
          { key: "npv_musd", label: t("money.column.present_musd"), digits: 1 },
          { key: "err_share", label: t("money.bank.err"), isNumber: true, show: rate },
        ],
        rows: found.tests.map((row) => ({ ...row, name: t(`appraisal.test.${row.test}`) })),
      }),
    }),
  ];
  if (found.members.length) {
    views.push(
      drawn("members", {
        height: 130 + 44 * found.members.length,
        option: (colours, _, size) =>
          lyingOption(colours, {
            names: found.members.map((row) => nameOf(found, row.measure_id)),
            series: MEMBERS.map((key) => ({ name: t(`money.column.${key}`), values: found.members.map((row) => row[key]) })),
            isPicture: size.isPicture, room: size.width,
          }),
        table: () => ({
          columns: [{ key: "name", label: t("money.measure") }, ...MEMBERS.map((key) => ({ key, label: t(`money.column.${key}`), digits: 1 }))],
          rows: found.members.map((row) => ({ ...row, name: nameOf(found, row.measure_id) })),
        }),
      }),
    );
  }
  const mostRows = Math.max(...years.map((each) => trafficRows(found, each).length));
  if (mostRows > 0) {
    const traffic = drawn("traffic", {
      height: 130 + 28 * Math.max(3, mostRows),
      controls: h(
        "div",
        { class: "tools no-print" },
        h(
          "label",
          { class: "field" },
          h("span", {}, t("column.year")),
          h(
            "select",
            { id: "money-traffic-year", onchange: (event) => ((year = Number(event.target.value)), traffic.draw(null)) },
            years.map((each) => h("option", { value: each, selected: each === year }, String(each))),
          ),
        ),
      ),
      option: (colours, _, size) => {
        const rows = trafficRows(found, year);
        return lyingOption(colours, {
          names: rows.map((row) => nameOf(found, row.family)),
          series: MOVED.map((kind) => ({ name: t(`money.kind.${kind}`), values: rows.map((row) => row[kind]) })),
          isPicture: size.isPicture, room: size.width,
          isStacked: true,
          digits: 1,
          unit: t("unit.kt"),
        });
      },
      table: () => ({
        columns: [
          { key: "family", label: t("money.route") },
          { key: "what", label: t("money.kind") },
          { key: "from", label: t("money.from") },
          { key: "flow_kt", label: t("unit.kt"), digits: 1 },
        ],
        rows: found.traffic
          .filter((row) => row.year === year)
          .map((row) => ({
            ...row,
            family: nameOf(found, row.to_family),
            what: t(`money.kind.${row.kind}`),
            from: row.from_family ? nameOf(found, row.from_family) : "",
          })),
      }),
    });
    views.push(traffic);
  }
  const table = (id, columns, rows) =>
    h("div", { class: "card" }, dataTable({ id: `table-money-${id}`, caption: t(`money.table.${id}`), columns, rows, fileName: own.fileName(`money-${id}`) }).element);
  const plain = (keys) => keys.map(([key, digits]) => ({ key, label: t(`money.column.${key}`), digits }));
  const share = (key) => ({ key, label: t(`money.column.${key}`), isNumber: true, show: (value) => percent(value) });
  const yearColumn = (key, label) => ({ key, label, isNumber: true, show: String });
  const builders = sum(
    found.parties.filter((row) => row.party === BUILDERS),
    "npv_musd",
  );
  const element = h(
    "div",
    { class: "crossings" },
    h(level, { id: "money-answer", tabindex: "-1" }, t("money.view_title", { names: titles.join(", ") })),
    h(
      "p",
      { class: "soft prose-wide" },
      t("appraisal.title", {
        names: titles.join(", "),
        scenario: found.scenario_title,
        first_year: found.from_year,
        last_year: found.last_year,
        rate_share: percent(found.rate_share, 1),
        rate: found.rate_id,
      }),
      " ",
      t("appraisal.npv", { npv: number(found.npv_musd, 1), gain: number(found.npv_musd - builders, 1), cost: number(-builders, 1) }),
      " ",
      found.plain_npv_musd === null ? null : [t("appraisal.npv_plain", { plain: number(found.plain_npv_musd, 1) }), " "],
      t("appraisal.npv_queue", { npv: number(found.npv_queue_musd, 1) }),
    ),
    toldBeside(found).map((text) => h("p", { class: "soft small prose-wide" }, text)),
    found.workbook
      ? h(
          "div",
          { class: "tools no-print" },
          button(t("money.workbook"), () => saveBlob(`${own.fileName("bank")}.xlsx`, new Blob([Uint8Array.from(atob(found.workbook), (sign) => sign.charCodeAt(0))], { type: XLSX })), { id: "money-workbook" }),
          h("span", { class: "soft small" }, t("money.workbook_told")),
        )
      : null,
    table("bank", [{ key: "name", label: t("money.measured") }, { key: "value", label: t("money.value"), isNumber: true, show: String }], bankRows(found)),
    views.map((view) => view.element),
    table(
      "costs",
      [
        { key: "name", label: t("money.measure") },
        ...plain([
          ["capital_musd", 0],
          ["low_musd", 0],
          ["high_musd", 0],
          ["running_musd_per_year", 1],
        ]),
        yearColumn("open_year", t("money.column.open_year")),
        share("overrun_share"),
        share("delay_share"),
        { key: "basis", label: t("money.basis") },
      ],
      found.costs.map((row) => ({
        ...row,
        name: nameOf(found, row.measure_id),
        basis: t(row.is_estimate ? "money.by_class" : "money.published"),
      })),
    ),
    found.sponsors.length ? table("sponsors", sponsorColumns(), found.sponsors.map((row) => ({ ...row, name: nameOf(found, row.operator_id) }))) : null,
    table(
      "emissions",
      [yearColumn("year", t("column.year")), ...plain([["gross_kt", 1], ["net_kt", 2]])],
      found.emissions,
    ),
    table(
      "fiscal",
      [yearColumn("year", t("column.year")), { key: "where", label: t("money.country") }, ...plain([["gain_musd", 2]])],
      found.fiscal.filter((row) => Math.abs(row.gain_musd) >= 0.005).map((row) => ({ ...row, where: placeOf(row.country) })),
    ),
    h("p", { class: "soft small prose-wide" }, t("money.rests", { years: found.sample_years.join(", ") })),
  );
  return { element, views, forget: () => views.forEach((view) => view.forget()) };
}
