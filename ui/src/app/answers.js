// What the server says when it is asked on: where a number comes from, what rests on a place, why a market chose as it did.
import { chip } from "../cards.js";
import { button, h } from "../dom.js";
import { amount, has, number, percent, signed, t, term, unit } from "../i18n.js";
import { dataTable } from "../tables.js";
import { query } from "./server.js";

const problem = (refusal) => h("p", { class: "problem", role: "alert" }, refusal.message);
const busy = (text) => h("p", { class: "soft", role: "status" }, text);

// Under a card: all that is known of its values, and what rests on the place.
export function moreOf(app, run) {
  return (kind, id, name) => {
    const body = h("div", { class: "known" });
    const known = h("details", {}, h("summary", {}, t("card.known")), body);
    let isAsked = false;
    known.addEventListener("toggle", async () => {
      if (!known.open || isAsked) return;
      isAsked = true;
      body.replaceChildren(busy(t("app.loading")));
      try {
        const ref = kind === "figure" ? id : `${kind === "link" ? "links" : "facilities"}.${id}`;
        body.replaceChildren(explained(await app.server.ask(`/api/runs/${run.run_id}/explain?${query({ ref })}`)));
      } catch (refusal) {
        isAsked = false;
        body.replaceChildren(problem(refusal));
      }
    });
    if (kind === "figure") return known;
    const rests = button(t("card.rests"), () => app.showElement(id, name), { "data-ask": "select-link" });
    rests.disabled = !app.server.mayChange() || !run.is_of_this_case;
    return h("div", { class: "more" }, known, rests, run.is_of_this_case ? null : h("p", { class: "soft small" }, t("card.other_case")));
  };
}

function explained({ matches }) {
  return h(
    "div",
    {},
    matches.map((match) => {
      const titles = Object.fromEntries(
        match.sources.map((row) => [row.source_id, row.published ? `${row.title} (${row.published})` : row.title]),
      );
      const values = match.values.filter((row) => typeof row.value === "number" && row.doc);
      return h(
        "section",
        { class: "known-match" },
        match.doc ? h("p", { class: "soft small" }, match.doc) : null,
        h(
          "dl",
          { class: "values" },
          values.map((row) => [
            h("dt", {}, row.doc, " ", row.confidence ? chip(row.confidence) : null),
            h(
              "dd",
              {},
              h(
                "strong",
                {},
                typeof row.value === "number"
                  ? `${amount(row.value)} ${row.unit && row.unit !== "1" ? unit(row.unit) : ""}`
                  : String(row.value),
              ),
              row.low !== null ? h("span", { class: "soft" }, ` ${t("card.range", { low: row.low, high: row.high })}`) : null,
              row.source ? h("div", { class: "soft small" }, t("card.source"), " ", titles[row.source] ?? row.source) : null,
              row.note ? h("div", { class: "soft small" }, row.note) : null,
            ),
          ]),
        ),
        match.measures.length
          ? [
              h("h4", {}, t("card.measures")),
              h(
                "ul",
                { class: "plain small" },
                match.measures.map((row) => h("li", {}, [row.from_date, row.title].filter(Boolean).join(" · "))),
              ),
            ]
          : null,
      );
    }),
  );
}

