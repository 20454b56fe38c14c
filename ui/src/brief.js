// Two pages for paper.
import { baseOption, drawingElement, outlookOption } from "./charts.js";
import { h } from "./dom.js";
import { figureText, sentences, titleOf } from "./first.js";
import { amount, number, signed, t, unit } from "./i18n.js";
import { costOf } from "./ladder.js";
import { trustLines } from "./promises.js";
import { palette } from "./theme.js";

const PAPER_PAGE = 985; // height in pixels that A4 leaves between its margins, and a little to spare

// Two pages to hand over: the sentence, the figures, the sources. Seen on paper only.
export function briefView(context) {
  const { doc } = context;
  const { run } = doc;
  const stops = [...doc.stops].sort((a, b) => b.is_public - a.is_public).slice(0, 5);
  const promises = doc.commitments.filter((row) => row.is_headline).sort((a, b) => (a.promise ?? 99) - (b.promise ?? 99));
  const told = (value, row) =>
    value === null
      ? "–"
      : row.metric === "link_open"
        ? value >= 1
          ? t("promise.is_open")
          : t("promise.not_open")
        : `${row.metric === "family_shift_mt" ? signed(value, 3) : amount(value)} ${unit(row.unit)}`;
  const rows = (header, body, words = [0]) =>
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          header.map((text, index) => h("th", { scope: "col", class: words.includes(index) ? null : "n" }, text)),
        ),
      ),
      h(
        "tbody",
        {},
        body.map((cells) =>
          h(
            "tr",
            {},
            cells.map((cell, index) => h("td", { class: words.includes(index) ? null : "n" }, cell)),
          ),
        ),
      ),
    );
  const sources = Object.fromEntries(doc.sources.map((row) => [row.source_id, row]));
  const named = [
    ...new Set([
      ...doc.outlook.observed.map((row) => row.source),
      ...doc.outlook.forecasts.map((row) => row.source),
      ...stops.flatMap((stop) =>
        doc.facilities
          .find((row) => row.facility_id === stop.facility_id)
          .values.filter((each) => each.column === "nominal")
          .map((each) => each.source),
      ),
    ]),
  ];
  const chart = h("div", { class: "brief-chart" });
  const element = h(
    "section",
    { class: "brief", "aria-label": t("brief.title") },
    h(
      "div",
      { class: "brief-page" },
      h("p", { class: "eyebrow" }, `Karvan · ${run.corridor_title} · ${titleOf(run)}`),
      h("h1", {}, sentences(doc.answer.slice(0, 2))),
      h("p", {}, sentences(doc.answer.slice(2))),
      h("h2", {}, t("figures.title")),
      rows(
        [t("column.figure"), t("column.scenario"), t("column.range"), t("column.baseline")],
        doc.figures.map((row) => {
          const { value, unit: name } = figureText(row);
          const one = (number_) => (number_ === null || number_ === undefined ? "–" : figureText({ ...row, value: number_ }).value);
          return [
            t(`figure.${row.figure_id}`, { year: row.year }),
            `${value} ${name}`,
            row.low === null ? "–" : `${one(row.low)} – ${one(row.high)}`,
            one(row.baseline),
          ];
        }),
      ),
      chart,
      h("h2", {}, t("ladder.title")),
      stops.length
        ? rows(
            [
              t("column.facility"),
              t("column.full_from"),
              t("column.carried"),
              t("column.turned_away"),
              t("column.price"),
              t("column.relief"),
            ],
            stops.map((stop) => [
              stop.name,
              String(stop.from_year),
              `${amount(stop.carried)} ${unit(stop.unit)}`,
              `${amount(stop.turned_away)} ${unit(stop.unit)}`,
              stop.is_public ? number(stop.shadow_price_usd_per_t, 0) : t("ladder.unsure"),
              stop.relief ? `${stop.relief.title}, ${costOf(stop.relief)}` : t("relief.none"),
            ]),
            [0, 5],
          )
        : h("p", {}, t("ladder.nothing")),
    ),
    h(
      "div",
      { class: "brief-page" },
      h("h2", {}, t("promises.title")),
      rows(
        [t("column.promise"), t("column.observed"), t("column.baseline"), t("column.scenario"), t("column.verdict")],
        promises.map((row) => [
          row.title,
          told(row.observed, row),
          told(row.baseline, row),
          told(row.scenario, row),
          t(`verdict.${row.verdict}`),
        ]),
        [0, 4],
      ),
      h("h2", {}, t("trust.title")),
      h(
        "ul",
        { class: "brief-trust" },
        trustLines(doc)
          .slice(1)
          .map((line) => h("li", {}, line)),
      ),
      h("h2", {}, t("brief.sources")),
      h(
        "ul",
        { class: "small" },
        named
          .slice(0, 10)
          .map((id) => h("li", {}, sources[id] ? `${sources[id].title}${sources[id].published ? ` (${sources[id].published})` : ""}` : id)),
      ),
      h(
        "p",
        { class: "small" },
        t("brief.trust", {
          sourced_share: doc.trust.inputs.sourced_share,
          recalled_share: doc.trust.inputs.recalled_share,
          estimate_share: doc.trust.inputs.estimate_share,
          run_id: run.run_id,
          version: run.version,
          facts: run.facts_until,
          price_year: run.price_year,
        }),
      ),
    ),
  );
  // Longer words may need more room than a page has; the last rows of what stops it then go, all of which stand further down.
  function fit() {
    const [page] = element.children;
    const body = [...page.querySelectorAll("tbody")].at(-1);
    while (page.getBoundingClientRect().height > PAPER_PAGE && body.rows.length > 2) body.lastElementChild.remove();
  }
  return {
    element,
    keys: ["paper"],
    draw() {
      const colours = palette("light");
      chart.replaceChildren(drawingElement({ ...baseOption(colours), ...outlookOption(doc, colours) }, { width: 700, height: 260 }));
      if (context.store.get().paper) fit();
    },
  };
}
