// Many futures of some plans: chances of promises, fans, what drives them, plans against each other, the map with its bands, what peace is
// worth, when a plan fails, and how far to trust it.
import { figure } from "./charts.js";
import { field, select } from "./app/fields.js";
import { h } from "./dom.js";
import { fanOption } from "./fans.js";
import { bandsOption, bandRows } from "./bands.js";
import { amount, number, percent, t, term } from "./i18n.js";
import { called, countryName, disruptions, failures, planName, trust } from "./misses.js";
import { gainsTable, plansTable } from "./regret.js";
import { spansFigure } from "./spans.js";
import { dataTable } from "./tables.js";
import { MODE_CLASSES, palette } from "./theme.js";

const METRICS = ["corridor_mt", "containers_teu", "crude_mt", "welfare_musd", "rent_musd"];
const UNITS = {
  corridor_mt: "unit.mt_per_year",
  containers_teu: "unit.TEU",
  crude_mt: "unit.mt_per_year",
  welfare_musd: "unit.MUSD",
  rent_musd: "unit.MUSD",
};
const MOST_DRIVERS = 12;
const MAP_YEAR = 2030;
const LEAST_MUSD = 0.5;
const CUTS = ["p5", "p10", "p25", "p50", "p75", "p90", "p95"];

const promiseName = (row) => t("futures.promise", { promise: row.short ?? row.title, year: row.year });
const interval = (row, name) =>
  row === undefined || row[`${name}_share`] === null
    ? "–"
    : t("futures.interval", {
        chance: percent(row[`${name}_share`]),
        low: percent(row[`${name}_low_share`]),
        high: percent(row[`${name}_high_share`]),
      });

// Chances of the promise that is told of most years.
function chanceFigure(own, found, below) {
  const counts = new Map();
  for (const row of found.promises.filter((each) => each.by_year_share !== null))
    counts.set(row.commitment_id, (counts.get(row.commitment_id) ?? 0) + 1);
  const [id] = [...counts].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  if (!id) return null;
  const told = found.promises
    .filter((row) => row.commitment_id === id)
    .toSorted((a, b) => a.year - b.year || found.plans.indexOf(a.plan) - found.plans.indexOf(b.plan));
  const [first] = told;
  const rows = (colours) =>
    told.map((row) => ({
      name: t("futures.plan_by", { year: row.year, plan: planName(found, row.plan) }),
      low: row.by_year_low_share,
      high: row.by_year_high_share,
      middle: row.by_year_share,
      colour: colours?.series[found.plans.indexOf(row.plan) % colours.series.length],
      lines: [t("futures.reached_by", { chance: interval(row, "by_year") }), t("futures.reached_in", { chance: interval(row, "chance") })],
    }));
  return spansFigure({
    id: "futures-chances",
    context: own,
    heading: below,
    title: () => t("futures.chance_of", { target: number(first.target, 0), unit: first.unit }),
    subtitle: () => t("futures.chance_told"),
    source: t("source.futures"),
    rows,
    drawn: { written: (value) => percent(value), unit: "", least: 0, most: 1 },
    table: () => ({
      columns: [
        { key: "year", label: t("column.year"), isNumber: true },
        { key: "plan", label: t("futures.plan") },
        { key: "by", label: t("futures.by_then") },
        { key: "held", label: t("futures.in_it") },
      ],
      rows: told.map((row) => ({
        year: row.year,
        plan: planName(found, row.plan),
        by: interval(row, "by_year"),
        held: interval(row, "chance"),
      })),
    }),
  });
}

// Every promise with a number and a year, plans beside each other.
function promiseTable(own, found) {
  if (!found.promises.length) return null;
  const keys = [...new Set(found.promises.map((row) => `${row.commitment_id} ${row.year}`))];
  const rows = keys.map((key) => {
    const here = found.promises.filter((row) => `${row.commitment_id} ${row.year}` === key);
    return {
      name: promiseName(here[0]),
      ...Object.fromEntries(
        found.plans.map((plan) => [
          plan,
          interval(
            here.find((row) => row.plan === plan),
            "chance",
          ),
        ]),
      ),
    };
  });
  return dataTable({
    id: "table-promised",
    caption: t("ensemble.page_chance"),
    columns: [{ key: "name", label: t("futures.promised") }, ...found.plans.map((plan) => ({ key: plan, label: planName(found, plan) }))],
    rows,
    fileName: own.fileName("promised"),
  }).element;
}

