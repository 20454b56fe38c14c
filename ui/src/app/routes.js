// The room of a shipper: what is asked, and the answer. What was asked stands in the address; the answer stays while other rooms are looked at.
import { button, h } from "../dom.js";
import { t } from "../i18n.js";
import { originOf } from "../names.js";
import { answerView } from "../shipping.js";
import { field } from "./fields.js";

const CARGO = { tonnes: "tonnes", value: "value_usd_per_t", unit: "unit_t", piece: "piece_t" };
export const ASKED = [
  ...["from", "to", "goods", "ready", "deadline", "avoid", "via", "network"],
  ...["tonnes", "value", "unit", "piece", "reefer", "hazard", "oversize", "carrier", "scarcity"],
];
const MOST_QUOTES_SIGNS = 48000; // as the server takes
const several = (text) =>
  text
    .split(";")
    .map((word) => word.trim())
    .filter(Boolean);
const simple = (text) => text.trim().toLowerCase();

// What the address asks, or null where it asks nothing.
export function routeAsked(params) {
  const found = Object.fromEntries(ASKED.map((name) => [name, params.get(name)]).filter(([, value]) => value));
  return Object.keys(found).length ? found : null;
}

// Places by what people call them; a name that two places have is left to the server, which lists them.
function placesOf(kase) {
  const byWord = new Map();
  const english = Object.fromEntries(originOf(kase).places.map((place) => [place.place_id, place.name]));
  for (const place of kase.places) {
    const own = [place.place_id, place.name, english[place.place_id], place.unlocode, ...(place.aliases ?? "").split(";")];
    const words = own.filter(Boolean).map(simple);
    for (const word of new Set(words)) byWord.set(word, byWord.has(word) ? null : place);
  }
  const names = Object.fromEntries(kase.places.map((place) => [place.place_id, place.name]));
  return { idOf: (text) => byWord.get(simple(text))?.place_id ?? text.trim(), nameOf: (id) => names[id] ?? id ?? "" };
}

