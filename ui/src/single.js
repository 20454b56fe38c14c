// A page of one answer: bar, answer, footer; theme, language, printing.
import { allDrawn, chartOf, forgetAll, resizeAll } from "./charts.js";
import { languagePicker } from "./controls.js";
import { button, h } from "./dom.js";
import { setLanguage, t } from "./i18n.js";
import { registerBasemap } from "./map.js";
import { spoken } from "./names.js";
import { START, createStore } from "./store.js";
import { preferredTheme, prefersStill } from "./theme.js";

// What a page is of, where it says nothing more of its own.
const origin = (found) =>
  t("footer.energy", {
    version: found.version,
    corridor: found.corridor,
    edition: found.edition,
    hash: found.corridor_hash.slice(0, 12),
    scenario: found.scenario_title,
  });

/** `view(context, answer)` gives element and views; `footer(answer)` the line that says what the page is of. */
export async function mountAnswer(root, { answer: own, basemap, language, view, footer = origin }) {
  registerBasemap(basemap);
  setLanguage(language);
  const store = createStore({ theme: preferredTheme(), still: prefersStill(), ...START });
  await Promise.all(["Karvan 10 Mt", "Қорған Əğ", "Карван"].map((sample) => document.fonts.load("500 13px 'Inter Variable'", sample)));

  function build() {
    const answer = spoken(own);
    forgetAll();
    store.clear();
    document.body.dataset.ready = "0";
    const shown = view({ store }, answer, { level: "h1" });
    const languages = languagePicker(build);
    const theme = button("", () => store.set({ theme: store.get().theme === "light" ? "dark" : "light" }), { id: "theme" });
    root.replaceChildren(
      h(
        "header",
        { class: "topbar no-print" },
        h("a", { href: "#main", class: "skip" }, t("skip")),
        h("strong", { class: "brand" }, "Karvan"),
        h("span", { class: "soft run-name" }, `${answer.corridor_title} · ${answer.scenario_title}`),
        h(
          "div",
          { class: "tools push" },
          languages,
          theme,
          button(t("print"), () => window.print()),
        ),
      ),
      h("main", { id: "main" }, shown.element),
      h("footer", { class: "soft small" }, footer(answer)),
    );
    const words = () => {
      document.documentElement.dataset.theme = store.get().theme;
      theme.textContent = store.get().theme === "light" ? t("theme.dark") : t("theme.light");
    };
    words();
    for (const each of shown.views) each.draw(null);
    store.follow((_, changed) => {
      words();
      for (const each of shown.views) if (each.keys.some((key) => changed.includes(key))) each.draw(changed);
    });
    allDrawn().then(() => {
      window.karvan = { store, answer, chartOf };
      document.body.dataset.ready = "1";
    });
  }

  build();
  addEventListener("resize", () => resizeAll());
}