function fanFigure(own, found, now, below) {
  const of = (plan) => found.distributions.filter((row) => row.plan === plan && row.metric === now.metric);
  const target = () => (now.metric === "corridor_mt" ? (found.promises.find((row) => row.metric === "corridor_mt")?.target ?? null) : null);
  return figure({
    id: "futures-fan",
    context: own,
    heading: below,
    title: () => t("ensemble.page_fans"),
    subtitle: () => t("futures.fan_told", { plan: planName(found, now.plan), metric: t(`ensemble.${now.metric}`) }),
    source: t("source.futures"),
    height: 320 + 26 * found.plans.length,
    option: (colours, state, size) =>
      fanOption(colours, {
        size,
        fans: [now.plan, ...found.plans.filter((plan) => plan !== now.plan)].map((plan) => ({
          name: planName(found, plan),
          rows: of(plan),
        })),
        unit: t(UNITS[now.metric]),
        isMoney: now.metric.endsWith("musd"),
        target: target(),
      }),
    table: () => ({
      columns: [
        { key: "plan", label: t("futures.plan") },
        { key: "year", label: t("column.year"), isNumber: true, show: (value) => String(value) },
        ...CUTS.map((key) => ({ key, label: key.toUpperCase(), isNumber: true, show: amount })),
      ],
      rows: found.plans.flatMap((plan) => of(plan).map((row) => ({ ...row, plan: planName(found, plan) }))),
    }),
  });
}

// Drivers that chance alone would not give; of them the largest first.
const driversOf = (found, plan) => found.drivers.filter((row) => row.plan === plan);
const isKnown = (row) => row.morris_mu_star !== null || row.first_order_share > row.chance_share;
const knownOf = (found, plan) => driversOf(found, plan).filter(isKnown).slice(0, MOST_DRIVERS);
const effectOf = (row) =>
  t(`effect.${row.kind === "shock" ? "shock" : "value"}_${row.high_mean >= row.low_mean ? "more" : "less"}_${row.metric}`);

function driverFigure(own, found, now, below) {
  const [any] = found.drivers;
  if (!any) return null;
  const name = (row) => t("futures.driver", { name: called(found, row.factor), effect: effectOf(row) });
  const rows = (colours) =>
    knownOf(found, now.plan)
      .toSorted((a, b) => Math.abs(b.high_mean - b.low_mean) - Math.abs(a.high_mean - a.low_mean))
      .map((row) => ({
        name: name(row),
        low: Math.min(row.low_mean, row.high_mean),
        high: Math.max(row.low_mean, row.high_mean),
        middle: null,
        colour: row.high_mean >= row.low_mean ? colours?.more : colours?.less,
        lines: [
          t("futures.driver_ends", { low: amount(row.low_mean), high: amount(row.high_mean) }),
          t("futures.driver_share", { part: percent(row.first_order_share, 1) }),
          row.factor,
        ],
      }));
  return spansFigure({
    id: "futures-drivers",
    context: own,
    heading: below,
    title: () => t("ensemble.page_drivers"),
    subtitle: () => {
      const count = knownOf(found, now.plan).length;
      const share = percent(driversOf(found, now.plan)[0]?.chance_share, 1);
      const about = { plan: planName(found, now.plan), metric: t(`ensemble.${any.metric}`), year: any.year, chance: share };
      return t(count ? "futures.drivers_told" : "futures.drivers_none", about);
    },
    source: t("source.futures"),
    rows,
    drawn: { written: amount, unit: t(UNITS[any.metric]) },
    table: () => ({
      columns: [
        { key: "name", label: t("futures.unknown") },
        { key: "effect", label: t("effect.title") },
        { key: "first_order_share", label: t("ensemble.share_of"), isNumber: true, show: (value) => percent(value, 1) },
        { key: "is_known", label: t("futures.beyond_chance") },
        { key: "low_mean", label: t("ensemble.at_low"), isNumber: true, show: amount },
        { key: "high_mean", label: t("ensemble.at_high"), isNumber: true, show: amount },
        { key: "factor", label: t("futures.id") },
      ],
      rows: driversOf(found, now.plan).map((row) => ({
        ...row,
        name: called(found, row.factor),
        effect: effectOf(row),
        is_known: t(isKnown(row) ? "futures.yes" : "futures.no"),
      })),
    }),
  });
}

