// The map of a run alone, for the output of a notebook's cell.
import { allDrawn, resizeAll } from "./charts.js";
import { h } from "./dom.js";
import { setLanguage } from "./i18n.js";
import { registerBasemap } from "./map.js";
import { spoken } from "./names.js";
import { createStore, inlineSource } from "./store.js";
import { preferredTheme, prefersStill } from "./theme.js";
import { mapView } from "./where.js";

async function mountMap(root) {
  const source = inlineSource();
  const [own, basemap] = await Promise.all([source.screen(), source.basemap()]);
  registerBasemap(basemap);
  setLanguage(document.documentElement.lang);
  const doc = spoken(own);
  const state = { year: doc.focus_year, theme: preferredTheme(), still: prefersStill(), colourBy: "mode", goods: "all" };
  const store = createStore({ ...state, scope: "corridor", preset: "corridor", paper: false });
  const context = { doc, store, cards: { pick: () => {} }, map: null };
  const set = store.set;
  // A run in Python may leave years out; the slider goes to the nearest that there is.
  const near = (year) => doc.years.reduce((best, each) => (Math.abs(each - year) < Math.abs(best - year) ? each : best));
  store.set = (change) => set("year" in change ? { ...change, year: near(change.year) } : change);
  document.documentElement.dataset.theme = state.theme;
  document.documentElement.dataset.still = String(state.still);
  const map = mapView(context);
  root.replaceChildren(h("main", { class: "notebook" }, map.element));
  map.draw(null);
  store.follow((_, changed) => map.keys.some((key) => changed.includes(key)) && map.draw(changed));
  addEventListener("resize", () => resizeAll());
  await allDrawn();
  window.karvan = { store, map: context.map, doc };
  document.body.dataset.ready = context.map.isDrawn() ? "1" : "0";
}

mountMap(document.getElementById("page"));
