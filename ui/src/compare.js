// Two runs held against each other.
import { drawingElement } from "./charts.js";
import { picker } from "./controls.js";
import { h } from "./dom.js";
import { titleOf } from "./first.js";
import { amount, signed, t, unit } from "./i18n.js";
import { ladderList, ladderRows } from "./ladder.js";
import { makeMap } from "./map.js";
import { dataTable } from "./tables.js";
import { palette } from "./theme.js";
import { PAPER_MAP, mapOption } from "./where.js";

export function compareView(context) {
  const { doc, comparison, store, cards } = context;
  if (!context.against || !comparison?.years.length) return null;
  const against = { ...context.against, views: doc.views }; // both maps show the same place
  const year = () => (comparison.years.includes(store.get().year) ? store.get().year : comparison.focus_year);
  const at = (state) => ({ ...state, year: year() });
  const changes = () => {
    const index = comparison.years.indexOf(year());
    return Object.fromEntries(comparison.links.map((row) => [row.link_id, row.change_kt[index]]));
  };
  const pane = (name, title) =>
    h("div", {
      class: `map map-small`,
      id: `map-${name}`,
      tabindex: "0",
      role: "group",
      "aria-roledescription": t("map.role"),
      "aria-label": title,
    });
  const titles = {
    ours: t("compare.ours", { title: titleOf(doc.run), run_id: doc.run.run_id }),
    theirs: t("compare.theirs", { title: titleOf(against.run), run_id: against.run.run_id }),
    change: t("compare.change_title"),
  };
  const panes = Object.fromEntries(Object.entries(titles).map(([name, title]) => [name, pane(name, title)]));
  const block = (name) =>
    h(
      "div",
      { class: "map-frame", "data-pane": name },
      h("div", { class: "map-paper", "data-paper-of": name }),
      panes[name],
      h("p", { class: "map-label" }, titles[name]),
      name === "ours" ? null : h("p", { class: "endorsement" }, t("map.endorsement")),
    );
  const blocks = Object.fromEntries(Object.keys(titles).map((name) => [name, block(name)]));
  const maps = {};
  const names = { corridor: "figure.corridor", boxes: "figure.boxes", crude: "figure.crude", latent: "figure.latent", rent: "figure.rent" };
  const figures = dataTable({
    id: "table-compare",
    caption: t("compare.figures"),
    fileName: `karvan-${doc.run.run_id}-against-${against.run.run_id}`,
    columns: [
      { key: "name", label: t("column.figure") },
      ...["ours", "theirs", "change"].map((key) => ({
        key,
        label: t(`column.${key}`),
        isNumber: true,
        show: (value, row) => (key === "change" ? signed(value, row.unit === "Mt" ? 3 : 0) : amount(value)),
      })),
      { key: "unit", label: t("column.unit"), show: (value) => unit(value) },
    ],
    rows: comparison.figures.map((row) => ({ ...row, name: t(names[row.figure_id], { year: row.year }) })),
  });
  const limits = dataTable({
    id: "table-compare-limits",
    caption: t("compare.limits", { year: year() }),
    columns: [
      { key: "name", label: t("column.facility"), open: (row) => cards.facility(row.facility_id) },
      { key: "flow", label: t("column.carried"), digits: 1, show: (value) => signed(value, 1) },
      { key: "capacity", label: t("column.capacity"), digits: 1, show: (value) => signed(value, 1) },
      { key: "turned_away", label: t("column.turned_away"), digits: 1, show: (value) => signed(value, 1) },
      { key: "unit", label: t("column.unit_thousands"), show: (value) => unit(value) },
    ],
    rows: limitRows(),
  });
  const ladder = h("div", {});
  function drawLadder() {
    const before = ladderRows(against, year(), { onCorridor: false });
    const rows = ladderRows(doc, year()).slice(0, 8);
    ladder.replaceChildren(rows.length ? ladderList(rows, { onopen: cards.facility, before }) : h("p", {}, t("ladder.nothing")));
  }
  function limitRows() {
    const index = comparison.years.indexOf(year());
    return comparison.facilities
      .map((row) => ({
        facility_id: row.facility_id,
        name: row.name,
        unit: row.unit,
        flow: row.flow[index],
        capacity: row.capacity[index],
        turned_away: row.turned_away[index],
      }))
      .filter((row) => Math.abs(row.flow) + Math.abs(row.capacity) + Math.abs(row.turned_away) > 0.01);
  }
  const element = h(
    "section",
    { id: "compare", "aria-labelledby": "compare-title" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { id: "compare-title" }, t("compare.title")),
      picker(
        t("compare.view"),
        [
          ["two", t("compare.two")],
          ["difference", t("compare.difference")],
        ],
        store,
        "compare",
      ),
    ),
    h("p", { class: "soft" }, t(context.comparedText ?? "compare.told")),
    h(
      "div",
      { class: "compare-maps" },
      h("div", { class: "card stacked" }, Object.values(blocks), context.yearBar?.()),
      h(
        "div",
        { class: "card ladder-panel", id: "compare-ladder" },
        h("h3", {}, t("compare.ladder")),
        h("p", { class: "soft small" }, t("compare.ladder_told")),
        ladder,
      ),
    ),
    h("div", { class: "pair" }, h("div", { class: "card" }, figures.element), h("div", { class: "card" }, limits.element)),
  );
  return {
    element,
    keys: ["year", "theme", "goods", "colourBy", "compare", "still", "preset", "scope", "paper"],
    draw(keys) {
      const state = store.get();
      blocks.ours.hidden = blocks.theirs.hidden = state.compare === "difference";
      blocks.change.hidden = state.compare !== "difference";
      if (state.paper) {
        for (const name of Object.keys(blocks)) {
          const side = name === "theirs" ? against : doc;
          blocks[name].hidden = false;
          blocks[name].firstElementChild.replaceChildren(
            drawingElement(
              mapOption(side, palette("light"), { ...at(state), theme: "light" }, PAPER_MAP, name === "change" ? changes() : null),
              PAPER_MAP,
            ),
          );
        }
        return;
      }
      const own = { get: () => ({ ...at(store.get()), still: true, goodsFrom: doc }), set: store.set }; // one colour a group on both maps
      const wanted = state.compare === "difference" ? ["change"] : ["ours", "theirs"];
      for (const name of wanted) {
        const fresh = !maps[name];
        maps[name] ??= makeMap(panes[name], {
          doc: name === "theirs" ? against : doc,
          store: own,
          changes: name === "change" ? changes : () => null,
          onpick: name === "theirs" ? null : cards.pick,
          onmove: (view) => {
            const other = { ours: "theirs", theirs: "ours" }[name];
            if (maps[other]) maps[other].show(view);
          },
        });
        maps[name].chart.resize();
        maps[name].draw(fresh ? null : keys);
      }
      limits.update(limitRows());
      drawLadder();
    },
  };
}
