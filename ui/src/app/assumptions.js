// What can be moved: sliders inside the range that the tables give, each with unit, source and how far to trust it.
import { chip } from "../cards.js";
import { button, h } from "../dom.js";
import { amount, percent, t, term, unit } from "../i18n.js";

const GROUPS = {
  capacities: (row) => row.table === "facilities" && row.column === "nominal",
  growth: (row) => row.table === "growth",
  finer: (row) => row.table === "facilities",
  answer: () => true,
};
const nameOf = (row) => row.name;
const told = (row, value) =>
  /^share/.test(row.unit ?? "") ? percent(value, 1) : `${amount(value)} ${row.unit && row.unit !== "1" ? unit(row.unit) : ""}`.trim();
const rounded = (value) => Number(value.toPrecision(4));

// From where to where a slider goes: the range of the tables, or half to one and a half of what holds.
function spanOf(row, value) {
  const hasRange = row.low !== null && row.high !== null && row.low < row.high;
  if (hasRange && value >= row.low && value <= row.high) return { low: row.low, high: row.high, isOwn: true };
  const most = /share/.test(row.column) && value > 0 && value <= 1 ? Math.min(1, 1.5 * value) : 1.5 * value;
  return { low: Math.min(0.5 * value, most), high: Math.max(0.5 * value, most), isOwn: false };
}

export function assumptionSliders(app) {
  const { desk, store } = app;
  const { kase } = desk.get();
  const rows = kase.assumptions.filter((row) => row.value !== null && row.value !== 0 && Number.isFinite(row.value)).map(slider);
  const demand = demandSlider();
  const groups = Object.keys(GROUPS).map((name) => {
    const kept = rows.filter(({ row }) => Object.keys(GROUPS).find((each) => GROUPS[each](row)) === name);
    const title = h("span", {}, t(`assume.${name}`, { count: kept.length }));
    const element = h(
      "details",
      { class: "measure-group", open: name === "capacities" ? true : null },
      h("summary", {}, title),
      h(
        "ul",
        { class: "measure-list" },
        kept.map((each) => each.element),
      ),
    );
    return { name, kept, title, element };
  });

  function demandSlider() {
    const shown = h("output", { class: "slider-value" });
    const input = h("input", {
      type: "range",
      min: 0.5,
      max: 1.5,
      step: 0.01,
      "aria-label": t("assume.demand"),
      "data-ref": "demand",
      oninput: (event) => {
        app.edit({ ...desk.get().draft, demand: Number(input.value) }, event.timeStamp);
      },
    });
    const undo = button(t("assume.reset"), () => app.edit({ ...desk.get().draft, demand: 1 }), { class: "link" });
    const element = h(
      "div",
      { class: "assumption" },
      h("div", { class: "fact" }, h("span", {}, t("assume.demand")), shown),
      input,
      h("div", { class: "assumption-foot small" }, h("span", { class: "soft" }, t("assume.demand_told")), undo),
    );
    return {
      element,
      draw() {
        const { demand: factor } = desk.get().draft;
        input.value = factor;
        input.disabled = !app.server.mayChange();
        shown.textContent = `× ${amount(factor)}`;
        undo.hidden = factor === 1;
        element.classList.toggle("is-edited", factor !== 1);
      },
    };
  }

  function slider(row) {
    const name = h("span", {}, nameOf(row));
    const shown = h("output", { class: "slider-value" });
    const range = h("span", { class: "soft" });
    const words = `${nameOf(row)} ${row.column} ${row.note ?? ""} ${row.source?.title ?? ""} ${row.ref}`.toLowerCase();
    const what = term("moved", row.column);
    const input = h("input", {
      type: "range",
      step: "any",
      "aria-label": `${nameOf(row)}: ${what}`,
      "data-ref": row.ref,
      oninput: (event) => {
        const { draft } = desk.get();
        app.edit({ ...draft, moved: { ...draft.moved, [row.ref]: rounded(Number(input.value)) } }, event.timeStamp);
      },
    });
    const undo = button(
      t("assume.reset"),
      () => {
        const { draft } = desk.get();
        const moved = { ...draft.moved };
        delete moved[row.ref];
        app.edit({ ...draft, moved });
        input.focus();
      },
      { class: "link", "aria-label": t("assume.reset_of", { name: nameOf(row) }) },
    );
    const source = row.source?.published ? `${row.source.title} (${row.source.published})` : row.source?.title;
    const element = h(
      "li",
      { class: "assumption" },
      h("div", { class: "fact" }, name, shown),
      h("span", { class: "soft small" }, what),
      input,
      h("div", { class: "assumption-foot small" }, range, undo),
      h(
        "details",
        { class: "small" },
        h("summary", {}, chip(row.confidence), h("span", { class: "visually-hidden" }, t("measure.more", { title: nameOf(row) }))),
        row.doc ? h("p", { class: "soft" }, t(`input_doc.${row.column}`)) : null,
        source ? h("p", { class: "soft" }, t("card.source"), " ", source) : null,
        row.note ? h("p", { class: "soft" }, row.note) : null,
        h("p", { class: "soft" }, t(`assume.acts_${row.live}`)),
      ),
    );
    let drawn = null;
    const draw = () => {
      const { draft, values } = desk.get();
      const held = values?.[row.ref] ?? row.value;
      const moved = draft.moved[row.ref];
      const state = `${held} ${moved} ${app.server.mayChange()}`;
      if (state === drawn) return; // hundreds stand beside the one that is moved
      drawn = state;
      const value = moved ?? held;
      const span = spanOf(row, held);
      input.min = span.low;
      input.max = span.high;
      input.value = value;
      input.disabled = !app.server.mayChange();
      input.setAttribute("aria-valuetext", told(row, value));
      shown.textContent = moved === undefined ? told(row, value) : `${told(row, held)} → ${told(row, value)}`;
      range.textContent = t(span.isOwn ? "assume.range" : "assume.no_range", { low: told(row, span.low), high: told(row, span.high) });
      undo.hidden = moved === undefined;
      element.classList.toggle("is-edited", moved !== undefined);
      element.dataset.held = held;
    };
    return { row, element, words, draw };
  }

  // Limits that are full first, for those are the ones that answer.
  function order(doc) {
    const first = (doc?.stops ?? []).map((stop) => stop.facility_id);
    const rank = ({ row }) => (first.includes(row.row) ? first.indexOf(row.row) : first.length);
    for (const { name, kept, element } of groups)
      if (name === "capacities")
        element.lastElementChild.append(...[...kept].sort((a, b) => rank(a) - rank(b)).map((each) => each.element));
  }

  const year = h("p", { class: "soft small" });
  const search = h("input", {
    type: "search",
    "aria-label": t("assume.filter"),
    placeholder: t("assume.filter"),
    oninput: (event) => {
      const wanted = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const each of rows) each.element.hidden = !wanted.every((word) => each.words.includes(word));
      for (const { name, kept, title, element } of groups) {
        const left = kept.filter((each) => !each.element.hidden).length;
        title.textContent = t(`assume.${name}`, { count: left });
        element.hidden = left === 0;
        if (wanted.length && left) element.open = true;
      }
    },
  });
  const element = h(
    "div",
    { class: "drawer-part" },
    year,
    search,
    demand.element,
    groups.map((each) => each.element),
  );
  function draw() {
    year.textContent = t("assume.year", { year: store.get().year });
    demand.draw();
    for (const each of rows) each.draw();
  }
  draw();
  return { element, draw, order };
}
