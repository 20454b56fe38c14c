// A portfolio: which measure starts when and who pays, budgets by year, what each is worth first and last, ranking, what comes next.
import { lyingOption, nameOf, namesIn, ownContext, placeOf, sponsorColumns, ventureText } from "./appraisal.js";
import { axis, figure, legend, tip, tooltip } from "./charts.js";
import { h } from "./dom.js";
import { amount, number, percent, t } from "./i18n.js";
import { dataTable } from "./tables.js";

const OTHERS = "others";
const WORTHS = ["first_musd", "last_musd"];
const SAME_SHARE = 1e-6;
const FULL = ["delays_musd", "trade_musd", "tariffs_musd", "full_musd"];

const fundOf = (found, id) => (id === OTHERS ? t("plan.others") : nameOf(found, id));
const fundsOf = (found) => [...new Set(found.budgets.map((row) => row.fund_id))];
const payersOf = (found, id) => {
  const names = found.candidates.find((row) => row.measure_id === id)?.funds.split(";").filter(Boolean) ?? [];
  return names.map((name) => fundOf(found, name)).join(", ") || t("plan.others");
};

function timelineOption(found, colours, { isPicture, width }) {
  const rows = found.chosen;
  const last = Math.max(found.to_year, ...rows.map((row) => row.open_year)) + 1;
  const spans = [
    { name: t("money.building"), values: rows.map((row) => row.open_year - row.start_year), colour: colours.series[1], decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 } },
    { name: t("money.open"), values: rows.map((row) => last - row.open_year), colour: colours.series[0], decal: { symbol: "none" } },
  ];
  const span = (data, more) => ({ type: "bar", stack: "time", barMaxWidth: 18, data, ...more });
  return {
    grid: { left: 8, right: 28, top: 10, bottom: isPicture ? 70 : 60, containLabel: true },
    legend: legend(colours, { icon: "roundRect", itemHeight: 9, data: spans.map((row) => row.name) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) => {
        const row = rows[items[0].dataIndex];
        return tip(nameOf(found, row.measure_id), [
          t("money.started", { start_year: row.start_year, open_year: row.open_year }),
          `${number(row.capital_musd, 0)} ${t("unit.MUSD")}`,
          payersOf(found, row.measure_id),
        ]);
      },
    },
    xAxis: axis(colours, {
      type: "value",
      min: found.from_year,
      max: last,
      minInterval: 1,
      axisLabel: { color: colours.soft, hideOverlap: true, formatter: String },
    }),
    yAxis: axis(colours, {
      type: "category",
      inverse: true,
      data: rows.map((row) => nameOf(found, row.measure_id)),
      splitLine: { show: false },
      axisLabel: { color: colours.ink, fontSize: isPicture ? 11 : 12, interval: 0, ...namesIn(width) },
    }),
    series: [
      span(rows.map((row) => row.start_year), { name: "", itemStyle: { color: "transparent" }, silent: true }),
      ...spans.map((row) => span(row.values, { name: row.name, itemStyle: { color: row.colour, decal: row.decal } })),
    ],
  };
}

function budgetOption(found, colours, { width }) {
  const years = [...new Set(found.budgets.map((row) => row.year))];
  const funds = fundsOf(found);
  const of = (fund, key) => years.map((year) => found.budgets.find((row) => row.fund_id === fund && row.year === year)?.[key] ?? null);
  const limited = funds.filter((fund) => of(fund, "budget_musd").some((value) => value !== null));
  const decals = [{ symbol: "none" }, { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8 }];
  const series = [
    ...funds.map((fund, at) => ({
      name: t("money.spent_of", { fund: fundOf(found, fund) }),
      type: "bar",
      stack: "spent",
      barMaxWidth: 30,
      data: of(fund, "spent_musd"),
      itemStyle: { color: colours.series[at], decal: decals[at % 2] },
    })),
    ...limited.map((fund) => ({
      name: t("money.left_of", { fund: fundOf(found, fund) }),
      type: "line",
      data: of(fund, "left_musd"),
      symbolSize: 6,
      lineStyle: { color: colours.series[funds.indexOf(fund)], width: 2, type: funds.indexOf(fund) % 2 ? [7, 4] : "solid" },
      itemStyle: { color: colours.series[funds.indexOf(fund)] },
    })),
  ];
  return {
    grid: { left: 58, right: 14, top: 34, bottom: 40 + (width < 640 ? 44 : 29) * series.length },
    legend: legend(colours, {
      orient: "vertical",
      itemHeight: 9,
      data: series.map((row) => row.name),
      textStyle: { color: colours.ink, width: width - 60, overflow: "break", lineHeight: 15 },
    }),
    tooltip: {
      ...tooltip(colours),
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items) =>
        tip(
          items[0].axisValue,
          items.map((item) => `${item.seriesName}: ${number(item.value, 1)} ${t("unit.MUSD")}`),
        ),
    },
    xAxis: axis(colours, { type: "category", data: years.map(String), splitLine: { show: false } }),
    yAxis: axis(colours, {
      type: "value",
      name: t("unit.MUSD"),
      nameLocation: "end",
      nameTextStyle: { color: colours.soft, align: "left", padding: [0, 0, 0, -46] },
      axisLabel: { color: colours.soft, formatter: (value) => amount(value) },
    }),
    series,
  };
}