export function routesRoom(app, context, run) {
  const { desk, store, server } = app;
  const { kase } = desk.get();
  const { idOf, nameOf } = placesOf(kase);
  const now = { goods: kase.commodities[0]?.commodity_group, ready: kase.facts_until, ...(desk.get().route ?? {}) };
  const words = (id, value, more = {}) =>
    h("input", { type: "text", id, value, maxlength: 300, autocomplete: "off", spellcheck: "false", ...more });
  const named = (id, value) => words(id, nameOf(value), { list: "ship-places", required: true, maxlength: 120 });
  const inputs = {
    from: named("ship-from", now.from),
    to: named("ship-to", now.to),
    goods: h(
      "select",
      { id: "ship-goods" },
      kase.commodities.map((row) =>
        h(
          "option",
          { value: row.commodity_group, selected: row.commodity_group === now.goods },
          row.aliases ? `${row.name} (${row.aliases.replaceAll(";", ", ")})` : row.name,
        ),
      ),
    ),
    ready: h("input", { type: "date", id: "ship-ready", value: now.ready, required: true }),
    deadline: h("input", { type: "date", id: "ship-deadline", value: now.deadline ?? "" }),
    avoid: words(
      "ship-avoid",
      several(now.avoid ?? "")
        .map(nameOf)
        .join("; "),
      { list: "ship-words" },
    ),
    via: words(
      "ship-via",
      several(now.via ?? "")
        .map(nameOf)
        .join("; "),
      { list: "ship-words" },
    ),
    network: h(
      "select",
      { id: "ship-network" },
      run?.is_of_this_case ? h("option", { value: "" }, t("ship.network_run", { name: run.name })) : null,
      kase.scenarios.map((row) =>
        h(
          "option",
          {
            value: row.scenario_id,
            selected: row.scenario_id === (now.network ?? (run?.is_of_this_case ? null : kase.baseline)),
          },
          `${row.title} (${row.scenario_id})`,
        ),
      ),
    ),
  };
  const amountOf = (name) => h("input", { type: "number", id: `ship-${name}`, min: 0, step: "any", value: now[name] ?? "" });
  const tickOf = (name) => h("input", { type: "checkbox", id: `ship-${name}`, checked: now[name] === "1" });
  const more = {
    ...Object.fromEntries(Object.keys(CARGO).map((name) => [name, amountOf(name)])),
    reefer: tickOf("reefer"),
    oversize: tickOf("oversize"),
    hazard: words("ship-hazard", now.hazard ?? "", { pattern: "[1-9](\\.[1-9])?", maxlength: 3 }),
    carrier: words("ship-carrier", now.carrier ?? "", { pattern: "[A-Za-z]{2}", maxlength: 2, list: "ship-words" }),
    scarcity: h(
      "select",
      { id: "ship-scarcity" },
      ["", "price", "queue"].map((name) =>
        h("option", { value: name, selected: name === (now.scarcity ?? "") }, t(`ship.scarcity_${name || "none"}`)),
      ),
    ),
  };
  // Full places cost as a run found them, so that they are told only where its network is asked.
  const drawScarcity = () => {
    more.scarcity.disabled = inputs.network.value !== "";
    if (more.scarcity.disabled) more.scarcity.value = "";
  };
  inputs.network.addEventListener("change", drawScarcity);
  drawScarcity();
  const told = h("span", { class: "small", role: "status" });
  const file = h("input", { type: "file", id: "ship-quotes", accept: ".csv,text/csv", class: "visually-hidden", onchange: () => take(file.files[0]) });
  const drop = button(t("ship.quotes_drop"), () => take(null), { class: "link", id: "ship-quotes-drop" });
  async function take(chosen) {
    const text = chosen && chosen.size <= 4 * MOST_QUOTES_SIGNS ? await chosen.text() : null;
    const isTooLong = Boolean(chosen) && (text === null || text.length > MOST_QUOTES_SIGNS);
    desk.set({ quotes: text && !isTooLong ? { name: chosen.name, text } : null });
    file.value = ""; // so that the same file can be taken again once it was mended
    drawQuotes();
    if (isTooLong) told.textContent = t("ship.quotes_too_long", { most: MOST_QUOTES_SIGNS });
  }
  function drawQuotes() {
    const { quotes } = desk.get();
    told.textContent = quotes ? t("ship.quotes_taken", { name: quotes.name }) : "";
    drop.hidden = !quotes;
  }
  drawQuotes();
  const isAsked = ["tonnes", "value", "unit", "piece", "reefer", "hazard", "oversize", "carrier", "scarcity"].some((name) => now[name]);
  const tick = (label, control) => h("label", { class: "ship-tick" }, control, h("span", {}, label));
  const details = h(
    "details",
    { class: "ship-more", open: isAsked || desk.get().quotes ? true : null },
    h("summary", {}, t("ship.more")),
    h("div", { class: "ship-fields" }, [
      field(t("ship.tonnes"), more.tonnes),
      field(t("ship.value"), more.value),
      field(t("ship.unit"), more.unit),
      field(t("ship.piece"), more.piece),
      field(t("ship.hazard"), more.hazard),
      field(t("ship.carrier"), more.carrier),
      h("div", { class: "ship-ticks" }, tick(t("ship.reefer"), more.reefer), tick(t("ship.oversize"), more.oversize)),
      field(t("ship.scarcity"), more.scarcity),
      h(
        "div",
        { class: "drawer-field" },
        h("span", { class: "soft small" }, t("ship.quotes")),
        h("div", { class: "tools" }, h("label", { class: "button file" }, t("ship.quotes_choose"), file), told, drop),
      ),
    ]),
    h("p", { class: "soft small" }, t("ship.quotes_told")),
  );
  const lists = [
    h(
      "datalist",
      { id: "ship-places" },
      kase.places.map((place) =>
        h("option", { value: place.name, label: [place.country, place.unlocode, place.aliases].filter(Boolean).join(" · ") }),
      ),
    ),
    h(
      "datalist",
      { id: "ship-words" },
      [...new Set(kase.places.map((place) => place.country))].sort().map((country) => h("option", { value: country })),
      kase.families.map((row) => h("option", { value: row.family_id, label: row.name })),
      kase.places.map((place) => h("option", { value: place.name, label: place.country })),
    ),
  ];
  const find = h("button", { type: "submit", class: "primary", id: "ship-find" }, t("ship.find"));
  const cancel = button(t("ship.cancel"), () => waiting?.abort(), { id: "ship-cancel", hidden: true });
  const said = h("p", { class: "small", role: "status" });
  find.disabled = !server.mayChange();
  const form = h(
    "form",
    {
      class: "card ship-form no-print",
      "aria-labelledby": "ship-title",
      onsubmit: (event) => {
        event.preventDefault();
        ask();
      },
    },
    h("div", { class: "ship-fields" }, [
      field(t("ship.from"), inputs.from),
      field(t("ship.to"), inputs.to),
      field(t("ship.goods"), inputs.goods),
      field(t("ship.ready"), inputs.ready),
      field(t("ship.deadline"), inputs.deadline),
      field(t("ship.avoid"), inputs.avoid),
      field(t("ship.via"), inputs.via),
      field(t("ship.network"), inputs.network),
    ]),
    lists,
    details,
    h("div", { class: "tools" }, find, cancel, said),
    h("p", { class: "soft small" }, t(server.mayChange() ? "ship.hint" : "app.reader")),
  );
  const place = h("div", { id: "ship-place" }, h("p", { class: "soft" }, t("ship.nothing_yet")));
  const element = h(
    "div",
    { class: "room" },
    h("h1", { id: "ship-title" }, t("ship.title")),
    h("p", { class: "soft" }, t("ship.told")),
    form,
    place,
  );
  let waiting = null;
  let shown = null;

  function asked() {
    const ids = (text) => several(text).map(idOf).join(";");
    const found = {
      from: idOf(inputs.from.value),
      to: idOf(inputs.to.value),
      goods: inputs.goods.value,
      ready: inputs.ready.value,
      deadline: inputs.deadline.value,
      avoid: ids(inputs.avoid.value),
      via: ids(inputs.via.value),
      network: inputs.network.value,
      ...Object.fromEntries([...Object.keys(CARGO), "scarcity"].map((name) => [name, more[name].value])),
      hazard: more.hazard.value.trim(),
      carrier: more.carrier.value.trim().toUpperCase(),
      reefer: more.reefer.checked ? "1" : "",
      oversize: more.oversize.checked ? "1" : "",
    };
    return Object.fromEntries(Object.entries(found).filter(([, value]) => value));
  }

  async function ask() {
    waiting?.abort();
    const own = new AbortController();
    waiting = own;
    const route = asked();
    desk.set({ route, answer: null });
    app.go("routes", { isKept: true });
    cancel.hidden = false;
    place.setAttribute("aria-busy", "true");
    said.textContent = t("ship.asking");
    const body = {
      client: app.client,
      origin: route.from,
      destination: route.to,
      commodity: route.goods,
      depart: route.ready,
      deadline: route.deadline ?? null,
      avoid: several(route.avoid ?? ""),
      via: several(route.via ?? ""),
      ...Object.fromEntries(Object.entries(CARGO).map(([name, key]) => [key, route[name] ? Number(route[name]) : null])),
      is_reefer: route.reefer === "1",
      hazard_class: route.hazard || null,
      carrier: route.carrier || null,
      is_out_of_gauge: route.oversize === "1",
      quotes: desk.get().quotes?.text ?? null,
      scarcity: route.scarcity || null,
      ...(route.network ? { scenario: route.network } : { run_id: run?.run_id ?? null }),
    };
    try {
      const answer = await server.ask("/api/routes", { method: "POST", body, signal: own.signal });
      if (waiting !== own) return;
      store.set({ way: 0 });
      desk.set({ answer });
      draw();
      said.textContent = "";
      document.getElementById("ship-answer").focus({ preventScroll: true });
    } catch (refusal) {
      if (waiting !== own) return;
      said.textContent = "";
      if (refusal.name === "AbortError") said.textContent = t("ship.cancelled");
      else place.replaceChildren(h("p", { class: "card problem", role: "alert" }, refusal.message));
    }
    waiting = null;
    cancel.hidden = true;
    place.removeAttribute("aria-busy");
  }

  function draw() {
    const { answer } = desk.get();
    shown?.forget();
    const of = answer.run_id && answer.run_id === run?.run_id ? context?.doc.run : null;
    shown = answerView({ ...(context ?? {}), store }, answer, { run: of ?? null });
    place.replaceChildren(shown.element);
    for (const view of shown.views) view.draw(null);
  }

  const view = {
    keys: ["way", "theme", "still"],
    draw(changed) {
      if (changed !== null)
        return void shown?.views.forEach((each) => each.keys.some((key) => changed.includes(key)) && each.draw(changed));
      if (desk.get().answer) draw();
      else if (server.mayChange() && now.from && now.to && desk.get().route) ask();
    },
  };
  return { element, views: [view] };
}
