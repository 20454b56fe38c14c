// The rooms of the app that draw a run: map, corridors, comparison. Each gives its element, its views and what it asks for.
import { button, h } from "../dom.js";
import { picker, yearBar } from "../controls.js";
import { amount, number, signed, t, unit } from "../i18n.js";
import { dataTable } from "../tables.js";
import * as views from "../views.js";
import { makeAnswers, moreOf } from "./answers.js";
import { query } from "./server.js";

const HEADLINE = [
  ["corridor_mt", "figure.corridor", "Mt", 2],
  ["containers_teu", "figure.boxes", "TEU", 0],
  ["crude_mt", "figure.crude", "Mt", 2],
];

// The headline of the year of the slider, live where the year is moved.
function headlineView(context, app, run) {
  const { doc, store, cards } = context;
  const list = h("ul", { class: "figures app-figures", "aria-label": t("figures.title") });
  const at = (rows, year) => rows.find((row) => row.year === year) ?? null;
  function open(key, word) {
    const { year } = store.get();
    const own = Object.fromEntries(
      ["scenario", "baseline", "low", "high", "observed"].map((name) => [name, at(doc.outlook[name], year)?.[key]]),
    );
    cards.open(
      t(word, { year }),
      t("figure.told"),
      h(
        "div",
        { class: "facts" },
        Object.entries(own)
          .filter(([, value]) => value !== null && value !== undefined)
          .map(([name, value]) => cards.fact(t(`figure.of_${name}`), amount(value), value)),
      ),
      h(
        "p",
        { class: "soft small" },
        t("figure.rests", { shares: t("trust.estimates", { base_year: doc.trust.calibration.base_year, ...sharesOf(doc) }) }),
      ),
      context.more("figure", app.desk.get().kase.headline_cordon, t(word, { year })),
    );
  }
  function draw() {
    const { year, live } = store.get();
    const ours = at(doc.outlook.scenario, year);
    const base = at(doc.outlook.baseline, year);
    list.replaceChildren(
      ...HEADLINE.map(([key, word, name, digits]) => {
        const value = live ? live.headline[key] : ours[key];
        const told = live
          ? t("live.difference", { change: signed(live.difference[key], digits), unit: unit(name) })
          : t("figure.baseline", { baseline: name === "TEU" ? amount(base[key]) : number(base[key], digits) });
        return h(
          "li",
          { class: "card kpi" },
          h(
            "button",
            { type: "button", class: "kpi-button", onclick: () => open(key, word) },
            h("span", { class: "soft small" }, t(word, { year })),
            h(
              "span",
              { class: "kpi-value", "data-headline": key, "data-value": value },
              name === "TEU" ? amount(value) : number(value, digits),
              h("span", { class: "kpi-unit" }, unit(name)),
            ),
            h("span", { class: live ? "small live-change" : "soft small", "data-difference": live ? live.difference[key] : null }, told),
          ),
        );
      }),
    );
  }
  return { element: list, keys: ["year", "live"], draw, run };
}

const sharesOf = (doc) => {
  const shares = doc.trust.estimated_shares ?? {};
  return { tonnes_share: shares.tonnes, charges_share: shares.charges, hours_share: shares.hours };
};

// What the map shows while a year is moved, and the ways out.
function liveBar(context, app) {
  const { store } = context;
  const title = h("strong", {}, "");
  const told = h("span", { class: "small" });
  const choice = picker(
    t("live.map"),
    [
      ["change", t("live.change")],
      ["flows", t("live.flows")],
    ],
    store,
    "liveMap",
  );
  const element = h(
    "div",
    { class: "live-bar card", role: "status", hidden: true },
    h("div", { class: "live-words" }, title, told),
    h(
      "div",
      { class: "tools no-print" },
      choice,
      button(t("live.run"), () => app.startRun(), { class: "primary" }),
      button(t("drawer.back"), () => app.back()),
    ),
  );
  function draw() {
    const { live, liveSaid } = store.get();
    element.hidden = !live && !liveSaid;
    element.classList.toggle("is-problem", Boolean(liveSaid?.isProblem));
    choice.hidden = !live;
    if (!element.hidden) {
      title.textContent = live ? t("live.title", { year: live.year }) : t("live.waiting_title");
      told.textContent = liveSaid?.text ?? t(live.run_id ? `live.${live.routes}` : `live.${live.routes}_scenario`);
    }
  }
  return { element, keys: ["live", "liveSaid"], draw };
}

