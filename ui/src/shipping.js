// An answer to a shipper: may it pass, the ways worth considering, days over distance, the map, leg by leg, and what it rests on.
import { chip } from "./cards.js";
import { figure } from "./charts.js";
import { h, icon } from "./dom.js";
import { amount, has, number, percent, t, term } from "./i18n.js";
import { dataTable } from "./tables.js";
import { CAUSES, colourOfWay, dashOfWay, labelsOf, nameOfWay, profileRows, timeDistanceOption, wayMapOption, waysOf } from "./ways.js";
import { palette } from "./theme.js";

const VERDICTS = { allowed: "met", needs_check: "open", refused: "behind", no_route: "not_measurable" };
const MAP_HEIGHT = 460;
const KNOWN = ["labels", "rules", "legs", "profile", "tariffs_published"];

const short = (name) => name.replace(/ \(.*\)$/, "");
const endOf = ({ name, country }) => `${short(name)} (${country})`;
const valuesOf = (answer) => ({
  goods: answer.commodity_name,
  origin: endOf(answer.origin),
  destination: endOf(answer.destination),
  date: answer.date,
  count: answer.options.length,
});

function ruleOf(rule) {
  const dated =
    rule.from_date || rule.until_date
      ? t(`ship.in_force_${[rule.from_date && "from", rule.until_date && "until"].filter(Boolean).join("_")}`, {
          from: rule.from_date,
          until: rule.until_date,
        })
      : "";
  const title = rule.source_published
    ? `${rule.source_title ?? rule.source} (${rule.source_published})`
    : (rule.source_title ?? rule.source);
  const source = /^https?:\/\//.test(rule.source_url ?? "")
    ? h("a", { href: rule.source_url, rel: "noopener noreferrer", target: "_blank" }, title)
    : title;
  return h(
    "li",
    { "data-rule": rule.permission_ids.join(" ") },
    h("span", {}, `${rule.rule} ${dated} `),
    rule.until_measure_id ? h("span", { class: "soft" }, `${t("ship.until_measure", { measure: rule.until_measure_id })} `) : null,
    h("span", { class: "soft small" }, t("card.source"), " ", source, " "),
    chip(rule.confidence),
  );
}

// What refuses, or must be checked, with the way that it would open.
function refusals(answer, level) {
  const items = answer.rejected.map((item) => {
    const by = [...new Set(item.opens.legs.filter((leg) => leg.mode !== "border").map((leg) => short(leg.from_name)))].slice(1);
    return h(
      "li",
      { class: "refusal", "data-reason": item.reason },
      h("strong", {}, t(`ship.reason_${item.reason}`)),
      " ",
      h(
        "span",
        { class: "soft" },
        t(by.length ? "ship.opens" : "ship.opens_direct", {
          places: by.slice(-5).join(", "),
          cost: number(item.opens.cost_usd_per_t, 0),
          days: number(item.opens.time_d, 1),
        }),
      ),
      h("ul", { class: "plain" }, item.rules.map(ruleOf)),
    );
  });
  const told = (word, rules) => h("li", { class: "refusal" }, h("strong", {}, t(word)), h("ul", { class: "plain" }, rules.map(ruleOf)));
  const checks = new Map(answer.options.flatMap((way) => way.rules.map((rule) => [rule.rule + rule.from_date, rule])));
  if (checks.size) items.unshift(told("ship.check", [...checks.values()]));
  if (answer.lifted.length) items.push(told("ship.lifted", answer.lifted));
  if (!items.length) return null;
  const list = h("ul", { class: "refusals" }, items);
  if (answer.answer !== "allowed")
    return h("section", { class: "card", "aria-label": t("ship.rules") }, h(level, {}, t("ship.rules")), list);
  return h(
    "details",
    { class: "card drawer", open: answer.rejected.length < 3 },
    h("summary", {}, h(level, {}, t("ship.rules_other", { count: answer.rejected.length }))),
    list,
  );
}

