// Puts the views together and keeps them drawn: header, sections, footer; theme, language, motion, printing.
import { allDrawn, chartOf, forgetAll, resizeAll } from "./charts.js";
import { makeCards } from "./cards.js";
import { languagePicker } from "./controls.js";
import { crossingsView } from "./crossings.js";
import { button, h } from "./dom.js";
import { setLanguage, t } from "./i18n.js";
import { registerBasemap } from "./map.js";
import { namesOf, spoken } from "./names.js";
import { START, createStore } from "./store.js";
import { preferredTheme, prefersStill } from "./theme.js";
import * as views from "./views.js";

const PAPER_WIDTH = "720px";

export async function mountPage(root, source, { language = "en", bar = [] } = {}) {
  const [own, other, differences, basemap, licences] = await Promise.all([
    source.screen(),
    source.against(),
    source.comparison(),
    source.basemap(),
    source.licences(),
  ]);
  registerBasemap(basemap);
  setLanguage(language);
  const store = createStore({
    year: own.focus_year,
    theme: location.hash.includes("print") ? "light" : preferredTheme(),
    still: prefersStill(),
    ...START,
  });
  await Promise.all(["Karvan 10 Mt", "Қорған Əğ", "Карван"].map((sample) => document.fonts.load("500 13px 'Inter Variable'", sample)));

  function build() {
    const names = namesOf(...[own, other, ...(own.shipments ?? [])].filter(Boolean));
    const [doc, against, comparison] = [own, other, differences].map((each) => each && spoken(each, names));
    forgetAll();
    store.clear();
    document.body.dataset.ready = "0";
    const { run } = doc;
    const detail = h("div", { class: "detail-place", hidden: true, "aria-live": "polite" });
    const context = { doc, against, comparison, licences, store, map: null };
    context.cards = makeCards(context, detail);
    const made = [
      "briefView",
      "heroView",
      "mapView",
      "ladderView",
      "promisesView",
      "trustView",
      "profileView",
      "sankeyView",
      "diversionView",
      "shipmentsView",
      "compareView",
      "validationView",
      "linkTable",
      "operatorTable",
      "measureTable",
      "sourcesView",
    ].map((name) => views[name](context));
    const [
      brief,
      hero,
      map,
      ladder,
      promises,
      trust,
      profile,
      flows,
      diversion,
      shipments,
      compare,
      validation,
      links,
      operators,
      measures,
      sources,
    ] = made;
    const crossings = doc.crossings ? crossingsView(context, doc.crossings) : null;
    const all = [...made.filter(Boolean), ...(crossings?.views ?? [])];
    const section = (id, title, ...content) =>
      h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), content);
    const rooms = [
      ["answer", "nav.answer"],
      ["where", "nav.map"],
      ["promises", "nav.promises"],
      ["routes", "nav.routes"],
      shipments ? ["shipments", "nav.shipments"] : null,
      crossings ? ["crossings", "nav.crossings"] : null,
      compare ? ["compare", "nav.compare"] : null,
      ["tables", "nav.tables"],
      ["sources", "nav.sources"],
    ].filter(Boolean);
    const languages = languagePicker(build);
    const theme = button("", () => store.set({ theme: store.get().theme === "light" ? "dark" : "light" }), { id: "theme" });
    const motion = button("", () => store.set({ still: !store.get().still }), { id: "motion" });
    const header = h(
      "header",
      { class: "topbar no-print" },
      h("a", { href: "#main", class: "skip" }, t("skip")),
      h("strong", { class: "brand" }, "Karvan"),
      h("span", { class: "soft run-name" }, `${run.corridor_title} · ${views.titleOf(run)}`),
      h(
        "nav",
        { "aria-label": t("nav.label") },
        rooms.map(([id, key]) => h("a", { href: `#${id}` }, t(key))),
      ),
      h(
        "div",
        { class: "tools" },
        bar,
        languages,
        motion,
        theme,
        button(t("print"), () => window.print()),
      ),
    );
    const main = h(
      "main",
      { id: "main" },
      hero.element,
      h(
        "section",
        { id: "where", class: "where", "aria-labelledby": "map-title" },
        h("div", { class: "card map-card" }, map.element),
        h("div", { class: "side" }, detail, ladder.element),
      ),
      promises.element,
      trust.element,
      section(
        "routes",
        t("routes.title"),
        h("div", { class: "pair" }, profile?.element, flows.element),
        h("div", { class: "pair" }, diversion.element, validation?.element),
      ),
      shipments?.element,
      crossings ? h("section", { id: "crossings", "aria-labelledby": "crossing-answer" }, crossings.element) : null,
      compare?.element,
      section("tables", t("tables.title"), links.element, operators.element, measures.element),
      sources.element,
    );
    const footer = h(
      "footer",
      { class: "soft small" },
      t("footer", {
        version: run.version,
        run_id: run.run_id,
        corridor: run.corridor,
        edition: run.corridor_version,
        facts: run.facts_until,
        price_year: run.price_year,
        hash: run.corridor_hash.slice(0, 12),
      }),
    );
    root.replaceChildren(header, brief.element, main, footer);
    const words = () => {
      const state = store.get();
      document.documentElement.dataset.theme = state.theme;
      document.documentElement.dataset.still = String(state.still);
      theme.textContent = state.theme === "light" ? t("theme.dark") : t("theme.light");
      motion.textContent = state.still ? t("motion.play") : t("motion.pause");
      motion.setAttribute("aria-pressed", String(state.still));
    };
    words();
    for (const view of all) view.draw(null);
    store.follow((state, changed) => {
      words();
      for (const view of all) if (view.keys.some((key) => changed.includes(key))) view.draw(changed);
    });
    allDrawn().then(() => {
      window.karvan = { store, map: context.map, doc, chartOf };
      document.body.dataset.ready = context.map.isDrawn() ? "1" : "0";
    });
  }

  build();
  addEventListener("resize", () => resizeAll());
  const before = {};
  function toPaper() {
    Object.assign(before, { theme: store.get().theme, still: store.get().still });
    document.documentElement.dataset.paper = "1";
    document.documentElement.style.setProperty("--paper-width", PAPER_WIDTH);
    store.set({ theme: "light", still: true, paper: true });
    resizeAll();
  }
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.paper;
    store.set({ ...before, paper: false });
    resizeAll();
  });
  if (location.hash.includes("print")) toPaper();
}
