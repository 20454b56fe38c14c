// The room of crossings: which system in which year, how far its simulation is, and the answer, which stays while other rooms are looked at.
import { crossingsView } from "../crossings.js";
import { h } from "../dom.js";
import { currentLanguage, t } from "../i18n.js";
import { question } from "./asking.js";
import { field, networkRows, select, yearRows } from "./fields.js";

export function crossingsRoom(app, context, run) {
  const { desk, server } = app;
  const { kase } = desk.get();
  const now = desk.get().crossingsAsked ?? {
    system: kase.systems[0]?.system_id,
    year: context?.doc.focus_year ?? kase.base_year,
    month: "stormiest",
  };
  const monthName = (month) =>
    new Intl.DateTimeFormat(currentLanguage(), { month: "long", timeZone: "UTC" }).format(Date.UTC(2001, month - 1, 1));
  const inputs = {
    system: select(
      "crossing-system",
      kase.systems.map((row) => [row.system_id, row.name]),
      now.system,
    ),
    year: select(
      "crossing-year",
      yearRows(kase),
      now.year,
    ),
    network: select(
      "crossing-network",
      networkRows(kase, run),
      now.network ?? (run?.is_of_this_case ? "" : kase.baseline),
    ),
    month: select(
      "crossing-month",
      [["stormiest", t("crossing.stormiest")], ...Array.from({ length: 12 }, (_, at) => [at + 1, monthName(at + 1)])],
      now.month,
    ),
  };
  const start = h("button", { type: "submit", class: "primary", id: "crossing-start" }, t("crossing.start"));
  const said = h("p", { class: "small", role: "status" });
  const place = h("div", { id: "crossing-place" }, h("p", { class: "soft" }, t("crossing.nothing_yet")));
  const { ask, view, controls } = question(app, {
    name: "crossings",
    place,
    start,
    said,
    run,
    viewOf: () => crossingsView,
    asking: t("crossing.asking"),
    mayAsk: kase.systems.length > 0,
    isLong: true,
  });
  const form = h(
    "form",
    {
      class: "card ship-form no-print",
      "aria-labelledby": "crossing-room-title",
    },
    h("div", { class: "ship-fields" }, [
      field(t("crossing.system"), inputs.system),
      field(t("crossing.year"), inputs.year),
      field(t("crossing.network"), inputs.network),
      field(t("crossing.month"), inputs.month),
    ]),
    h("div", { class: "tools" }, start, controls, said),
    h("p", { class: "soft small" }, t(server.mayChange() ? "crossing.hint" : "app.reader")),
  );
  const element = h(
    "div",
    { class: "room" },
    h("h1", { id: "crossing-room-title" }, t("crossing.room_title")),
    h("p", { class: "soft" }, t("crossing.room_told")),
    form,
    place,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { month } = inputs;
    ask({
      system: inputs.system.value,
      year: Number(inputs.year.value),
      network: inputs.network.value,
      month: month.value === "stormiest" ? month.value : Number(month.value),
    });
  });
  return { element, views: [view] };
}
