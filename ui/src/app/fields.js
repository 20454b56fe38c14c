// Fields that forms of several rooms have alike.
import { h } from "../dom.js";
import { t } from "../i18n.js";

export const field = (label, control) => h("label", { class: "drawer-field" }, h("span", { class: "soft small" }, label), control);

// `rows` are pairs of value and name.
export const select = (id, rows, chosen, more = {}) =>
  h(
    "select",
    { id, ...more },
    rows.map(([value, name]) => h("option", { value, selected: String(value) === String(chosen) }, name)),
  );

export const yearRows = ({ years }) =>
  Array.from({ length: years.last - years.first + 1 }, (_, at) => [years.first + at, String(years.first + at)]);

// The run that is looked at, an empty value, and the scenarios of the case.
export const networkRows = (kase, run) => [
  ...(run?.is_of_this_case ? [["", t("ship.network_run", { name: run.name })]] : []),
  ...kase.scenarios.map((row) => [row.scenario_id, `${row.title} (${row.scenario_id})`]),
];