function worthFigure(own, found, below) {
  if (!found.values.length) return null;
  const rows = (colours) =>
    found.values.map((row) => ({
      name: planName(found, row.plan),
      low: row.p10_musd,
      high: row.p90_musd,
      middle: row.p50_musd,
      colour: row.p50_musd >= 0 ? colours?.more : colours?.less,
      lines: [
        t("futures.span_tip", { middle: amount(row.p50_musd), low: amount(row.p10_musd), high: amount(row.p90_musd) }),
        t("futures.loss", { chance: percent(row.loss_share) }),
      ],
    }));
  const [first, last] = found.value_years;
  return spansFigure({
    id: "futures-worth",
    context: own,
    heading: below,
    title: () => t("futures.worth"),
    subtitle: () =>
      t("ensemble.values", {
        plan: planName(found, found.against),
        rate: percent(found.rate_share),
        first: String(first),
        last: String(last),
      }),
    source: t("futures.span_told"),
    rows,
    drawn: { written: amount, unit: t("unit.MUSD"), mark: 0 },
    table: () => ({
      columns: [
        { key: "plan", label: t("futures.plan") },
        ...["p10_musd", "p50_musd", "p90_musd", "mean_musd"].map((key) => ({
          key,
          label: t(`ensemble.${key.replace("_musd", "")}`),
          digits: 0,
        })),
        { key: "loss_share", label: t("ensemble.loss"), isNumber: true, show: (value) => percent(value) },
      ],
      rows: found.values.map((row) => ({ ...row, plan: planName(found, row.plan) })),
    }),
  });
}

function mapFigure(own, found, now, below) {
  if (!found.links.length) return null;
  const key = h("ul", { class: "inline map-key no-print" });
  const view = figure({
    id: "futures-map",
    context: own,
    heading: below,
    title: () => t("futures.map"),
    subtitle: () => t("futures.map_told", { plan: planName(found, now.plan), year: now.year }),
    source: `${t("source.map")} ${t("map.endorsement")}`,
    height: 520,
    renderer: "canvas",
    controls: key,
    option: (colours, state, size) => bandsOption(found, colours, { ...size, ...now, at: size.isPicture ? null : size.at }),
    table: () => ({
      columns: [
        { key: "name", label: t("column.link") },
        { key: "mode", label: t("column.mode") },
        ...["p10_kt", "p50_kt", "p90_kt"].map((key) => ({
          key,
          label: t("futures.kt", { cut: key.slice(0, 3).toUpperCase() }),
          digits: 0,
        })),
      ],
      rows: bandRows(found, now).map((row) => ({ ...row, mode: term("mode", row.mode) })),
    }),
  });
  const draw = () => {
    const colours = palette(own.store.get().theme);
    const swatch = (kind) => h("span", { class: "swatch", style: { background: colours[kind], height: "5px" } });
    key.replaceChildren(...MODE_CLASSES.map((kind) => h("li", {}, swatch(kind), t(`class.${kind}`))));
    view.draw();
  };
  return { ...view, draw };
}

function peaceFigure(own, found, now, below) {
  if (!found.peace.length) return null;
  const name = (row) =>
    row.country === null
      ? t(`ensemble.${row.metric}`)
      : t("futures.of_country", { metric: t(`ensemble.${row.metric}`), country: countryName(row.country) });
  const here = () =>
    found.peace.filter(
      (row) => row.year === now.year && row.metric.endsWith("musd") && Math.max(Math.abs(row.p10), Math.abs(row.p90)) >= LEAST_MUSD,
    );
  const tonnes = () => found.peace.find((row) => row.year === now.year && row.metric === "corridor_mt");
  const rows = (colours) =>
    here()
      .toSorted((a, b) => b.p50 - a.p50)
      .map((row) => ({
        name: name(row),
        low: row.p10,
        high: row.p90,
        middle: row.p50,
        colour: row.p50 >= 0 ? colours?.more : colours?.less,
        lines: [t("futures.span_tip", { middle: amount(row.p50), low: amount(row.p10), high: amount(row.p90) })],
      }));
  return spansFigure({
    id: "futures-peace",
    context: own,
    heading: below,
    title: () => t("ensemble.page_peace"),
    subtitle: () => {
      const row = tonnes();
      if (!row) return t("futures.peace_told", { year: now.year });
      return t("futures.peace_tonnes", { year: now.year, middle: number(row.p50, 2), low: number(row.p10, 2), high: number(row.p90, 2) });
    },
    source: t("futures.span_told"),
    rows,
    drawn: { written: amount, unit: t("unit.MUSD"), mark: 0 },
    table: () => ({
      columns: [
        { key: "year", label: t("column.year"), isNumber: true, show: (value) => String(value) },
        { key: "name", label: t("futures.what") },
        ...["p10", "p50", "p90"].map((key) => ({ key, label: t(`ensemble.${key}`), digits: 2 })),
      ],
      rows: found.peace.map((row) => ({ ...row, name: name(row) })),
    }),
  });
}