function rankingText(found) {
  if (found.ranking_musd === null || !found.objectives.length) return "";
  const more = found.objectives[0].welfare_musd - found.ranking_musd;
  if (more <= SAME_SHARE * Math.abs(found.value_musd)) return t("plan.same");
  const told = { value: number(found.ranking_musd, 1), gain: number(more, 1) };
  if (found.ranking_musd <= 0) return t("plan.ranking_loses", told);
  return t("plan.ranking", { ...told, gain_share: percent(more / found.ranking_musd, 1) });
}

// As of sponsors in an appraisal, with the economic return as the last one built.
const bankColumns = (measure, number1) => [
  measure,
  ...["err_share", "firr_share"].map((key) => ({ key, label: t(`money.column.${key}`), isNumber: true, show: (value) => percent(value, 1) })),
  number1("debt_cover_ratio", 2),
  number1("grant_musd"),
  number1("charge_musd_per_year"),
  { key: "fund_share", label: t("money.column.fund_share"), isNumber: true, show: (value) => percent(value, 1) },
];

const musd = (value) => (value === null ? "–" : number(value, 1));

// Why ranking one by one differs, one sentence for each measure.
const reasonText = (found, row) =>
  t(`plan.reason.${row.why}`, {
    name: nameOf(found, row.measure_id),
    alone: musd(row.alone_musd),
    last: musd(row.last_musd),
    start_year: row.start_year ?? "–",
    ranking_year: row.ranking_year ?? "–",
  });

const answerText = (found) => {
  const values = { value: number(found.value_musd, 1), bound: number(found.bound_musd, 1) };
  if (found.objective !== "fund") return t("plan.answer", { ...values, gap_share: percent(found.gap_share, 2) });
  return t("plan.fund_answer", { ...values, fund: number(found.objectives[1].fund_musd, 1), rate_share: percent(found.fund_rate_share, 1) });
};

const powerText = (row) => t("plan.power", { year: row.year, gain: musd(row.gain_musd), unserved: musd(row.unserved_musd), border: musd(row.border_musd), co2: musd(row.co2_musd) });

// Answers with their years, such as "tariffs 2035, 2040; trade 2030".
const unsettledText = (text) => (text ?? "").replace(/(^|; )([a-z]+) /g, (_, before, name) => `${before}${t(`full.${name}`)} `);

// What the full loop leaves out for all, where something did not settle for one.
const lessText = (found) =>
  found.next_best.some((row) => row.unsettled) ? ` ${t("plan.full_less", { answers: found.full_answers.map((name) => t(`full.${name}`)).join(", ") })}` : "";

function fundRows(found) {
  return fundsOf(found).map((fund) => {
    const rows = found.budgets.filter((row) => row.fund_id === fund);
    const total = (key) => (rows.some((row) => row[key] !== null) ? rows.reduce((sum, row) => sum + (row[key] ?? 0), 0) : null);
    return {
      name: fundOf(found, fund),
      budget_musd: total("budget_musd"),
      spent_musd: total("spent_musd"),
      left_musd: rows.at(-1).left_musd,
      more_musd: found.more.find((row) => row.fund_id === fund)?.gain_musd ?? null,
    };
  });
}

