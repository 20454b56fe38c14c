// Tables in drawers; sources, method and limits.
import { button, h } from "./dom.js";
import { saveJson } from "./download.js";
import { signed, t, term } from "./i18n.js";
import { dataTable } from "./tables.js";

// A table in a drawer, filled when it is opened.
function drawer(context, { id, title, columns, rows, keys = [], filter = true, note = null }) {
  const { doc, store } = context;
  const element = h(
    "details",
    { class: "card drawer", id },
    h("summary", {}, h("h3", {}, title)),
    note ? h("p", { class: "soft" }, note) : null,
  );
  const head = element.childElementCount;
  const fill = () => {
    if (!element.open) return;
    while (element.childElementCount > head) element.lastElementChild.remove();
    element.append(
      dataTable({
        id: `table-${id}`,
        caption: title,
        columns: columns(),
        rows: rows(store.get()),
        filter,
        fileName: `karvan-${doc.run.run_id}-${id}`,
      }).element,
    );
  };
  element.addEventListener("toggle", fill);
  return { element, draw: fill, keys };
}

export function linkTable(context) {
  const { doc, cards } = context;
  return drawer(context, {
    id: "links",
    title: t("links.title"),
    note: t("links.note"),
    keys: ["year"],
    columns: () => [
      { key: "name", label: t("column.link"), open: (row) => cards.link(row.link_id) },
      { key: "mode", label: t("column.mode") },
      { key: "operator", label: t("column.operator") },
      { key: "forward_kt", label: t("column.forward_kt"), digits: 1 },
      { key: "backward_kt", label: t("column.backward_kt"), digits: 1 },
      { key: "baseline_kt", label: t("column.baseline_kt"), digits: 1 },
      { key: "length_km", label: t("column.length_km"), digits: 0 },
    ],
    rows: ({ year }) => {
      const index = doc.years.indexOf(year);
      return doc.links
        .map((row) => ({
          link_id: row.link_id,
          name: row.name,
          mode: term("mode", row.mode),
          operator: row.operator,
          forward_kt: row.forward_kt[index],
          backward_kt: row.backward_kt[index],
          baseline_kt: row.baseline_kt[index],
          length_km: row.values.find((each) => each.column === "length_km")?.value ?? null,
        }))
        .sort((a, b) => b.forward_kt + b.backward_kt - a.forward_kt - a.backward_kt);
    },
  });
}

export function operatorTable(context) {
  const { doc } = context;
  return drawer(context, {
    id: "operators",
    title: t("operators.title"),
    note: moneyNote(doc),
    keys: ["year"],
    columns: () => [
      { key: "name", label: t("column.operator") },
      { key: "scenario_musd", label: t("column.scenario_musd"), digits: 1 },
      { key: "baseline_musd", label: t("column.baseline_musd"), digits: 1 },
    ],
    rows: ({ year }) => {
      const index = doc.years.indexOf(year);
      return doc.operators
        .map((row) => ({ name: row.name, scenario_musd: row.scenario_musd[index], baseline_musd: row.baseline_musd[index] }))
        .sort((a, b) => b.scenario_musd - a.scenario_musd);
    },
  });
}

function moneyNote(doc) {
  const at = (rows) => rows.find((row) => row.year === doc.focus_year);
  const [ours, base] = [at(doc.money.scenario), at(doc.money.baseline)];
  const parts = [t("operators.note")];
  if (ours.queue && base.queue) {
    parts.push(
      t("money.both", {
        year: doc.focus_year,
        gain: signed(ours.welfare_musd - base.welfare_musd, 0),
        gain_queue: signed(ours.queue.welfare_musd - base.queue.welfare_musd, 0),
        price_year: doc.run.price_year,
      }),
    );
  }
  return parts.join(" ");
}

export function measureTable(context) {
  const { doc } = context;
  return drawer(context, {
    id: "measures",
    title: t("measures.title", { count: doc.measures.length }),
    columns: () => [
      {
        key: "from_date",
        label: t("column.from_date"),
        show: (value, row) => (row.is_date_estimate ? t("measures.our_date", { date: value }) : value),
      },
      { key: "until_date", label: t("column.until_date") },
      { key: "title", label: t("column.measure") },
      { key: "status", label: t("column.status"), show: (value) => term("status", value) },
      { key: "capital_musd", label: t("column.capital_musd"), digits: 0 },
      { key: "doc", label: t("column.what_it_changes") },
    ],
    rows: () => doc.measures,
  });
}

export function sourcesView(context) {
  const { doc, cards, licences } = context;
  const { run } = doc;
  const tables = drawer(context, {
    id: "inputs",
    title: t("inputs.title"),
    note: t("inputs.note"),
    columns: () => [
      { key: "table", label: t("column.table") },
      { key: "rows", label: t("column.rows"), digits: 0 },
      ...["sourced", "recalled", "estimate"].map((key) => ({ key, label: t(`confidence.${key}`), digits: 0 })),
    ],
    rows: () => doc.inputs,
  });
  const list = drawer(context, {
    id: "source-list",
    title: t("sources.list", { count: doc.sources.length }),
    columns: () => [
      { key: "title", label: t("column.source"), show: (_, row) => cards.sourceOf(row.source_id) },
      { key: "published", label: t("column.published_on") },
      { key: "source_id", label: t("column.id") },
    ],
    rows: () => doc.sources,
  });
  const facts = [
    [t("run.id"), run.run_id],
    [t("run.version"), run.version],
    [t("run.corridor"), `${run.corridor_title} ${run.corridor_version}`],
    [t("run.facts_until"), run.facts_until],
    [t("run.money"), t("run.usd", { price_year: run.price_year })],
    [t("run.corridor_hash"), run.corridor_hash],
    [t("run.scenario_hash"), run.scenario_hash],
    [t("run.code_hash"), run.code_hash],
  ];
  const replaced = run.replaced.length
    ? h(
        "div",
        {},
        h("h3", {}, t("run.replaced", { count: run.replaced.length })),
        h(
          "ul",
          {},
          run.changes.map((text) => h("li", {}, text)),
        ),
      )
    : null;
  const element = h(
    "section",
    { id: "sources", "aria-labelledby": "sources-title" },
    h("h2", { id: "sources-title" }, t("sources.title")),
    h(
      "div",
      { class: "card prose" },
      h("h3", {}, t("method.title")),
      [1, 2, 3].map((part) => h("p", {}, t(`method.${part}`))),
      h("h3", {}, t("limits.title")),
      [1, 2, 3, 4].map((part) => h("p", {}, t(`limits.${part}`))),
      replaced,
    ),
    tables.element,
    list.element,
    h(
      "details",
      { class: "card drawer" },
      h("summary", {}, h("h3", {}, t("run.title"))),
      h(
        "dl",
        { class: "hashes" },
        facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, value))]),
      ),
      h(
        "div",
        { class: "tools no-print" },
        button(t("save.json"), () => saveJson(`karvan-${run.run_id}-screen.json`, doc)),
      ),
    ),
    h(
      "details",
      { class: "card drawer licences" },
      h("summary", {}, h("h3", {}, t("licences.title"))),
      h("pre", { tabindex: "0" }, licences),
    ),
  );
  return { element, draw() {}, keys: [] };
}
