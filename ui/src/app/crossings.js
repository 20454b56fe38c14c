// The room of crossings: which system in which year, how far its simulation is, and the answer, which stays while other rooms are looked at.
import { crossingsView } from "../crossings.js";
import { button, h } from "../dom.js";
import { currentLanguage, t } from "../i18n.js";

const POLL_MS = 700;

export function crossingsRoom(app, context, run) {
  const { desk, store, server } = app;
  const { kase } = desk.get();
  const found = desk.get().simulation;
  const now = desk.get().simulated ?? {
    system: kase.systems[0]?.system_id,
    year: context?.doc.focus_year ?? kase.base_year,
    month: "stormiest",
  };
  const field = (label, control) => h("label", { class: "drawer-field" }, h("span", { class: "soft small" }, label), control);
  const select = (id, rows, chosen) =>
    h(
      "select",
      { id },
      rows.map(([value, name]) => h("option", { value, selected: String(value) === String(chosen) }, name)),
    );
  const monthName = (month) =>
    new Intl.DateTimeFormat(currentLanguage(), { month: "long", timeZone: "UTC" }).format(Date.UTC(2001, month - 1, 1));
  const years = Array.from({ length: kase.years.last - kase.years.first + 1 }, (_, at) => kase.years.first + at);
  const inputs = {
    system: select(
      "crossing-system",
      kase.systems.map((row) => [row.system_id, row.name]),
      now.system,
    ),
    year: select(
      "crossing-year",
      years.map((year) => [year, String(year)]),
      now.year,
    ),
    network: select(
      "crossing-network",
      [
        ...(run?.is_of_this_case ? [["", t("ship.network_run", { name: run.name })]] : []),
        ...kase.scenarios.map((row) => [row.scenario_id, `${row.title} (${row.scenario_id})`]),
      ],
      now.network ?? (run?.is_of_this_case ? "" : kase.baseline),
    ),
    month: select(
      "crossing-month",
      [["stormiest", t("crossing.stormiest")], ...Array.from({ length: 12 }, (_, at) => [at + 1, monthName(at + 1)])],
      now.month,
    ),
  };
  const start = h("button", { type: "submit", class: "primary", id: "crossing-start" }, t("crossing.start"));
  const cancel = button(t("crossing.cancel"), stop, { id: "crossing-cancel", hidden: true });
  const bar = h("progress", { id: "crossing-progress", hidden: true, "aria-label": t("crossing.asking") });
  const said = h("p", { class: "small", role: "status" });
  start.disabled = !server.mayChange() || !kase.systems.length;
  const form = h(
    "form",
    {
      class: "card ship-form no-print",
      "aria-labelledby": "crossing-room-title",
      onsubmit: (event) => {
        event.preventDefault();
        ask();
      },
    },
    h("div", { class: "ship-fields" }, [
      field(t("crossing.system"), inputs.system),
      field(t("crossing.year"), inputs.year),
      field(t("crossing.network"), inputs.network),
      field(t("crossing.month"), inputs.month),
    ]),
    h("div", { class: "tools" }, start, cancel, bar, said),
    h("p", { class: "soft small" }, t(server.mayChange() ? "crossing.hint" : "app.reader")),
  );
  const place = h("div", { id: "crossing-place" }, h("p", { class: "soft" }, t("crossing.nothing_yet")));
  const element = h(
    "div",
    { class: "room" },
    h("h1", { id: "crossing-room-title" }, t("crossing.room_title")),
    h("p", { class: "soft" }, t("crossing.room_told")),
    form,
    place,
  );
  const path = `/api/crossings/${app.client}`;
  let shown = null;

  function wait(isOn) {
    desk.set({ isSimulating: isOn });
    start.disabled = isOn || !server.mayChange();
    cancel.hidden = bar.hidden = !isOn;
    place.toggleAttribute("aria-busy", isOn);
    if (isOn) place.setAttribute("aria-busy", "true");
  }

  // Of what goes on, also where the room was left and is opened again.
  async function watch() {
    while (desk.get().isSimulating && element.isConnected) {
      try {
        const { step } = await server.ask(path);
        if (desk.get().isSimulating) said.textContent = [t("crossing.asking"), step].filter(Boolean).join(" ");
      } catch {
        return; // the bar says that the server cannot be reached
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  }

  async function stop() {
    try {
      await server.ask(path, { method: "DELETE" });
    } catch {
      // it ended by itself
    }
  }

  async function ask() {
    const simulated = {
      system: inputs.system.value,
      year: Number(inputs.year.value),
      network: inputs.network.value,
      month: inputs.month.value,
    };
    desk.set({ simulated, simulation: null });
    wait(true);
    said.textContent = t("crossing.asking");
    requestAnimationFrame(watch);
    const body = {
      client: app.client,
      system: simulated.system,
      year: simulated.year,
      month: simulated.month === "stormiest" ? "stormiest" : Number(simulated.month),
      ...(simulated.network ? { scenario: simulated.network } : { run_id: run?.run_id ?? null }),
    };
    let told = "";
    try {
      desk.set({ simulation: await server.ask("/api/crossings", { method: "POST", body }) });
    } catch (refusal) {
      if (refusal.message === "cancelled") told = t("crossing.cancelled");
      else place.replaceChildren(h("p", { class: "card problem", role: "alert" }, refusal.message));
    }
    wait(false);
    said.textContent = told;
    if (desk.get().view !== "crossings") return;
    if (!element.isConnected)
      app.go("crossings"); // left and opened again meanwhile
    else if (desk.get().simulation) {
      draw();
      document.getElementById("crossing-answer").focus({ preventScroll: true });
    }
  }

  function draw() {
    shown?.forget();
    shown = crossingsView({ store }, desk.get().simulation);
    place.replaceChildren(shown.element);
    for (const view of shown.views) view.draw(null);
  }

  const view = {
    keys: ["theme", "still"],
    draw(changed) {
      if (changed !== null)
        return void shown?.views.forEach((each) => each.keys.some((key) => changed.includes(key)) && each.draw(changed));
      if (found) draw();
      if (desk.get().isSimulating) {
        wait(true);
        requestAnimationFrame(watch);
      }
    },
  };
  return { element, views: [view] };
}
