// The room of many futures: what ensembles kept beside the runs have said, and their pages with fans, drivers, regret and a map.
import { h } from "../dom.js";
import { currentLanguage, number, percent, t } from "../i18n.js";
import { query } from "./server.js";

const SHOWN = ["en", "ru"];

// The chance of the headline tonnes of the first plan by year, or of whatever promise comes first.
function chances(row) {
  const [plan] = row.plans;
  const own = row.promises.filter((each) => each.plan === plan && each.by_year_share !== null);
  const [first] = own;
  if (!first) return "";
  return own
    .filter((each) => each.commitment_id === first.commitment_id)
    .map((each) => t("futures.chance", { target: number(each.target, 0), unit: each.unit, year: String(each.year), chance: percent(each.by_year_share) }))
    .join("; ");
}

export function futuresRoom(app) {
  const place = h("div", { class: "card", id: "futures-list" }, h("p", { class: "soft", role: "status" }, t("app.loading")));
  const element = h(
    "div",
    { class: "room" },
    h("h1", {}, t("futures.title")),
    h("p", { class: "soft" }, t("futures.told")),
    place,
  );
  const language = SHOWN.includes(currentLanguage()) ? currentLanguage() : SHOWN[0];
  const when = (text) => new Date(text).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

  const line = (row) =>
    h(
      "tr",
      { "data-ensemble": row.ensemble_id },
      h("th", { scope: "row" }, row.plans.join(", "), h("span", { class: "soft small block" }, when(row.kept_at))),
      h(
        "td",
        {},
        t("futures.count", { futures: row.futures }),
        row.stopped ? h("span", { class: "small block" }, t(`ensemble.stopped_${row.stopped}`, { futures: row.futures, wanted: row.wanted })) : null,
        row.failed_count ? h("span", { class: "small block" }, t("ensemble.failed", { count: row.failed_count })) : null,
      ),
      h("td", {}, chances(row)),
      h(
        "td",
        {},
        h(
          "a",
          {
            href: `/api/ensembles/${row.ensemble_id}/page?${query({ language })}`,
            target: "_blank",
            rel: "noopener",
            "aria-label": `${t("futures.open")}: ${row.plans.join(", ")}, ${when(row.kept_at)}`,
          },
          t("futures.open"),
        ),
      ),
    );

  async function load() {
    try {
      const { ensembles } = await app.server.ask("/api/ensembles");
      place.replaceChildren(
        ensembles.length
          ? h(
              "div",
              { class: "scroll", tabindex: "0", role: "region", "aria-label": t("futures.title") },
              h(
                "table",
                {},
                h("thead", {}, h("tr", {}, ["plans", "rests", "chances", "page"].map((name) => h("th", { scope: "col" }, t(`futures.column_${name}`))))),
                h("tbody", {}, ensembles.map(line)),
              ),
            )
          : h("p", {}, t("futures.none")),
      );
    } catch (refusal) {
      place.replaceChildren(h("p", { class: "problem", role: "alert" }, refusal.message));
    }
  }

  load();
  return { element, views: [] };
}