// Gives the element and the views to draw, as every room does.
export function planView(context, found, { level = "h2" } = {}) {
  const below = `h${Number(level[1]) + 1}`;
  const own = ownContext(context, found, t("money.plan_picture", { first_year: found.from_year, last_year: found.to_year, scenario: found.scenario_title }));
  const source = t("money.plan_source", { gap: percent(found.gap_share, 2), rate: percent(found.rate_share, 1) });
  const drawn = (id, more) => figure({ id: `plan-${id}`, context: own, heading: below, source, subtitle: () => t(`money.plan_${id}_told`), title: () => t(`money.plan_${id}`), ...more });
  const number1 = (key, digits = 1) => ({ key, label: t(`money.column.${key}`), digits });
  const yearColumn = (key) => ({ key, label: t(`money.column.${key}`), isNumber: true, show: String });
  const measure = { key: "name", label: t("money.measure") };
  const named = (rows) => rows.map((row) => ({ ...row, name: nameOf(found, row.measure_id) }));
  const views = [];
  if (found.chosen.length) {
    views.push(
      drawn("timeline", {
        height: 110 + 30 * Math.max(3, found.chosen.length),
        option: (colours, _, size) => timelineOption(found, colours, size),
        table: () => ({
          columns: [measure, yearColumn("start_year"), yearColumn("open_year"), number1("capital_musd"), { key: "payers", label: t("money.payers"), isLong: true }],
          rows: named(found.chosen).map((row) => ({ ...row, payers: payersOf(found, row.measure_id) })),
        }),
      }),
    );
  }
  views.push(
    drawn("budgets", {
      height: 460,
      option: (colours, _, size) => budgetOption(found, colours, size),
      table: () => ({
        columns: [{ key: "name", label: t("money.fund") }, { key: "year", label: t("column.year"), isNumber: true, show: String }, number1("budget_musd"), number1("spent_musd"), number1("left_musd")],
        rows: found.budgets.map((row) => ({ ...row, name: fundOf(found, row.fund_id) })),
      }),
    }),
  );
  if (found.chosen.length) {
    views.push(
      drawn("worth", {
        height: 130 + 44 * Math.max(2, found.chosen.length),
        option: (colours, _, size) =>
          lyingOption(colours, {
            names: found.chosen.map((row) => nameOf(found, row.measure_id)),
            series: WORTHS.map((key) => ({ name: t(`money.column.${key}`), values: found.chosen.map((row) => row[key]) })),
            isPicture: size.isPicture,
            room: size.width,
          }),
        table: () => ({ columns: [measure, ...WORTHS.map((key) => number1(key))], rows: named(found.chosen) }),
      }),
    );
  }
  const table = (id, columns, rows) =>
    h("div", { class: "card" }, dataTable({ id: `table-plan-${id}`, caption: t(`money.table.${id}`), columns, rows, fileName: own.fileName(`plan-${id}`) }).element);
  const inPlan = new Set(found.chosen.map((row) => row.measure_id));
  // A portfolio is told as ids with years, joined by commas.
  const spelled = (text) =>
    text
      .split(", ")
      .filter(Boolean)
      .map((part) => part.replace(/^(\S+) (\d+)$/, (_, id, year) => `${nameOf(found, id)} (${year})`))
      .join(", ");
  const hasFull = found.full_answers.length > 0;
  const benefitOf = (id) => (found.ventures.some((row) => row.is_estimate && row.measure_id === id) ? `; ${t("money.benefit_estimate")}` : "");
  const element = h(
    "div",
    { class: "crossings" },
    h(level, { id: "money-answer", tabindex: "-1" }, t("money.plan_title", { first_year: found.from_year, last_year: found.to_year })),
    h(
      "p",
      { class: "soft prose-wide" },
      answerText(found),
      found.chosen.length ? "" : ` ${t("plan.nothing")}`,
      " ",
      rankingText(found),
    ),
    found.untold.length ? h("p", { class: "soft small prose-wide" }, t("plan.untold", { names: found.untold.map((name) => t(`plan.untold.${name}`)).join(", ") })) : null,
    found.parts.length
      ? h("p", { class: "soft small prose-wide" }, t("plan.parts", { parts: found.parts.map((row) => t(`plan.part.${row.part}`, { value: number(row.npv_musd, 1) })).join("; ") }))
      : null,
    found.power.map((row) => h("p", { class: "soft small prose-wide" }, powerText(row))),
    found.ventures.filter((row) => row.is_estimate && inPlan.has(row.measure_id)).map((row) => h("p", { class: "soft small prose-wide" }, ventureText(row))),
    views.map((view) => view.element),
    found.complements.length
      ? h(
          "div",
          { class: "card" },
          h(below, {}, t("money.complements")),
          found.complements.map((row) =>
            h(
              "p",
              {},
              t("plan.complement", {
                one: nameOf(found, row.measure_id),
                other: nameOf(found, row.with_measure_id),
                together: number(row.together_musd_per_year, 1),
                apart: number(row.apart_musd_per_year, 1),
              }),
            ),
          ),
        )
      : null,
    found.reasons.length ? h("div", { class: "card" }, h(below, {}, t("money.reasons")), found.reasons.map((row) => h("p", {}, reasonText(found, row)))) : null,
    found.objectives.length
      ? table(
          "objectives",
          [{ key: "aim", label: t("money.aim") }, number1("welfare_musd"), number1("fund_musd"), { key: "measures", label: t("money.measures"), isLong: true }],
          found.objectives.map((row) => ({ ...row, aim: t(`plan.objective.${row.objective}`), measures: spelled(row.measures) })),
        )
      : null,
    found.bank.length ? table("bank_of_plan", bankColumns(measure, number1), named(found.bank)) : null,
    table("funds", [{ key: "name", label: t("money.fund") }, number1("budget_musd"), number1("spent_musd"), number1("left_musd"), number1("more_musd")], fundRows(found)),
    table(
      "next",
      [
        { key: "rank", label: t("money.rank"), show: String },
        number1("value_musd"),
        ...(hasFull ? [...FULL.map((key) => number1(key)), { key: "rest", label: t("money.column.unsettled") }] : []),
        { key: "measures", label: t("money.measures"), isLong: true },
      ],
      found.next_best.map((row) => ({ ...row, measures: spelled(row.measures), rest: unsettledText(row.unsettled) })),
    ),
    hasFull ? h("p", { class: "soft small prose-wide" }, t("plan.full_told"), lessText(found)) : null,
    table(
      "ranking",
      [measure, yearColumn("start_year"), number1("alone_musd"), { key: "chosen", label: t("money.in_plan") }],
      named(found.ranking).map((row) => ({ ...row, chosen: t(inPlan.has(row.measure_id) ? "money.yes" : "money.no") })),
    ),
    table(
      "candidates",
      [measure, number1("capital_musd", 0), number1("low_musd", 0), number1("high_musd", 0), number1("gain_musd_per_year"), number1("alone_musd"), { key: "payers", label: t("money.payers"), isLong: true }, { key: "basis", label: t("money.basis") }],
      named(found.candidates).map((row) => ({ ...row, payers: payersOf(found, row.measure_id), basis: `${t(row.is_estimate ? "money.by_class" : "money.published")}${benefitOf(row.measure_id)}` })),
    ),
    found.appraised_musd === null ? null : h("p", { class: "soft small prose-wide" }, t("plan.appraised", { value: found.appraised_musd })),
    found.countries.length
      ? table(
          "countries",
          [{ key: "country", label: t("money.country") }, number1("gain_musd"), number1("paid_musd")],
          found.countries.map((row) => ({ ...row, country: placeOf(row.country) })),
        )
      : null,
    found.split.length
      ? table(
          "split",
          [{ key: "fund", label: t("money.fund") }, { key: "partner", label: t("money.partner") }, ...["gain_musd", "paid_musd", "net_musd", "payment_musd"].map((key) => number1(key))],
          found.split.map((row) => ({ ...row, fund: fundOf(found, row.fund_id), partner: nameOf(found, row.partner_id) })),
        )
      : null,
    found.sponsors.length ? table("sponsors", sponsorColumns(), found.sponsors.map((row) => ({ ...row, name: nameOf(found, row.operator_id) }))) : null,
    found.sectors.map((row) =>
      h(
        "p",
        { class: "soft small prose-wide" },
        t("plan.sector", {
          fund: fundOf(found, row.fund_id),
          sectors: row.sectors.replaceAll(";", ", "),
          least: percent(row.least_share),
          most: percent(row.most_share),
          spent: row.spent_share === null ? "–" : percent(row.spent_share),
        }),
      ),
    ),
    found.ventures.length
      ? table(
          "ventures",
          [
            { key: "title", label: t("money.venture") },
            number1("capital_musd", 0),
            ...["stated_musd_per_year", "stated_low_musd_per_year", "stated_high_musd_per_year"].map((key) => number1(key)),
            { key: "counted_share", label: t("money.column.counted_share"), isNumber: true, show: (value) => (value === null ? "–" : percent(value)) },
            { key: "kind", label: t("money.venture_kind") },
            { key: "basis", label: t("money.venture_basis"), isLong: true },
          ],
          found.ventures.toSorted((a, b) => b.is_valued - a.is_valued).map((row) => ({ ...row, kind: t(`money.venture_${!row.is_valued ? "none" : row.is_estimate ? "estimated" : "published"}`) })),
        )
      : null,
    found.left_out.length ? h("p", { class: "soft small prose-wide" }, t("plan.left_out", { names: found.left_out.map((row) => nameOf(found, row.measure_id)).join(", ") })) : null,
    h(
      "p",
      { class: "soft small prose-wide" },
      found.estimated_capital_share > 0 ? t("plan.estimated", { share: percent(found.estimated_capital_share) }) : t("plan.no_estimated"),
      " ",
      t("plan.solved", { count: found.solved_count, years: found.sample_years.join(", ") }),
    ),
  );
  return { element, views, forget: () => views.forEach((view) => view.forget()) };
}
