// The room of many futures: what ensembles kept beside the runs have said, and the one that is looked at.
import { button, h } from "../dom.js";
import { futuresView } from "../futures.js";
import { currentLanguage, number, percent, t } from "../i18n.js";
import { query } from "./server.js";

// The chance of the headline tonnes of the first plan by year, or of whatever promise comes first.
function chances(row) {
  const [plan] = row.plans;
  const own = row.promises.filter((each) => each.plan === plan && each.by_year_share !== null);
  const [first] = own;
  if (!first) return "";
  return own
    .filter((each) => each.commitment_id === first.commitment_id)
    .map((each) =>
      t("futures.chance", {
        target: number(each.target, 0),
        unit: each.unit,
        year: String(each.year),
        chance: percent(each.by_year_share),
      }),
    )
    .join("; ");
}

export function futuresRoom(app) {
  const { desk, server, store } = app;
  const place = h("div", { class: "card", id: "futures-list" }, h("p", { class: "soft", role: "status" }, t("app.loading")));
  const answer = h("div", { id: "futures-place", "aria-live": "polite" });
  const element = h("div", { class: "room" }, h("h1", {}, t("futures.title")), h("p", { class: "soft" }, t("futures.told")), place, answer);
  const when = (text) => new Date(text).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  let shown = null;

  const line = (row) => {
    const about = `${row.plans.join(", ")}, ${when(row.kept_at)}`;
    return h(
      "tr",
      { "data-ensemble": row.ensemble_id },
      h("th", { scope: "row" }, row.plans.join(", "), h("span", { class: "soft small block" }, when(row.kept_at))),
      h(
        "td",
        {},
        button(t("futures.show"), () => look(row.ensemble_id, { isAsked: true }), {
          "aria-pressed": "false",
          "aria-label": `${t("futures.show")}: ${about}`,
        }),
        " ",
        h(
          "a",
          {
            href: `/api/ensembles/${row.ensemble_id}/page?${query({ language: currentLanguage() })}`,
            target: "_blank",
            rel: "noopener",
            "aria-label": `${t("futures.open")}: ${about}`,
          },
          t("futures.open"),
        ),
      ),
      h(
        "td",
        {},
        t("futures.count", { futures: row.futures }),
        row.stopped
          ? h("span", { class: "small block" }, t(`ensemble.stopped_${row.stopped}`, { futures: row.futures, wanted: row.wanted }))
          : null,
        row.failed_count ? h("span", { class: "small block" }, t("ensemble.failed", { count: row.failed_count })) : null,
      ),
      h("td", {}, chances(row)),
    );
  };

  async function look(id, { isAsked = false } = {}) {
    desk.set({ futuresId: id });
    for (const row of place.querySelectorAll("[data-ensemble]"))
      row.querySelector("button").setAttribute("aria-pressed", String(row.dataset.ensemble === id));
    answer.setAttribute("aria-busy", "true");
    try {
      const found = await server.ask(`/api/ensembles/${id}`);
      if (!element.isConnected || desk.get().futuresId !== id) return;
      shown?.forget();
      shown = futuresView({ store }, found);
      answer.replaceChildren(shown.element);
      for (const view of shown.views) view.draw(null);
      if (isAsked) answer.querySelector("h2").focus();
    } catch (refusal) {
      answer.replaceChildren(h("p", { class: "card problem", role: "alert" }, refusal.message));
    }
    answer.removeAttribute("aria-busy");
  }

  const empty = () => [
    h("p", {}, t("futures.none")),
    h("p", { class: "soft small" }, t("futures.how")),
    h("pre", { class: "scroll", tabindex: "0" }, h("code", {}, "karvan ensemble --futures 200 --plan late --plan baseline")),
  ];

  async function load() {
    try {
      const { ensembles } = await server.ask("/api/ensembles");
      const table = () =>
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": t("futures.title") },
          h(
            "table",
            {},
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                ["plans", "page", "rests", "chances"].map((name) => h("th", { scope: "col" }, t(`futures.column_${name}`))),
              ),
            ),
            h("tbody", {}, ensembles.map(line)),
          ),
        );
      place.replaceChildren(...(ensembles.length ? [table()] : empty()));
      const known = ensembles.find((row) => row.ensemble_id === desk.get().futuresId) ?? ensembles[0];
      if (known) await look(known.ensemble_id);
    } catch (refusal) {
      place.replaceChildren(h("p", { class: "problem", role: "alert" }, refusal.message));
    }
  }

  load();
  const view = { keys: ["theme", "still"], draw: (changed) => changed !== null && shown?.views.forEach((each) => each.draw(changed)) };
  return { element, views: [view] };
}