export function mapRoom(app, context, run) {
  const { doc } = context;
  const answers = makeAnswers(app, doc, run);
  context.more = moreOf(app, run);
  app.showElement = answers.showElement;
  context.market = answers.showMarket;
  context.ladderAsk = () => ladderAsk(app, run);
  const headline = headlineView(context, app, run);
  const bar = liveBar(context, app);
  const map = views.mapView(context);
  const ladder = views.ladderView(context);
  const hero = views.heroView(context);
  const promises = views.promisesView(context);
  const trust = views.trustView(context);
  const element = h(
    "div",
    { class: "room room-map" },
    h("h1", { class: "visually-hidden" }, t("room.map", { name: run.name })),
    headline.element,
    bar.element,
    h(
      "section",
      { id: "where", class: "where", "aria-labelledby": "map-title" },
      h("div", { class: "card map-card" }, map.element),
      h("div", { class: "side" }, context.detail, ladder.element),
    ),
    answers.element,
    hero.element,
    promises?.element,
    trust.element,
  );
  return { element, views: [headline, bar, map, ladder, hero, promises, trust].filter(Boolean) };
}

function ladderAsk(app, run) {
  const said = h("p", { class: "small", role: "status" });
  const ask = button(t("ladder.ask"), async () => {
    ask.disabled = true;
    said.textContent = t("answers.asking");
    try {
      await app.server.ask(`/api/runs/${run.run_id}/ladder`);
      await app.openRun(run.run_id, { isForced: true });
    } catch (refusal) {
      ask.disabled = false;
      said.textContent = refusal.message;
    }
  });
  ask.disabled = !app.server.mayChange() || !run.is_of_this_case;
  return h("div", { class: "more no-print" }, h("p", { class: "soft small" }, t("ladder.ask_told")), ask, said);
}

export function corridorsRoom(app, context, run) {
  const answers = makeAnswers(app, context.doc, run);
  context.more = moreOf(app, run);
  app.showElement = answers.showElement;
  if (app.server.mayChange() && run.is_of_this_case) context.market = answers.showMarket;
  const names = ["profileView", "sankeyView", "diversionView", "validationView"];
  const [profile, flows, diversion, validation] = names.map((name) => views[name](context));
  const year = yearBar(context);
  const element = h(
    "div",
    { class: "room" },
    h("h1", {}, t("routes.title")),
    h("p", { class: "soft" }, t("room.corridors_told")),
    year,
    h("div", { class: "side" }, context.detail),
    marketPicker(context, answers),
    answers.element,
    h("h2", { class: "visually-hidden" }, t("room.charts")),
    h("div", { class: "pair" }, profile?.element, flows.element),
    h("div", { class: "pair" }, diversion.element, validation?.element),
  );
  return { element, views: [profile, flows, diversion, validation].filter(Boolean) };
}

// One market at a time, the largest over the cordon first.
function marketPicker(context, answers) {
  const { doc, store } = context;
  if (!context.market || !doc.flows.length) return null;
  const index = doc.years.indexOf(store.get().year);
  const name = (rows, key, id) => rows.find((row) => row[key] === id)?.name ?? id;
  const flows = [...doc.flows].sort((a, b) => b.scenario_kt[index] - a.scenario_kt[index]).slice(0, 60);
  const choice = h(
    "select",
    { id: "market" },
    flows.map((row) =>
      h(
        "option",
        { value: `${row.origin_region}:${row.destination_region}:${row.commodity_group}` },
        `${name(doc.goods, "commodity_group", row.commodity_group)}: ${name(doc.regions, "region_id", row.origin_region)} – ${name(doc.regions, "region_id", row.destination_region)}`,
      ),
    ),
  );
  return h(
    "div",
    { class: "card tools market-picker no-print" },
    h("label", { class: "field" }, h("span", {}, t("market.choose")), choice),
    button(t("market.explain"), () => answers.showMarket(choice.value)),
  );
}

