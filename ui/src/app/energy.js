// The room of energy: power or crude oil, in which year and scenario, and the answer, which stays while other rooms are looked at.
import { oilView } from "../crude.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { powerView } from "../power.js";
import { question } from "./asking.js";
import { field, networkRows, select, yearRows } from "./fields.js";

const VIEWS = { power: powerView, oil: oilView };

export function energyRoom(app, context, run) {
  const { desk, server } = app;
  const { kase } = desk.get();
  const now = desk.get().energyAsked ?? { what: "power", year: context?.doc.focus_year ?? kase.base_year, has_sizes: false };
  const what = select("energy-what", [["power", t("energy.power")], ["oil", t("energy.oil")]], now.what);
  const year = select(
    "energy-year",
    yearRows(kase),
    now.year,
  );
  const network = select(
    "energy-network",
    networkRows(kase, run),
    now.network ?? (run?.is_of_this_case ? "" : kase.baseline),
  );
  const sizes = h("input", { type: "checkbox", id: "energy-sizes", checked: now.has_sizes });
  const storms = h("input", { type: "checkbox", id: "energy-storms", checked: now.draw != null });
  const start = h("button", { type: "submit", class: "primary", id: "energy-start" }, t("energy.start"));
  const said = h("p", { class: "small", role: "status" });
  const place = h("div", { id: "energy-place" }, h("p", { class: "soft" }, t("energy.nothing_yet")));
  const form = h(
    "form",
    {
      class: "card ship-form no-print",
      "aria-labelledby": "energy-room-title",
    },
    h("div", { class: "ship-fields" }, [
      field(t("energy.what"), what),
      field(t("crossing.year"), year),
      field(t("crossing.network"), network),
    ]),
    h("div", { class: "tools" }, start, h("label", { class: "field" }, sizes, h("span", {}, t("energy.sizes"))),
      h("label", { class: "field" }, storms, h("span", {}, t("energy.storms"))), said),
    h("p", { class: "soft small" }, t(server.mayChange() ? "energy.hint" : "app.reader")),
  );
  const element = h(
    "div",
    { class: "room" },
    h("h1", { id: "energy-room-title" }, t("energy.room_title")),
    h("p", { class: "soft" }, t("energy.room_told")),
    form,
    place,
  );
  const { ask, view } = question(app, { name: "energy", place, start, said, run, viewOf: (answer) => VIEWS[answer.kind === "karvan-power" ? "power" : "oil"] });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask({ what: what.value, year: Number(year.value), network: network.value, has_sizes: sizes.checked, draw: storms.checked ? 0 : null });
  });
  return { element, views: [view] };
}
