// Choices that several rooms share: a row of buttons, the language, the year.
import { button, h, icon } from "./dom.js";
import { LANGUAGES, currentLanguage, setLanguage, t } from "./i18n.js";

export function picker(name, choices, store, key) {
  const group = h("div", { class: "segmented no-print", role: "group", "aria-label": name });
  const draw = () =>
    group.replaceChildren(
      ...choices.map(([value, label]) =>
        button(
          label,
          () => {
            store.set({ [key]: value });
          },
          { "aria-pressed": String(store.get()[key] === value), "data-choice": value },
        ),
      ),
    );
  draw();
  store.follow((_, changed) => {
    if (!changed.includes(key)) return;
    for (const each of group.children) each.setAttribute("aria-pressed", String(each.dataset.choice === String(store.get()[key])));
  });
  return group;
}

// Draws everything anew in the language that is picked, and keeps its place among the controls.
export function languagePicker(redraw) {
  return h(
    "select",
    {
      id: "language",
      "aria-label": t("language"),
      onchange: (event) => {
        setLanguage(event.target.value);
        redraw(event.target.value);
        document.getElementById("language").focus();
      },
    },
    Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, selected: code === currentLanguage() }, name)),
  );
}

export function yearBar(context) {
  const { doc, store } = context;
  const slider = h("input", {
    type: "range",
    id: "year",
    min: doc.years[0],
    max: doc.years.at(-1),
    step: 1,
    value: store.get().year,
    "aria-label": t("year.label"),
  });
  const shown = h("output", { for: "year", class: "year" }, String(store.get().year));
  let frame = 0;
  slider.addEventListener("input", () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => store.set({ year: Number(slider.value) }));
  });
  let timer = null;
  const play = button(icon("play"), toggle, { class: "icon-button", "aria-label": t("year.play"), "aria-pressed": "false" });
  function toggle() {
    if (timer) return stop();
    play.replaceChildren(icon("pause"));
    play.setAttribute("aria-pressed", "true");
    const step = () => {
      const { year } = store.get();
      store.set({ year: year >= doc.years.at(-1) ? doc.years[0] : year + 1 });
    };
    if (store.get().year >= doc.years.at(-1)) store.set({ year: doc.years[0] });
    timer = setInterval(step, 1200);
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.replaceChildren(icon("play"));
    play.setAttribute("aria-pressed", "false");
  }
  store.follow((state, changed) => {
    if (changed.includes("year")) {
      slider.value = state.year;
      shown.textContent = String(state.year);
    }
    if (changed.includes("still") && state.still) stop();
  });
  return h("div", { class: "yearbar card" }, play, slider, shown);
}
