// Plans against each other on the same futures: what each is worth and misses, and what each gains over each other one.
import { h } from "./dom.js";
import { number, percent, signed, t } from "./i18n.js";
import { dataTable } from "./tables.js";

export function plansTable(own, found, planName) {
  const values = Object.fromEntries(found.values.map((row) => [row.plan, row]));
  const least = found.regret.find((row) => row.is_least_regret);
  const rows = found.regret.map((row) => ({
    ...row,
    ...values[row.plan],
    regret_mean_musd: row.mean_musd,
    mean_musd: values[row.plan]?.mean_musd ?? null,
    regret_p90_musd: row.p90_musd,
    plan: planName(found, row.plan),
  }));
  const share = (key, label) => ({ key, label, isNumber: true, show: (value) => percent(value) });
  return [
    least ? h("p", {}, t("ensemble.least_regret", { plan: planName(found, least.plan), worst: number(least.worst_musd, 0) })) : null,
    dataTable({
      id: "table-regret",
      caption: t("futures.regret_told"),
      columns: [
        { key: "plan", label: t("futures.plan") },
        share("best_share", t("futures.best_in")),
        share("near_share", t("futures.near_in")),
        { key: "regret_mean_musd", label: t("futures.regret_mean"), digits: 0 },
        { key: "regret_p90_musd", label: t("futures.regret_p90"), digits: 0 },
        { key: "worst_musd", label: t("futures.regret_worst"), digits: 0 },
        { key: "cost_musd", label: t("futures.works"), digits: 0 },
        { key: "costs_unknown_count", label: t("futures.no_cost"), digits: 0 },
      ],
      rows,
      fileName: own.fileName("regret"),
    }).element,
  ];
}

// A row for each plan, a column for what it is held against: mean gain, and in how many futures it does better.
export function gainsTable(found, planName) {
  if (!found.pairs.length) return [];
  const most = Math.max(...found.pairs.map((row) => Math.abs(row.mean_musd))) || 1;
  const of = (plan, other) => found.pairs.find((row) => row.plan === plan && row.other === other);
  const plans = found.regret.map((row) => row.plan);
  const cell = (plan, other) => {
    const row = of(plan, other);
    if (!row) return h("td", { class: "gain-none" }, "–");
    const strength = `${Math.round(8 + 30 * Math.sqrt(Math.abs(row.mean_musd) / most))}%`;
    return h(
      "td",
      { class: row.mean_musd >= 0 ? "gain is-more" : "gain is-less", style: { "--strength": strength }, "data-pair": `${plan} ${other}` },
      h("strong", { class: "block" }, signed(row.mean_musd, 0)),
      h("span", { class: "small block" }, t("futures.between", { low: signed(row.p10_musd, 0), high: signed(row.p90_musd, 0) })),
      h(
        "span",
        { class: "small block" },
        t(row.alike_share > 0.995 ? "futures.alike" : "futures.better_in", { chance: percent(row.better_share) }),
      ),
    );
  };
  return [
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": t("futures.gains") },
      h(
        "table",
        { id: "table-gains", class: "gains" },
        h("caption", {}, t("futures.gains")),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, t("futures.gains_corner")),
            plans.map((plan) => h("th", { scope: "col" }, planName(found, plan))),
          ),
        ),
        h(
          "tbody",
          {},
          plans.map((plan) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, planName(found, plan)),
              plans.map((other) => cell(plan, other)),
            ),
          ),
        ),
      ),
    ),
  ];
}
