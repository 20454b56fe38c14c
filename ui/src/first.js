// The answer: sentence, figures, history and outlook.
import { figure, outlookOption } from "./charts.js";
import { button, h } from "./dom.js";
import { amount, number, t, unit } from "./i18n.js";

export const sentences = (told) => told.map(({ key, values }) => t(key, values)).join(" ");

// Text of a figure: value, unit, and how it is to be read.
export function figureText(row) {
  if (row.unit === "facilities") return { value: number(row.value, 0), unit: "" };
  if (row.unit === "Mt") return { value: number(row.value, 1), unit: t("unit.Mt") };
  return { value: amount(row.value), unit: unit(row.unit) };
}

export function rangeText(row) {
  const digits = row.unit === "Mt" ? (value) => number(value, 1) : amount;
  if (row.low !== null && row.low !== undefined)
    return t("figure.range", { low: digits(row.low), high: digits(row.high), baseline: digits(row.baseline) });
  return t("figure.baseline", { baseline: row.unit === "facilities" ? number(row.baseline, 0) : digits(row.baseline) });
}

// Title of a run's scenario with what its options changed.
export const titleOf = (run) =>
  [run.scenario_title, ...(run.changes.length > 3 ? [...run.changes.slice(0, 3), "…"] : run.changes)].join("  ");

export function heroView(context) {
  const { doc } = context;
  const { headline, run } = doc;
  const status = h("span", { class: "soft small", role: "status" });
  const quote = t(doc.quote.key, doc.quote.values);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(quote);
      status.textContent = t("quote.copied");
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById("quote"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      status.textContent = t("quote.selected");
    }
  };
  const [first, second, ...rest] = doc.answer;
  const lead = second ? sentences([first, second]) : sentences([first]);
  const figures = h(
    "ul",
    { class: "figures", "aria-label": t("figures.title") },
    doc.figures.map((row) => {
      const told = figureText(row);
      return h(
        "li",
        { class: "card kpi" },
        h("span", { class: "soft" }, t(`figure.${row.figure_id}`, { year: row.year })),
        h(
          "span",
          { class: "kpi-value", "data-figure": row.figure_id, "data-value": row.value },
          told.value,
          told.unit ? h("span", { class: "kpi-unit" }, told.unit) : null,
        ),
        h("span", { class: "soft small" }, rangeText(row)),
      );
    }),
  );
  const chart = figure({
    id: "outlook",
    context,
    title: () => t("outlook.title"),
    subtitle: () => t("outlook.subtitle"),
    source: t("source.outlook"),
    height: 330,
    heading: "h2",
    option: (colours) => outlookOption(doc, colours),
    table: () => outlookTable(doc),
  });
  const element = h(
    "section",
    { id: "answer", "aria-labelledby": "answer-title", class: "hero" },
    h(
      "div",
      { class: "hero-words" },
      h("p", { class: "eyebrow" }, run.corridor_title, " · ", titleOf(run)),
      h("h1", { id: "answer-title" }, lead),
      rest.length ? h("p", { class: "lead" }, sentences(rest)) : null,
      headline
        ? h("p", { class: "soft" }, headline.date ? t("answer.promised", { date: headline.date, title: headline.title }) : headline.title)
        : null,
      h("p", { class: "soft small" }, t("answer.against", { baseline: run.baseline_title })),
      h(
        "div",
        { class: "quote" },
        h("p", { id: "quote" }, quote),
        h("div", { class: "tools no-print" }, button(t("quote.copy"), copy), status),
      ),
    ),
    h("div", { class: "hero-chart" }, chart.element),
    figures,
  );
  return { element, draw: chart.draw, keys: chart.keys };
}

function outlookTable(doc) {
  const { observed, scenario, baseline, low, high } = doc.outlook;
  const years = [...new Set([...observed, ...scenario].map((row) => row.year))].sort();
  const of = (rows, year, key = "corridor_mt") => rows.find((row) => row.year === year)?.[key] ?? null;
  return {
    columns: [
      { key: "year", label: t("column.year"), isNumber: true, show: String },
      { key: "observed_mt", label: t("column.observed_mt"), digits: 2 },
      { key: "scenario_mt", label: t("column.scenario_mt"), digits: 2 },
      { key: "low_mt", label: t("column.low_mt"), digits: 2 },
      { key: "high_mt", label: t("column.high_mt"), digits: 2 },
      { key: "baseline_mt", label: t("column.baseline_mt"), digits: 2 },
      { key: "latent_mt", label: t("column.latent_mt"), digits: 2 },
      { key: "containers_teu", label: t("column.containers_teu"), digits: 0 },
      { key: "crude_mt", label: t("column.crude_mt"), digits: 2 },
    ],
    rows: years.map((year) => ({
      year,
      observed_mt: of(observed, year),
      scenario_mt: of(scenario, year),
      low_mt: of(low, year),
      high_mt: of(high, year),
      baseline_mt: of(baseline, year),
      latent_mt: of(scenario, year, "corridor_latent_mt"),
      containers_teu: of(scenario, year, "containers_teu"),
      crude_mt: of(scenario, year, "crude_mt"),
    })),
  };
}
