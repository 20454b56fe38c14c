// The room of money: what a set of measures is worth and to whom, or what to build when; how far it is, and the answer, which stays.
import { appraisalView } from "../appraisal.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { planView } from "../portfolio.js";
import { question } from "./asking.js";
import { field, networkRows, select } from "./fields.js";

const FUND_MUSD = 60; // a year, where the case does not say what a fund has

export function moneyRoom(app, context, run) {
  const { desk, server } = app;
  const { kase } = desk.get();
  const now = desk.get().moneyAsked ?? { what: "appraisal", measures: [], has_members: true, has_full: false, to_year: 2035, budgets_musd_per_year: {} };
  const costed = kase.measures.filter((row) => row.status !== "happened" && (kase.costed.includes(row.measure_id) || row.capital_musd !== null));
  const what = select("money-what", [["appraisal", t("money.appraisal")], ["plan", t("money.portfolio")]], now.what, { onchange: () => turn() });
  const network = select(
    "money-network",
    networkRows(kase, run),
    now.network ?? kase.baseline,
  );
  const members = h("input", { type: "checkbox", id: "money-members", checked: now.has_members });
  const full = h("input", { type: "checkbox", id: "money-full", checked: now.has_full });
  const boxes = costed
    .toSorted((a, b) => a.title.localeCompare(b.title))
    .map((row) => h("input", { type: "checkbox", value: row.measure_id, checked: now.measures.includes(row.measure_id), "data-title": row.title }));
  const set = h(
    "details",
    { class: "ship-more", open: true },
    h("summary", {}, t("money.measures")),
    h(
      "div",
      { class: "money-set", id: "money-set", role: "group", "aria-label": t("money.measures"), tabindex: "0" },
      boxes.map((box) => h("label", { class: "field" }, box, h("span", {}, box.dataset.title))),
    ),
  );
  const lastYear = select(
    "money-to-year",
    Array.from({ length: kase.years.last - Number(kase.facts_until.slice(0, 4)) }, (_, at) => {
      const year = Number(kase.facts_until.slice(0, 4)) + 1 + at;
      return [year, String(year)];
    }),
    now.to_year,
  );
  const budgets = kase.funds.map((row) => ({
    id: row.fund_id,
    name: row.name,
    isStated: row.budget_musd !== null,
    input: h("input", {
      type: "number",
      min: 0,
      step: 10,
      id: `money-budget-${row.fund_id}`,
      value: now.budgets_musd_per_year[row.fund_id] ?? (row.budget_musd === null ? FUND_MUSD : ""),
      placeholder: row.budget_musd === null ? null : t("money.as_stated", { amount: row.budget_musd }),
    }),
  }));
  const ofAppraisal = h("div", {}, set, h("label", { class: "field" }, members, h("span", {}, t("money.members_too"))));
  const ofPlan = h("div", { class: "ship-fields" }, [
    field(t("money.to_year"), lastYear),
    ...budgets.map((row) => field(t("money.budget_of", { fund: row.name }), row.input)),
  ]);
  const start = h("button", { type: "submit", class: "primary", id: "money-start" }, t("energy.start"));
  const said = h("p", { class: "small", role: "status" });
  const place = h("div", { id: "money-place" }, h("p", { class: "soft" }, t("energy.nothing_yet")));
  const viewOf = (answer) => (answer.kind === "karvan-plan" ? planView : appraisalView);
  const { ask, view, controls } = question(app, { name: "money", place, start, said, run, viewOf, isLong: true });
  const form = h(
    "form",
    {
      class: "card ship-form no-print",
      "aria-labelledby": "money-room-title",
    },
    h("div", { class: "ship-fields" }, [field(t("energy.what"), what), field(t("crossing.network"), network)]),
    ofAppraisal,
    ofPlan,
    h("label", { class: "field" }, full, h("span", {}, t("money.full_too"))),
    h("div", { class: "tools" }, start, controls, said),
    h("p", { class: "soft small" }, t(server.mayChange() ? "energy.hint" : "app.reader")),
  );
  const element = h(
    "div",
    { class: "room" },
    h("h1", { id: "money-room-title" }, t("money.room_title")),
    h("p", { class: "soft" }, t("money.room_told")),
    form,
    place,
  );

  function turn() {
    ofAppraisal.hidden = what.value !== "appraisal";
    ofPlan.hidden = what.value !== "plan";
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const measures = boxes.filter((box) => box.checked).map((box) => box.value);
    if (what.value === "appraisal" && !measures.length) {
      said.textContent = t("money.choose");
      return;
    }
    const budgets_musd_per_year = Object.fromEntries(
      budgets.filter((row) => row.input.value !== "").map((row) => [row.id, Number(row.input.value)]),
    );
    ask({
      what: what.value,
      network: network.value,
      measures,
      has_members: members.checked,
      has_full: full.checked,
      to_year: Number(lastYear.value),
      budgets_musd_per_year,
    });
  });
  turn();
  return { element, views: [view] };
}
