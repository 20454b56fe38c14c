// Tariffs apart and together: what a way pays whom, what each regime carries and is worth, who gains, which payments keep all in.
import { ofAnswer } from "./answered.js";
import { barsHeight, barsOption } from "./bars.js";
import { figure } from "./charts.js";
import { h } from "./dom.js";
import { number, t } from "./i18n.js";
import { dataTable } from "./tables.js";

const REGIMES = ["national", "nash", "through", "welfare"];
const SHARES = ["national", "through", "bargained", "shapley"];
const OUTSIDE = ["shippers", "other_owners"];
const MOST_PAID = 5;

const nameOf = (found, id) => (OUTSIDE.includes(id) ? t(`tariffs.party.${id}`) : (found.called[id] ?? id));
const regimeName = (regime) => t(`tariffs.regime.${regime}`);
const inYear = (found, name, year) => found[name].filter((row) => row.year === year);
const ofRegime = (rows, regime) => rows.find((row) => row.regime === regime);

// Ways that were asked for most, each with what it pays to whom in each regime, in the order of the way.
function waysOf(found, year) {
  const ways = new Map();
  for (const row of inYear(found, "stack", year)) {
    const id = `${row.market_id} ${row.from_node} ${row.to_node}`;
    if (!ways.has(id)) ways.set(id, { id, from: row.from_node, to: row.to_node, flow_kt: row.flow_kt, perTeu: row.teu_per_t, paid: new Map() });
    const way = ways.get(id);
    const who = row.administration_id ?? row.operator_id;
    const before = way.paid.get(who) ?? Object.fromEntries(REGIMES.map((regime) => [regime, 0]));
    for (const regime of REGIMES) before[regime] += row[`${regime}_usd_per_t`] / (row.teu_per_t || 1);
    way.paid.set(who, before);
  }
  return [...ways.values()];
}

// The payees that matter most, in the order of the way, and the others as one.
function payees(way) {
  const all = [...way.paid].map(([who, values]) => ({ who, values, most: Math.max(...Object.values(values)) }));
  const main = new Set(
    all
      .toSorted((a, b) => b.most - a.most)
      .slice(0, MOST_PAID)
      .map((row) => row.who),
  );
  const rest = all.filter((row) => !main.has(row.who));
  const summed = Object.fromEntries(REGIMES.map((regime) => [regime, rest.reduce((sum, row) => sum + row.values[regime], 0)]));
  return [...all.filter((row) => main.has(row.who)), ...(rest.length ? [{ who: null, values: summed }] : [])];
}

const wayText = (found, way) => t("trading.way", { from: nameOf(found, way.from), to: nameOf(found, way.to), flow: number(way.flow_kt, 0) });
const wayUnit = (way) => t(way.perTeu ? "unit.usd_per_teu" : "unit.usd_per_t");

// Tonnes or boxes, revenue and welfare, each in a panel of its own.
const MEASURED = [
  { key: (rows) => (rows.some((row) => row.containers_teu > 0) ? "containers_teu" : "carried_kt"), digits: 0 },
  { key: () => "revenue_musd", digits: 1 },
  { key: () => "welfare_change_musd", digits: 1 },
];

function regimeOption(rows, colours, size) {
  const shown = MEASURED.map(({ key, digits }) => ({ key: key(rows), digits }));
  const panels = shown.map(({ key, digits }, at) => ({
    ...barsOption(colours, {
      names: rows.map((row) => regimeName(row.regime)),
      rows: [{ name: t(`trading.measured.${key}`), values: rows.map((row) => row[key]), colour: colours.series[at] }],
      unit: t(`trading.measured.${key}`),
      digits,
      size,
      isPlain: true,
    }),
  }));
  const step = 100 / panels.length;
  return {
    ...panels[0],
    grid: panels.map((_, at) => ({ left: 8, right: 64, top: `${at * step + 1}%`, height: `${step - 9}%`, containLabel: true })),
    xAxis: panels.map((panel, at) => ({ ...panel.xAxis, gridIndex: at, })),
    yAxis: panels.map((panel, at) => ({ ...panel.yAxis, gridIndex: at })),
    series: panels.map((panel, at) => ({ ...panel.series[0], xAxisIndex: at, yAxisIndex: at })),
    tooltip: { ...panels[0].tooltip, trigger: "item", formatter: undefined },
  };
}

// Whose revenue is added up, all goods and ways: before (national) and after.
const ACCOUNTS = {
  operator: { label: "oil.operator", of: (row) => row.operator_id },
  administration: { label: "trading.administration", of: (row) => row.administration_id },
  state: { label: "oil.country", of: (row) => row.country },
  goods: { label: "trading.commodity", of: (row) => row.commodity_group },
};