export function futuresView(context, found, { level = "h2" } = {}) {
  const below = `h${Number(level[1]) + 1}`;
  const own = {
    ...context,
    fileName: (id) => `karvan-${found.corridor}-${found.ensemble_id.slice(0, 8)}-${id}`,
    notes: (source) => [
      t("picture.futures", { futures: found.futures, design: found.design, seed: String(found.seed) }),
      source,
      t("picture.case", {
        version: found.version,
        corridor: found.corridor_title,
        edition: found.edition,
        hash: found.corridor_hash.slice(0, 12),
      }),
    ],
  };
  const years = [...new Set([...found.flows, ...found.peace].map((row) => row.year))].toSorted((a, b) => a - b);
  const metrics = METRICS.filter((metric) => found.distributions.some((row) => row.metric === metric && row.p95 !== 0));
  const now = { plan: found.plans[0], metric: metrics[0], year: years.includes(MAP_YEAR) ? MAP_YEAR : years.at(-1) };
  const choice = (name, rows) =>
    select(`futures-${name}`, rows, now[name], {
      onchange: (event) => {
        now[name] = typeof now[name] === "number" ? Number(event.target.value) : event.target.value;
        tell();
        for (const view of views) view.draw(null);
      },
    });
  const chances = chanceFigure(own, found, below);
  const fans = metrics.length ? fanFigure(own, found, now, below) : null;
  const drivers = driverFigure(own, found, now, below);
  const worth = worthFigure(own, found, below);
  const map = mapFigure(own, found, now, below);
  const peace = peaceFigure(own, found, now, below);
  const views = [chances, worth, fans, drivers, map, peace].filter(Boolean);
  const fails = h("div", {});
  const broken = h("div", { class: "card", hidden: true });
  function tell() {
    fails.replaceChildren(...failures(found, now));
    const table = disruptions(own, found, now);
    broken.hidden = !table;
    broken.replaceChildren(table ?? "");
  }
  tell();
  const section = (title, ...content) => h("section", { class: "card" }, h(below, {}, title), ...content);
  const waiting = Object.keys(found.waiting).length ? found.waiting : null;
  const money = (value) => number(value, 0);
  const promised = promiseTable(own, found);
  const element = h(
    "div",
    { class: "crossings futures" },
    h(level, { id: "futures-answer", tabindex: "-1" }, t("futures.answer", { corridor: found.corridor_title })),
    h(
      "p",
      { class: "soft" },
      t("ensemble.title", {
        corridor: found.corridor_title,
        futures: found.futures,
        factors: found.factors_count,
        shocks: found.shocks.length,
        design: found.design,
        seed: String(found.seed),
      }),
    ),
    chances?.element,
    promised ? h("div", { class: "card" }, promised) : null,
    worth?.element,
    found.regret.length
      ? section(
          t("futures.regret"),
          ...plansTable(own, found, planName),
          ...gainsTable(found, planName),
          found.information.length ? h("p", {}, t("ensemble.information", { musd: money(found.information[0].value_musd) })) : null,
          waiting
            ? h(
                "p",
                {},
                t("ensemble.waiting", {
                  now: money(waiting.now_musd),
                  later_knowing: money(waiting.later_knowing_musd),
                  most: money(waiting.most_musd),
                }),
              )
            : null,
        )
      : found.plans.length > 1 && found.rate_share === null
        ? h("p", { class: "soft" }, t("ensemble.no_money"))
        : null,
    h(
      "div",
      { class: "card ship-fields futures-choice no-print", role: "group", "aria-label": t("futures.choose") },
      field(
        t("futures.plan"),
        choice(
          "plan",
          found.plans.map((plan) => [plan, planName(found, plan)]),
        ),
      ),
      metrics.length
        ? field(
            t("futures.headline"),
            choice(
              "metric",
              metrics.map((metric) => [metric, t(`ensemble.${metric}`)]),
            ),
          )
        : null,
      years.length
        ? field(
            t("column.year"),
            choice(
              "year",
              years.map((year) => [year, String(year)]),
            ),
          )
        : null,
    ),
    fans?.element,
    drivers?.element,
    found.drivers.some(isKnown) ? h("p", { class: "soft small prose-wide" }, t("ensemble.drivers_fitted")) : null,
    section(t("futures.fails"), fails),
    broken,
    map?.element,
    peace?.element,
    section(t("ensemble.page_trust"), ...trust(found).flat().filter(Boolean)),
  );
  return { element, views, forget: () => views.forEach((view) => view.forget()) };
}
