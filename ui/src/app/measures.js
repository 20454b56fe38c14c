// The case's measures as cards: tick, date, what changes, cost, who pays, status, on whose word.
import { chip } from "../cards.js";
import { h } from "../dom.js";
import { amount, has, percent, t, term, unit } from "../i18n.js";
import { toggled } from "./draft.js";

export function measureCards(app) {
  const { desk } = app;
  const { kase } = desk.get();
  const titles = Object.fromEntries(kase.measures.map((row) => [row.measure_id, row.title]));
  const names = (ids) => ids.map((id) => titles[id] ?? id).join("; ");
  const cards = kase.measures.map((row) => ({ row, ...card(row) }));
  const said = h("p", { class: "small", role: "status" });
  const count = h("p", { class: "soft small", role: "status" });
  const groups = ["in", "could", "happened"].map((name) => {
    const list = h("ul", { class: "measure-list" });
    const title = h("span", {});
    const element = h("details", { class: "measure-group", open: name === "happened" ? null : true }, h("summary", {}, title), list);
    return { name, list, title, element };
  });
  let sought = "";

  function card(row) {
    const tick = h("input", {
      type: "checkbox",
      id: `tick-${row.measure_id}`,
      "data-measure": row.measure_id,
      onchange: () => {
        const { draft, also, instead } = toggled(kase, desk.get().draft, row.measure_id);
        said.textContent = [
          also.length ? t("measure.also", { titles: names(also) }) : "",
          instead.length ? t("measure.instead", { titles: names(instead) }) : "",
        ].join(" ");
        app.edit(draft);
      },
    });
    const paid = row.sponsors.map((each) => (each.share === null ? each.name : `${each.name} ${percent(each.share)}`)).join(", ");
    const size = sizeOf(row);
    const told = row.source?.published ? `${row.source.title} (${row.source.published})` : row.source?.title;
    const until = row.until_date ? t("measure.until", { date: row.until_date }) : null;
    const facts = [row.from_date, until, costOf(row), term("status", row.status)].filter(Boolean).join(" · ");
    const element = h(
      "li",
      { class: "measure" },
      tick,
      h(
        "div",
        { class: "measure-words" },
        h("label", { for: `tick-${row.measure_id}` }, row.title),
        h("p", { class: "small" }, facts),
        size ? h("p", { class: "soft small" }, size) : null,
        paid ? h("p", { class: "soft small" }, t("measure.paid_by", { sponsors: paid })) : null,
        h(
          "details",
          { class: "small" },
          h("summary", {}, chip(row.confidence), h("span", { class: "visually-hidden" }, t("measure.more", { title: row.title }))),
          row.doc ? h("p", { class: "soft" }, row.doc) : null,
          row.is_date_estimate ? h("p", { class: "soft" }, t("measure.date_is_ours")) : null,
          told ? h("p", { class: "soft" }, t("card.source"), " ", told) : null,
          row.requires.length ? h("p", { class: "soft" }, t("measure.requires", { titles: names(row.requires) })) : null,
          row.excludes.length ? h("p", { class: "soft" }, t("measure.excludes", { titles: names(row.excludes) })) : null,
        ),
      ),
    );
    const words = [row.title, row.doc, size, paid, row.status, row.measure_id, told].join(" ").toLowerCase();
    return { element, tick, words };
  }

  function group() {
    const own = new Set(
      kase.scenarios.find((each) => each.scenario_id === desk.get().draft.scenario)?.measures.map((each) => each.measure_id),
    );
    for (const { name, list } of groups) {
      const kept = cards.filter(({ row }) => {
        const place = own.has(row.measure_id) ? (row.status === "happened" ? "happened" : "in") : "could";
        return place === name;
      });
      list.replaceChildren(...kept.map(({ element }) => element));
    }
    filter();
  }

  function filter() {
    const wanted = sought.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const each of cards) {
      each.element.hidden = !wanted.every((word) => each.words.includes(word));
      shown += each.element.hidden ? 0 : 1;
    }
    for (const { name, list, title, element } of groups) {
      const left = [...list.children].filter((each) => !each.hidden).length;
      title.textContent = t(`measure.group_${name}`, { count: left });
      element.hidden = left === 0;
      if (wanted.length && left) element.open = true;
    }
    count.textContent = wanted.length ? t("measure.found", { count: shown }) : "";
  }

  let drawn = null;
  function draw() {
    const { draft, base } = desk.get();
    const state = [draft.ticked, base?.ticked, app.server.mayChange()];
    if (drawn?.every((each, at) => each === state[at])) return;
    drawn = state;
    const ticked = new Set(draft.ticked);
    const before = new Set(base?.ticked ?? draft.ticked);
    for (const { row, element, tick } of cards) {
      tick.checked = ticked.has(row.measure_id);
      tick.disabled = !app.server.mayChange();
      element.classList.toggle("is-ticked", tick.checked);
      element.classList.toggle("is-edited", tick.checked !== before.has(row.measure_id));
    }
  }

  const search = h("input", {
    type: "search",
    "aria-label": t("measure.filter"),
    placeholder: t("measure.filter"),
    oninput: (event) => {
      sought = event.target.value;
      filter();
    },
  });
  const element = h(
    "div",
    { class: "drawer-part" },
    search,
    count,
    said,
    groups.map((each) => each.element),
  );
  group();
  draw();
  return { element, draw, group };
}

const TOLD_OF_SIZE = 2;

// What a measure changes, the first of it.
function sizeOf({ changes, changes_count: count }) {
  const told = changes.slice(0, TOLD_OF_SIZE).map(changeOf);
  if (count > TOLD_OF_SIZE) told.push(t("change.more", { count: count - TOLD_OF_SIZE }));
  return told.join("; ");
}

// Words of closed lists that name what a measure changes.
const WORDS = { mode: (id) => term("mode", id), loading: (id) => term("loading", id) };

function changeOf({ kind, parts, column, old, new: now, factor, unit: name }) {
  const values = { name: parts.map(({ text, kind: word, id }) => text ?? WORDS[word](id)).join(", "), what: term("changed", column) };
  if (has(`change.${kind}`) && kind !== "set") return t(`change.${kind}`, values);
  if (factor !== null) return t("change.times", { ...values, factor });
  if (column === "is_open") return t(now ? "change.open" : "change.close", values);
  if (typeof now === "boolean") return t(now ? "change.holds" : "change.ends", values);
  const shown = (value) => (typeof value === "number" ? amount(value) : (value ?? t("change.nothing")));
  return t("change.set", { ...values, old: shown(old), new: shown(now), unit: name ? unit(name) : "" }).trim();
}

function costOf(row) {
  if (row.capital_musd === null || row.capital_musd === undefined)
    return row.is_operating ? t("relief.no_building") : t("relief.cost_not_known");
  return row.capital_musd === 0 ? t("relief.no_building") : t("measure.cost", { cost: amount(row.capital_musd) });
}