// A section of the page under the map, filled by a question that takes seconds.
export function makeAnswers(app, doc, run) {
  const { store } = app;
  const names = Object.fromEntries(doc.places.map((place) => [place.place_id, place.name.replace(/ \(.*\)$/, "")]));
  const element = h("section", { id: "answers", class: "card", hidden: true, "aria-labelledby": "answers-title" });
  let turn = 0;

  async function asked(title, path, draw, otherwise = problem) {
    turn += 1;
    const own = turn;
    const heading = h("h2", { id: "answers-title", tabindex: "-1" }, title);
    const close = button(t("card.close"), () => {
      element.hidden = true;
      element.replaceChildren();
    });
    const body = h("div", { class: "answer-body", "aria-busy": "true" }, busy(t("answers.asking")));
    element.replaceChildren(h("div", { class: "card-head" }, heading, close), body);
    element.hidden = false;
    element.scrollIntoView({ block: "start" });
    heading.focus({ preventScroll: true });
    try {
      const answer = await app.server.ask(path);
      if (own === turn) body.replaceChildren(draw(answer));
    } catch (refusal) {
      if (own === turn) body.replaceChildren(otherwise(refusal));
    }
    body.removeAttribute("aria-busy");
  }

  const showElement = (id, name) => {
    const { year } = store.get();
    const path = `/api/runs/${run.run_id}/select-link?${query({ element: id, year })}`;
    return asked(t("answers.rests", { name, year }), path, (answer) => elementBody(answer));
  };

  const showMarket = (market) => {
    const { year } = store.get();
    const path = `/api/runs/${run.run_id}/market?${query({ market, year })}`;
    return asked(t("answers.market", { market: market.replaceAll(":", " – ").replaceAll("_", " "), year }), path, marketBody, (refusal) => {
      if (refusal.status !== 422 || market.split(":").length !== 3) return problem(refusal);
      const forms = ["loose", "boxed"].map((form) =>
        button(term("form", form), () => showMarket(`${market}:${form}`), { "data-form": form }),
      );
      return h("div", { class: "tools" }, h("span", {}, t("market.forms")), forms);
    });
  };

  const goodsOf = (row) => `${row.commodity_name}, ${term("form", row.form)}`;

  function elementBody(found) {
    const closed = found.if_closed;
    const told = [
      t("element.carries", { flow_kt: found.flow_kt, teu: found.flow_teu, paid: number(found.paid_musd, 1) }),
      closed.carried_kt === 0
        ? t("element.nothing")
        : t("element.closed", {
            carried_kt: closed.carried_kt,
            rerouted_kt: closed.rerouted_kt,
            kept_kt: closed.kept_home_kt,
            loss_usd: closed.loss_usd_per_day,
            loss_musd: number(closed.loss_musd, 1),
            lost_mt: number(closed.headline_lost_mt, 2),
          }),
      t("element.how"),
    ];
    const bundles = dataTable({
      id: "table-bundles",
      caption: t("element.bundles"),
      fileName: `karvan-${run.run_id}-${found.element_id}-bundles`,
      filter: true,
      columns: [
        { key: "origin_name", label: t("column.origin") },
        { key: "destination_name", label: t("column.destination") },
        { key: "goods", label: t("column.goods"), open: (row) => showMarket(row.market) },
        { key: "flow_kt", label: t("column.flow_kt"), digits: 1 },
        { key: "load_share", label: t("column.load_share"), digits: 3, show: (value) => percent(value, 1) },
        { key: "price_usd_per_t", label: t("column.pays"), digits: 1 },
        { key: "paid_musd", label: t("column.paid_musd"), digits: 2 },
      ],
      rows: found.bundles.map((row) => ({
        ...row,
        goods: goodsOf(row),
        market: `${row.origin_region}:${row.destination_region}:${row.commodity_group}:${row.form}`,
      })),
    });
    const ways = dataTable({
      id: "table-ways",
      caption: t("element.ways"),
      fileName: `karvan-${run.run_id}-${found.element_id}-closed`,
      columns: [
        { key: "name", label: t("column.what") },
        { key: "more_kt", label: t("column.more_kt"), digits: 1, show: (value) => signed(value, 1) },
        { key: "use_share", label: t("column.then_used"), digits: 2, show: (value) => (value === null ? "" : percent(value)) },
      ],
      rows: [
        ...closed.families.map((row) => ({ name: row.name, more_kt: row.flow_kt, use_share: null })),
        ...closed.taken_up.map((row) => ({ name: row.name, more_kt: row.more_kt, use_share: row.use_share })),
      ].filter((row) => Math.abs(row.more_kt) >= 0.05),
    });
    return h(
      "div",
      { class: "prose-wide" },
      told.map((text) => h("p", {}, text)),
      bundles.element,
      ways.element,
    );
  }

  // Places stand by their ids in what the model says.
  function toldWhy({ key, values, text }) {
    if (!has(`why.${key}`)) return text;
    const place = (id) => (typeof id === "string" ? (names[id] ?? id) : id);
    return t(`why.${key}`, { ...values, origin: place(values.origin), destination: place(values.destination) });
  }

  function marketBody(found) {
    document.getElementById("answers-title").textContent = t("market.title", {
      goods: goodsOf(found),
      origin: found.origin_name,
      destination: found.destination_name,
      year: found.year,
    });
    const families = dataTable({
      id: "table-families",
      caption: t("market.families"),
      fileName: `karvan-${run.run_id}-market`,
      columns: [
        { key: "name", label: t("column.family") },
        { key: "flow_kt", label: t("column.flow_kt"), digits: 1 },
        { key: "share", label: t("column.share"), digits: 3, show: (value) => percent(value, 1) },
        { key: "free_composite_usd_per_t", label: t("column.cost"), digits: 1 },
        { key: "scarcity", label: t("column.scarcity"), digits: 1, show: (value) => signed(value, 1) },
        { key: "constant_usd_per_t", label: t("column.constant"), digits: 1, show: (value) => signed(value, 1) },
        { key: "free_share", label: t("column.free_share"), digits: 3, show: (value) => percent(value, 1) },
      ],
      rows: found.families.map((row) => ({ ...row, scarcity: row.composite_usd_per_t - row.free_composite_usd_per_t })),
    });
    const parts = ["tariff", "handling", "time", "waiting", "reliability", "co2", "delay"];
    const routes = dataTable({
      id: "table-routes",
      caption: t("market.routes"),
      fileName: `karvan-${run.run_id}-market-routes`,
      columns: [
        { key: "way", label: t("column.way") },
        { key: "flow_kt", label: t("column.flow_kt"), digits: 1 },
        { key: "days", label: t("column.time_d"), digits: 1 },
        ...parts.map((key) => ({ key, label: t(`part.${key}`), digits: 1 })),
        { key: "scarce", label: t("column.scarcity"), digits: 1 },
      ],
      rows: found.families.flatMap((family) =>
        family.routes.slice(0, 3).map((route, at) => ({
          way: at === 0 && family.legs.length ? `${family.name}: ${stopsOf(family.legs, names)}` : `${family.name}, ${at + 1}`,
          flow_kt: route.flow_kt,
          days: route.time_h / 24,
          ...route.components_usd_per_t,
          scarce: route.paid_usd_per_t - route.cost_usd_per_t,
        })),
      ),
    });
    return h(
      "div",
      { class: "prose-wide" },
      h("p", {}, t("market.asked", { demand_kt: found.demand_kt, shipped_kt: found.demand_kt - found.not_shipped_kt })),
      h("h3", {}, t("market.why")),
      h(
        "ul",
        { class: "why" },
        found.why.map((sentence) => h("li", {}, toldWhy(sentence))),
      ),
      families.element,
      routes.element,
    );
  }

  return { element, showElement, showMarket };
}

function stopsOf(legs, names) {
  const stops = [legs[0].from];
  for (const leg of legs) if (leg.to !== stops.at(-1)) stops.push(leg.to);
  const told = stops.map((id) => names[id] ?? id.replaceAll("_", " "));
  return told.length > 8 ? [...told.slice(0, 4), "…", ...told.slice(-3)].join(" – ") : told.join(" – ");
}