function accountsOf(found, year, of) {
  const sums = new Map();
  for (const row of inYear(found, "accounts", year)) {
    const id = of(row);
    const before = sums.get(id) ?? { name: id === null ? t("trading.others") : nameOf(found, id), ...Object.fromEntries(REGIMES.map((regime) => [regime, 0])) };
    before[row.regime] += row.revenue_musd;
    sums.set(id, before);
  }
  return [...sums.values()].toSorted((a, b) => b.national - a.national);
}

const partiesOf = (found, year) => [...new Set(inYear(found, "parties", year).map((row) => row.party))];
const gainOf = (found, year, party, regime) =>
  inYear(found, "parties", year).find((row) => row.party === party && row.regime === regime)?.gain_musd ?? null;

// Gives the element and the views to draw, as every room does.
export function tariffsView(context, found, { level = "h2" } = {}) {
  const below = `h${Number(level[1]) + 1}`;
  const goods = nameOf(found, found.commodity_group);
  const years = [...new Set(found.regimes.map((row) => row.year))];
  let year = years.at(-1);
  let way = 0;
  const own = ofAnswer(context, found, { name: `${found.scenario_id}-${found.commodity_group}`, year });
  const ways = () => waysOf(found, year);
  const chosen = () => ways()[Math.min(way, ways().length - 1)];
  const money = t("unit.MUSD");
  const about = { context: own, heading: below, source: t("source.tariffs") };
  const figures = [];
  const select = (id, label, options, onchange) =>
    h("label", { class: "field" }, h("span", {}, label), h("select", { id, onchange: (event) => onchange(Number(event.target.value)) }, options));
  const option = (value, text) => h("option", { value }, text);

  if (ways().length) {
    const stack = figure({
      ...about,
      id: "tariffs-stack",
      title: () => t("trading.stack"),
      subtitle: () => wayText(found, chosen()),
      height: 260,
      controls: h(
        "div",
        { class: "tools no-print" },
        select(
          "tariffs-way",
          t("trading.way_label"),
          ways().map((each, at) => option(at, wayText(found, each))),
          (at) => ((way = at), stack.draw(null)),
        ),
      ),
      option: (colours, _, size) =>
        barsOption(colours, {
          names: REGIMES.map(regimeName),
          rows: payees(chosen()).map((row, at) => ({
            name: row.who === null ? t("trading.others") : nameOf(found, row.who),
            values: REGIMES.map((regime) => row.values[regime]),
            colour: row.who === null ? colours.still : colours.series[at],
          })),
          unit: wayUnit(chosen()),
          digits: 0,
          isStacked: true,
          size,
        }),
      table: () => ({
        columns: [{ key: "name", label: t("trading.payee") }, ...REGIMES.map((key) => ({ key, label: `${regimeName(key)}, ${wayUnit(chosen())}`, digits: 1 }))],
        rows: [...chosen().paid].map(([who, values]) => ({ name: nameOf(found, who), ...values })),
      }),
    });
    figures.push(stack);
  }
  const regimes = figure({
    ...about,
    id: "tariffs-regimes",
    title: () => t("trading.regimes"),
    subtitle: () => t("trading.regimes_told", { year: String(year) }),
    height: 520,
    option: (colours, _, size) => regimeOption(inYear(found, "regimes", year), colours, size),
    table: () => ({
      columns: [
        { key: "name", label: t("trading.regime") },
        ...["containers_teu", "carried_kt", "revenue_musd", "profit_musd", "surplus_change_musd", "welfare_change_musd", "queue_welfare_change_musd"].map(
          (key) => ({ key, label: t(`trading.measured.${key}`), digits: /teu|kt/.test(key) ? 0 : 2 }),
        ),
      ],
      rows: inYear(found, "regimes", year).map((row) => ({ ...row, name: regimeName(row.regime) })),
    }),
  });
  const gains = figure({
    ...about,
    id: "tariffs-gains",
    title: () => t("trading.gains"),
    subtitle: () => t("trading.gains_told", { year: String(year) }),
    height: barsHeight(partiesOf(found, year).length + 1, 3),
    option: (colours, _, size) =>
      barsOption(colours, {
        names: [...partiesOf(found, year).map((party) => nameOf(found, party)), t("tariffs.sum")],
        rows: REGIMES.slice(1).map((regime) => ({
          name: regimeName(regime),
          values: [
            ...partiesOf(found, year).map((party) => gainOf(found, year, party, regime)),
            ofRegime(inYear(found, "regimes", year), regime).gains_musd,
          ],
        })),
        unit: money,
        size,
      }),
    table: () => ({
      columns: [{ key: "name", label: t("trading.party") }, ...REGIMES.slice(1).map((key) => ({ key, label: `${regimeName(key)}, ${money}`, digits: 2 }))],
      rows: [...partiesOf(found, year), null].map((party) => ({
        name: party === null ? t("tariffs.sum") : nameOf(found, party),
        ...Object.fromEntries(
          REGIMES.slice(1).map((regime) => [
            regime,
            party === null ? ofRegime(inYear(found, "regimes", year), regime).gains_musd : gainOf(found, year, party, regime),
          ]),
        ),
      })),
    }),
  });
  const splits = figure({
    ...about,
    id: "tariffs-splits",
    title: () => t("trading.splits"),
    subtitle: () => t("trading.splits_told", { year: String(year) }),
    height: barsHeight(inYear(found, "splits", year).length, SHARES.length),
    option: (colours, _, size) =>
      barsOption(colours, {
        names: inYear(found, "splits", year).map((row) => row.administration),
        rows: SHARES.filter((key) => inYear(found, "splits", year).some((row) => row[`${key}_musd`] !== null)).map((key) => ({
          name: t(`trading.share.${key}`),
          values: inYear(found, "splits", year).map((row) => row[`${key}_musd`]),
        })),
        unit: money,
        size,
      }),
    table: () => ({
      columns: [
        { key: "administration", label: t("trading.administration") },
        ...["national", "nash", "through", "bargained", "shapley", "payment", "least_payment"].map((key) => ({
          key: `${key}_musd`,
          label: t(`trading.share.${key}`),
          digits: 2,
        })),
      ],
      rows: inYear(found, "splits", year),
    }),
  });
  figures.push(regimes, gains, splits);

  const lists = h("div", { class: "crossings" });
  const table = (id, caption, columns, rows) =>
    rows.length
      ? h("div", { class: "card" }, dataTable({ id: `table-tariffs-${id}`, caption, columns, rows, fileName: own.fileName(id) }).element)
      : null;
  function fillLists() {
    const check = inYear(found, "checks", year)[0];
    lists.replaceChildren(
      ...[
        h(
          "p",
          { class: "soft small prose-wide" },
          check
            ? t("tariffs.check", {
                gain: number(check.gain_alone_musd, 3),
                share: check.gain_alone_share,
                error_share: Math.max(check.through_error_share, check.welfare_error_share),
              })
            : "",
          " ",
          t("tariffs.how"),
        ),
        table(
          "years",
          t("trading.by_year"),
          [
            { key: "year", label: t("column.year"), digits: 0, show: String },
            { key: "name", label: t("trading.regime") },
            ...["containers_teu", "carried_kt", "revenue_musd", "profit_musd", "welfare_change_musd"].map((key) => ({
              key,
              label: t(`trading.measured.${key}`),
              digits: /teu|kt/.test(key) ? 0 : 2,
            })),
          ],
          years.length > 1 ? found.regimes.map((row) => ({ ...row, name: regimeName(row.regime) })) : [],
        ),
        table(
          "alliances",
          t("trading.alliances"),
          [
            { key: "names", label: t("trading.members") },
            { key: "together_musd", label: t("trading.together"), digits: 2 },
            { key: "apart_musd", label: t("trading.apart"), digits: 2 },
            { key: "verdict", label: t("trading.verdict") },
          ],
          inYear(found, "alliances", year).map((row) => ({
            ...row,
            names: row.members
              .split(";")
              .map((id) => nameOf(found, id))
              .join(", "),
            verdict: t(row.is_stable ? "trading.gain_together" : "trading.lose_together"),
          })),
        ),
        table(
          "full",
          t("trading.full"),
          [
            { key: "name", label: t("column.name") },
            { key: "regime_name", label: t("trading.regime") },
            { key: "price_usd_per_unit", label: t("unit.usd_per_unit"), digits: 1 },
          ],
          inYear(found, "full", year).map((row) => ({ ...row, name: nameOf(found, row.facility_id), regime_name: regimeName(row.regime) })),
        ),
        ...Object.entries(ACCOUNTS).map(([by, { label, of }]) =>
          table(
            `accounts-${by}`,
            t(`trading.accounts_by.${by}`),
            [{ key: "name", label: t(label) }, ...REGIMES.map((key) => ({ key, label: `${regimeName(key)}, ${money}`, digits: 1 }))],
            accountsOf(found, year, of),
          ),
        ),
      ].filter(Boolean),
    );
  }
  const draw = () => {
    for (const each of figures) each.draw(null);
    fillLists();
  };
  const element = h(
    "div",
    { class: "crossings" },
    h(level, { id: "tariffs-answer", tabindex: "-1" }, t("trading.tariffs_title", { goods, scenario: found.scenario_title })),
    years.length > 1
      ? h(
          "div",
          { class: "tools no-print" },
          select(
            "tariffs-year",
            t("column.year"),
            years.map((each) => h("option", { value: each, selected: each === year }, String(each))),
            (each) => ((year = each), (way = 0), draw()),
          ),
        )
      : null,
    figures.map((each) => each.element),
    lists,
  );
  fillLists();
  return { element, views: figures, forget: () => figures.forEach((each) => each.forget()) };
}