// One way as a card that is a button: pressed, it is the one that the table tells leg by leg.
function cardOf(answer, way, at, onpick) {
  const swatch = h("span", { class: "way-line", "data-way": at, "aria-hidden": "true" });
  const pair = (label, value, raw) => h("span", { class: "fact" }, h("span", {}, label), h("strong", { "data-value": raw }, value));
  const card = h(
    "button",
    { type: "button", class: "card way", "aria-pressed": "false", onclick: () => onpick(at), "data-option": at + 1 },
    h("span", { class: "way-head" }, h("span", { class: "way-number" }, String(way.number)), h("strong", {}, labelsOf(way)), swatch),
    h("span", { class: "soft small" }, answer.families[way.family_id] ?? t("ship.no_family")),
    h(
      "span",
      { class: "way-figures" },
      h(
        "span",
        { class: "kpi-value", "data-key": "cost_usd_per_t", "data-value": way.cost_usd_per_t },
        number(way.cost_usd_per_t, 0),
        h("span", { class: "kpi-unit" }, t("unit.usd_per_t")),
      ),
      h(
        "span",
        { class: "kpi-value", "data-key": "time_d", "data-value": way.time_d },
        number(way.time_d, 1),
        h("span", { class: "kpi-unit" }, t("ship.days")),
      ),
    ),
    pair(t("ship.quantiles"), ["time_p50_d", "time_p80_d", "time_p95_d"].map((key) => number(way[key], 1)).join(" · "), way.time_p95_d),
    pair(t("ship.spread"), `± ${number(way.time_sd_d, 1)} ${t("ship.days")}`, way.time_sd_d),
    way.on_time_share === null || way.on_time_share === undefined
      ? null
      : pair(t("ship.on_time", { date: answer.deadline }), percent(way.on_time_share), way.on_time_share),
    way.lateness_usd_per_t > 0
      ? pair(t("ship.lateness"), `${number(way.lateness_usd_per_t, 1)} ${t("unit.usd_per_t")}`, way.lateness_usd_per_t)
      : null,
    pair(t("ship.co2e"), `${number(way.co2e_kg_per_t, 0)} ${t("ship.kg_per_t")}`, way.co2e_kg_per_t),
    pair(t("ship.length"), `${number(way.length_km, 0)} ${t("unit.km")}`, way.length_km),
    way.permission === "needs_check" || way.isRefused
      ? h("span", { class: "way-warning" }, icon("behind"), way.isRefused ? t(`ship.reason_${way.reason}`) : t("ship.check"))
      : null,
  );
  return card;
}

function legTable(answer, way) {
  const hours = CAUSES.map((cause) => ({ key: `${cause}_h`, label: t(`ship.hours.${cause}`), digits: 1 }));
  return dataTable({
    id: "table-legs",
    caption: t("ship.legs", { way: nameOfWay(answer, way) }),
    fileName: `karvan-route-${answer.origin.place_id}-${answer.destination.place_id}-legs-${way.number}`,
    columns: [
      { key: "where", label: t("column.leg") },
      { key: "mode_name", field: "mode", label: t("column.mode") },
      { key: "operator_name", label: t("column.operator") },
      { key: "length_km", label: t("column.length_km"), digits: 0 },
      { key: "cost_usd_per_t", label: t("column.charge_usd_per_t"), digits: 1 },
      ...hours,
      { key: "sd_h", label: t("column.sd_h"), digits: 1 },
      { key: "variance_share", label: t("column.variance_share"), digits: 3, show: (value) => percent(value) },
      { key: "co2e_kg_per_t", label: t("column.co2e_kg_per_t"), digits: 1 },
    ],
    rows: way.legs.map((leg) => ({
      ...leg,
      where: leg.from === leg.to ? short(leg.from_name) : `${short(leg.from_name)} – ${short(leg.to_name)}`,
      mode_name: term("mode", leg.mode),
      operator_name: answer.operators[leg.operator] ?? leg.operator ?? "",
    })),
  }).element;
}

// What an option tells beside, under any other key: rows as a table with the keys of its rows, words as a list; what stands inside an object too.
function moreOf(answer, way, content = way) {
  return Object.entries(content)
    .filter(([key, value]) => value && typeof value === "object" && !(content === way && KNOWN.includes(key)))
    .flatMap(([key, value]) => {
      if (!Array.isArray(value)) return moreOf(answer, way, value);
      if (!value.length) return [];
      const title = has(`ship.table.${key}`) ? t(`ship.table.${key}`) : key.replaceAll("_", " ");
      if (typeof value[0] !== "object") return [h("p", { class: "soft small", "data-list": key }, `${title}: ${value.join("; ")}.`)];
      return [rowTable(answer, way, key, title, value)];
    });
}

