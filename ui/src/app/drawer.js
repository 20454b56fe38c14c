// The scenario in hand: which, growth, years, measures, assumptions; and the run that is made of it.
import { button, h, icon } from "../dom.js";
import { percent, t } from "../i18n.js";
import { assumptionSliders } from "./assumptions.js";
import { editsOf, withScenario } from "./draft.js";
import { field } from "./fields.js";
import { isEnded, toldOf } from "./jobs.js";
import { measureCards } from "./measures.js";

export function makeDrawer(app) {
  const { desk, store } = app;
  const { kase } = desk.get();
  const years = (key) =>
    h(
      "select",
      {
        "data-key": key,
        onchange: (event) => {
          const { draft } = desk.get();
          const own = { ...draft.years, [key]: Number(event.target.value) };
          if (own.last < own.first) own[key === "first" ? "last" : "first"] = own[key];
          app.edit({ ...draft, years: own });
        },
      },
      Array.from({ length: kase.years.last - kase.years.first + 1 }, (_, at) => kase.years.first + at).map((year) =>
        h("option", { value: year }, String(year)),
      ),
    );
  const scenario = h(
    "select",
    {
      id: "scenario",
      onchange: (event) => {
        app.edit(withScenario(kase, desk.get().draft, event.target.value));
        measures.group();
      },
    },
    kase.scenarios.map((row) => h("option", { value: row.scenario_id }, `${row.title} (${row.scenario_id})`)),
  );
  const growth = h(
    "select",
    { id: "growth", onchange: (event) => app.edit({ ...desk.get().draft, growth: event.target.value }) },
    kase.growth.map((name) => h("option", { value: name }, t(`growth.${name}`))),
  );
  const capacities = h(
    "select",
    { id: "capacities", onchange: (event) => app.edit({ ...desk.get().draft, capacities: event.target.value }) },
    ["nominal", "simulated"].map((name) => h("option", { value: name }, t(`capacities.${name}`))),
  );
  const [first, last] = [years("first"), years("last")];
  const measures = measureCards(app);
  const assumptions = assumptionSliders(app);
  const parts = { measures, assumptions };
  let open = "measures";
  const tabs = h(
    "div",
    { class: "segmented drawer-tabs", role: "group", "aria-label": t("drawer.parts") },
    Object.keys(parts).map((name) =>
      button(t(`drawer.${name}`), () => choose(name), { "data-part": name, "aria-pressed": String(name === open) }),
    ),
  );
  function choose(name) {
    open = name;
    for (const each of tabs.children) each.setAttribute("aria-pressed", String(each.dataset.part === name));
    for (const each of Object.keys(parts)) parts[each].element.hidden = each !== name;
  }
  choose(open);

  const edits = h("span", { class: "edited-mark small", role: "status" });
  const back = button(t("drawer.back"), () => app.back(), { class: "link" });
  const lost = h("p", { class: "soft small" });
  const name = h("input", { type: "text", maxlength: 80, "aria-label": t("drawer.name"), placeholder: t("drawer.name"), id: "run-name" });
  const run = button(t("drawer.run"), () => app.startRun(), { class: "primary", id: "run" });
  const cancel = button(t("job.cancel"), () => app.cancel(), { id: "cancel" });
  const bar = h("progress", { max: 1, "aria-label": t("job.progress") });
  const step = h("p", { class: "small job-step", role: "status" });
  const readOnly = h("p", { class: "soft small" }, t("drawer.read_only"));
  const close = button(icon("close"), () => app.sheet(false), { class: "icon-button sheet-only", "aria-label": t("drawer.close") });
  const element = h(
    "aside",
    {
      class: "app-drawer no-print",
      id: "drawer",
      "aria-labelledby": "drawer-title",
      onkeydown: (event) => event.key === "Escape" && app.sheet(false),
    },
    h(
      "div",
      { class: "drawer-scroll" },
      h("div", { class: "card-head" }, h("h2", { id: "drawer-title", tabindex: "-1" }, t("drawer.title")), close),
      field(t("drawer.scenario"), scenario),
      h("div", { class: "drawer-row" }, field(t("drawer.growth"), growth), field(t("drawer.first"), first), field(t("drawer.last"), last)),
      kase.systems.length ? field(t("drawer.capacities"), capacities) : null,
      lost,
      tabs,
      measures.element,
      assumptions.element,
    ),
    h(
      "div",
      { class: "run-bar" },
      h("div", { class: "card-head" }, edits, back),
      readOnly,
      name,
      h("div", { class: "tools" }, run, cancel),
      bar,
      step,
    ),
  );

  function drawJob() {
    const { job } = desk.get();
    const isOn = Boolean(job) && !isEnded(job);
    bar.hidden = cancel.hidden = !isOn;
    step.hidden = !job;
    if (!job) return;
    if (job.state === "waiting") bar.removeAttribute("value");
    else bar.value = job.progress.share;
    step.textContent = job.state === "running" ? `${percent(job.progress.share)} · ${toldOf(job)}` : toldOf(job);
    step.dataset.state = job.state;
  }

  function draw() {
    const { draft, base } = desk.get();
    const count = base ? editsOf(draft, base) : 0;
    const isOpen = app.server.mayChange();
    scenario.value = draft.scenario;
    growth.value = draft.growth;
    capacities.value = draft.capacities;
    first.value = draft.years.first;
    last.value = draft.years.last;
    edits.textContent = count ? t("drawer.edits", { count }) : "";
    edits.dataset.count = count;
    back.hidden = count === 0;
    lost.hidden = !draft.lost?.length;
    lost.textContent = t("drawer.lost", { measures: (draft.lost ?? []).join(", ") });
    readOnly.hidden = isOpen;
    name.hidden = run.hidden = !isOpen;
    measures.draw();
    assumptions.draw();
    drawJob();
  }

  draw();
  return {
    element,
    draw,
    drawJob,
    choose,
    drawYear: () => assumptions.draw(),
    regroup: () => measures.group(),
    order: assumptions.order,
    name: () => name.value.trim(),
    clearName: () => {
      name.value = "";
    },
    focus: () => element.querySelector("#drawer-title").focus(),
    year: () => store.get().year,
  };
}
