// The room of tariffs and trade: which of the two, in which year and scenario, and the answer, which stays while other rooms are looked at.
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { tariffsView } from "../tariffs.js";
import { tradeView } from "../trade.js";
import { question } from "./asking.js";
import { field, networkRows, select, yearRows } from "./fields.js";

const VIEWS = { tariffs: tariffsView, trade: tradeView };

export function tradeRoom(app, context, run) {
  const { desk, server } = app;
  const { kase } = desk.get();
  const now = desk.get().tradeAsked ?? { what: "tariffs", year: context?.doc.focus_year ?? kase.base_year, commodity: kase.commodities[0]?.commodity_group };
  const what = select("trading-what", [["tariffs", t("trading.tariffs")], ["trade", t("trading.trade")]], now.what);
  const year = select(
    "trading-year",
    yearRows(kase),
    now.year,
  );
  const network = select(
    "trading-network",
    networkRows(kase, run),
    now.network ?? (run?.is_of_this_case ? "" : kase.headline_scenario),
  );
  const commodity = select(
    "trading-commodity",
    kase.commodities.map((row) => [row.commodity_group, row.name]),
    now.commodity,
  );
  const alliances = h("input", { type: "checkbox", id: "trading-alliances", checked: now.has_alliances });
  const start = h("button", { type: "submit", class: "primary", id: "trading-start" }, t("energy.start"));
  const said = h("p", { class: "small", role: "status" });
  const place = h("div", { id: "trading-place" }, h("p", { class: "soft" }, t("energy.nothing_yet")));
  const goodsField = field(t("trading.commodity"), commodity);
  const alliancesField = h("label", { class: "field" }, alliances, h("span", {}, t("trading.with_alliances")));
  const form = h(
    "form",
    {
      class: "card ship-form no-print",
      "aria-labelledby": "trading-room-title",
    },
    h("div", { class: "ship-fields" }, [field(t("energy.what"), what), field(t("crossing.year"), year), field(t("crossing.network"), network), goodsField]),
    h("div", { class: "tools" }, start, alliancesField, said),
    h("p", { class: "soft small" }, t(server.mayChange() ? "energy.hint" : "app.reader")),
  );
  const element = h(
    "div",
    { class: "room" },
    h("h1", { id: "trading-room-title" }, t("trading.room_title")),
    h("p", { class: "soft" }, t("trading.room_told")),
    form,
    place,
  );
  const fit = () => {
    goodsField.hidden = what.value !== "tariffs";
    alliancesField.hidden = what.value !== "tariffs";
  };
  what.addEventListener("change", fit);
  fit();

  const { ask, view } = question(app, { name: "trade", place, start, said, run, viewOf: (answer) => VIEWS[answer.kind === "karvan-tariffs" ? "tariffs" : "trade"] });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask({
      what: what.value,
      year: Number(year.value),
      network: network.value,
      commodity: commodity.value,
      has_alliances: alliances.checked,
    });
  });
  return { element, views: [view] };
}