// A cell of such a table: ids by their names, words of a closed list by ours.
function toldOf(answer, name, value) {
  if (/confidence$/.test(name)) return t(`confidence.${value}`);
  if (name === "kind") return term("surcharge", value);
  if (name === "operator") return answer.operators[value] ?? value;
  if (name === "place" || name === "where") return answer.places.find((place) => place.place_id === value)?.name ?? value;
  return name === "basis" ? term("surcharge", value) : String(value);
}

function rowTable(answer, way, key, caption, rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => rows.some((row) => typeof row[name] !== "object"));
  return dataTable({
    id: `table-${key}`,
    caption,
    fileName: `karvan-route-${answer.origin.place_id}-${answer.destination.place_id}-${key}-${way.number}`,
    columns: names.map((name) => {
      const isNumber = rows.some((row) => typeof row[name] === "number");
      const show = (value) => (isNumber ? amount(value) : value ? toldOf(answer, name, value) : "");
      return { key: name, label: term("column", name), isNumber, show };
    }),
    rows,
  }).element;
}

function notesFor(answer, run) {
  return (source) => [
    t("picture.route", { ...valuesOf(answer), scenario: answer.scenario_title }),
    t("ship.not_a_quotation"),
    source,
    run
      ? t("picture.run", {
          version: run.version,
          run_id: run.run_id,
          corridor: run.corridor_title,
          edition: run.corridor_version,
          hash: run.corridor_hash.slice(0, 12),
        })
      : t("picture.case", {
          version: answer.version,
          corridor: answer.corridor_title,
          edition: answer.edition,
          hash: answer.corridor_hash.slice(0, 12),
        }),
  ];
}

function rests(answer) {
  const best = answer.options[0] ?? answer.rejected[0]?.opens;
  const dates = best?.tariffs_published;
  return h(
    "div",
    { class: "soft small prose-wide", "data-note": "rests" },
    h("p", {}, h("strong", {}, t("ship.not_a_quotation"))),
    h(
      "p",
      {},
      t("ship.money", { price_year: answer.price_year, edition: answer.edition }),
      " ",
      dates ? t(dates[0] === dates[1] ? "ship.tariffs_on" : "ship.tariffs", { first: dates[0], last: dates[1] }) : "",
    ),
    best ? h("p", {}, t("ship.estimates", { cost_share: best.cost_estimate_share, time_share: best.time_estimate_share })) : null,
    h("p", {}, t("ship.spread_method")),
    answer.co2e_method ? h("p", {}, t("ship.co2e_method")) : null,
    answer.is_whole ? null : h("p", { class: "problem" }, t("ship.not_whole")),
  );
}