export function compareRoom(app, context, run) {
  const { desk } = app;
  const { runs, otherId } = desk.get();
  const options = (chosen) =>
    runs.map((row) => h("option", { value: row.run_id, selected: row.run_id === chosen }, `${row.name} (${row.run_id})`));
  const choices = h(
    "div",
    { class: "tools no-print" },
    h(
      "label",
      { class: "field" },
      h("span", {}, t("compare.ours_choice")),
      h("select", { id: "compare-ours", onchange: (event) => app.openRun(event.target.value) }, options(run.run_id)),
    ),
    h(
      "label",
      { class: "field" },
      h("span", {}, t("compare.theirs_choice")),
      h(
        "select",
        { id: "compare-theirs", onchange: (event) => app.compareWith(event.target.value || null) },
        h("option", { value: "" }, t("compare.none")),
        options(otherId).filter((each) => each.value !== run.run_id),
      ),
    ),
  );
  context.comparedText = "compare.told_app";
  context.yearBar = () => yearBar(context);
  context.more = moreOf(app, run);
  const answers = makeAnswers(app, context.doc, run);
  app.showElement = answers.showElement;
  const compare = views.compareView(context);
  const inputs = h(
    "section",
    { class: "card", id: "compare-inputs", "aria-labelledby": "compare-inputs-title" },
    h("h2", { id: "compare-inputs-title" }, t("compare.inputs")),
  );
  const why = runs.length < 2 ? "compare.one_run" : otherId ? "compare.no_years" : "compare.choose";
  const element = h(
    "div",
    { class: "room" },
    h("h1", { class: "visually-hidden" }, t("nav.compare")),
    choices,
    compare ? h("div", { class: "side" }, context.detail) : null,
    compare
      ? [compare.element, answers.element, inputs]
      : h("div", { class: "card prose" }, h("p", {}, t(why)), runs.length < 2 ? h("p", {}, t("compare.how")) : null),
  );
  if (compare) fillInputs(app, inputs, run.run_id, otherId);
  return { element, views: [compare].filter(Boolean) };
}

async function fillInputs(app, place, a, b) {
  try {
    const found = await app.server.ask(`/api/compare?${query({ a: b, b: a })}`); // b less a: ours less theirs
    const { inputs } = found;
    const optionRows = ["growth", "capacities", "set", "with", "without"]
      .map((key) => ({ what: t(`option.${key}`), ours: listed(inputs.options.b?.[key]), theirs: listed(inputs.options.a?.[key]) }))
      .filter((row) => row.ours !== row.theirs);
    const rows = [
      ...optionRows,
      ...inputs.only_b.map((row) => ({ what: row.title, ours: row.from_date, theirs: "–" })),
      ...inputs.only_a.map((row) => ({ what: row.title, ours: "–", theirs: row.from_date })),
      ...inputs.dates.map((row) => ({ what: row.title, ours: String(row.b), theirs: String(row.a) })),
    ];
    const names = Object.fromEntries(HEADLINE.map(([key, word]) => [key, t(word, { year: found.year })]));
    const outlook = dataTable({
      id: "table-compare-outlook",
      caption: t("compare.outlook"),
      fileName: `karvan-${a}-against-${b}-outlook`,
      columns: [
        { key: "year", label: t("column.year"), isNumber: true, show: String },
        { key: "ours", label: t("column.ours"), digits: 2 },
        { key: "theirs", label: t("column.theirs"), digits: 2 },
        { key: "change", label: t("column.change"), digits: 2, show: (value) => signed(value, 2) },
      ],
      rows: found.outlook
        .filter((row) => row.a && row.b)
        .map((row) => ({ year: row.year, ours: row.b.corridor_mt, theirs: row.a.corridor_mt, change: row.difference.corridor_mt })),
    });
    place.append(
      inputs.is_same_corridor ? "" : h("p", { class: "problem" }, t("compare.other_corridor")),
      rows.length
        ? dataTable({
            id: "table-compare-inputs",
            caption: t("compare.inputs_told"),
            fileName: `karvan-${a}-against-${b}-inputs`,
            columns: [
              { key: "what", label: t("column.what") },
              { key: "ours", label: t("column.ours") },
              { key: "theirs", label: t("column.theirs") },
            ],
            rows,
          }).element
        : h("p", {}, t("compare.same_inputs")),
      h("h3", {}, names.corridor_mt),
      outlook.element,
    );
  } catch (refusal) {
    place.append(h("p", { class: "problem", role: "alert" }, refusal.message));
  }
}

const listed = (value) => (Array.isArray(value) ? value.join(", ") || "–" : (value ?? "–"));