// `run` is told in pictures where the answer belongs to one. Gives the element and the views to draw, as every room does.
export function answerView(context, answer, { run = null, level = "h2" } = {}) {
  const { store } = context;
  const ways = waysOf(answer);
  const own = {
    ...context,
    fileName: (id) => `karvan-${run?.run_id ?? "route"}-${answer.origin.place_id}-${answer.destination.place_id}-${id}`,
    notes: notesFor(answer, run),
  };
  const selected = (state = store.get()) => Math.min(state.way ?? 0, Math.max(0, ways.length - 1));
  const below = `h${Number(level[1]) + 1}`;
  const verdict = VERDICTS[answer.answer];
  const sentence = h(
    level,
    { class: `ship-answer verdict-${verdict}`, id: "ship-answer", tabindex: "-1", "data-answer": answer.answer },
    h("span", { class: "verdict" }, icon(verdict), t(`ship.verdict_${answer.answer}`)),
    " ",
    h("span", {}, t(`ship.answer_${answer.answer}`, valuesOf(answer))),
  );
  const cards = ways.map((way, at) => cardOf(answer, way, at, (picked) => store.set({ way: picked })));
  const table = h("div", {});
  const subtitle = () => t("ship.drawn", valuesOf(answer));
  const chart = ways.length
    ? figure({
        id: "time-distance",
        context: own,
        heading: below,
        title: () => t("ship.chart"),
        subtitle,
        source: t("source.route"),
        height: MAP_HEIGHT,
        option: (colours, state, size) => timeDistanceOption(answer, colours, { selected: selected(state), ...size }),
        table: () => ({
          columns: [
            { key: "way", label: t("column.way") },
            { key: "place", label: t("column.place") },
            { key: "what", label: t("column.cause") },
            { key: "distance_km", label: t("column.length_km"), digits: 0 },
            { key: "time_d", label: t("column.time_d"), digits: 2 },
          ],
          rows: profileRows(answer),
        }),
      })
    : null;
  const map = ways.length
    ? figure({
        id: "way-map",
        context: own,
        heading: below,
        title: () => t("ship.map"),
        subtitle,
        source: t("source.route_map"),
        height: MAP_HEIGHT,
        renderer: "canvas",
        option: (colours, state, size) =>
          wayMapOption(answer, colours, { selected: selected(state), ...size, roam: !size.isPicture, at: size.isPicture ? null : size.at }),
        table: () => ({
          columns: [
            { key: "way", label: t("column.way") },
            { key: "family", label: t("column.family") },
            { key: "by", label: t("ship.by") },
          ],
          rows: ways.map((way) => ({
            way: nameOfWay(answer, way),
            family: answer.families[way.family_id] ?? "",
            by: [...new Set(way.legs.flatMap((leg) => [short(leg.from_name), short(leg.to_name)]))].join(" – "),
          })),
        }),
      })
    : null;
  const told = refusals(answer, below);
  const element = h(
    "div",
    { class: "shipping" },
    sentence,
    answer.answer === "allowed" ? null : told,
    ways.length
      ? h(
          "ul",
          { class: "ways", "aria-label": t("ship.options") },
          cards.map((card) => h("li", {}, card)),
        )
      : null,
    answer.answer === "allowed" ? told : null,
    rests(answer),
    ways.length ? h("div", { class: "pair" }, map.element, chart.element) : null,
    ways.length ? h("section", { class: "card", "aria-label": t("ship.leg_by_leg") }, h(below, {}, t("ship.leg_by_leg")), table) : null,
  );
  const legs = {
    keys: ["way", "theme"],
    draw() {
      if (!ways.length) return;
      const at = selected();
      const colours = palette(store.get().theme);
      cards.forEach((card, index) => {
        card.setAttribute("aria-pressed", String(index === at));
        const line = card.querySelector(".way-line");
        line.style.borderTopColor = colourOfWay(colours, ways[index]);
        line.style.borderTopStyle = dashOfWay(ways[index]) === "solid" ? "solid" : "dashed";
      });
      table.replaceChildren(legTable(answer, ways[at]), ...moreOf(answer, ways[at]));
    },
  };
  const drawn = [map, chart].filter(Boolean).map((view) => ({ ...view, keys: [...view.keys, "way"] }));
  return { element, views: [legs, ...drawn], forget: () => drawn.forEach((view) => view.forget()) };
}

// The report's room: the shipments that the case names, one at a time.
export function shipmentsView(context) {
  const { doc, store } = context;
  if (!doc.shipments?.length) return null;
  const name = (row) =>
    t("ship.shipment", { goods: row.commodity_name, origin: short(row.origin.name), destination: short(row.destination.name) });
  const choice = h(
    "select",
    { id: "shipment", onchange: (event) => store.set({ shipment: Number(event.target.value), way: 0 }) },
    doc.shipments.map((row, at) => h("option", { value: at, selected: at === store.get().shipment }, name(row))),
  );
  const place = h("div", {});
  const element = h(
    "section",
    { id: "shipments", "aria-labelledby": "shipments-title" },
    h("h2", { id: "shipments-title" }, t("ship.title")),
    h("p", { class: "soft" }, t("ship.report_told", { date: doc.shipments[0].date })),
    h("label", { class: "field no-print" }, h("span", {}, t("ship.choose")), choice),
    place,
  );
  let shown = null;
  let at = null;
  return {
    element,
    keys: ["shipment", "way", "theme", "still"],
    draw(changed) {
      const { shipment } = store.get();
      if (at !== shipment) {
        shown?.forget();
        shown = answerView(context, doc.shipments[shipment], { run: doc.run, level: "h3" });
        place.replaceChildren(shown.element);
        at = shipment;
        changed = null;
      }
      for (const view of shown.views) if (changed === null || view.keys.some((key) => changed.includes(key))) view.draw(changed);
    },
  };
}
