// The map with its choices, and what stops the corridor beside it.
import { baseOption, drawingElement, drawingOf } from "./charts.js";
import { picker, yearBar } from "./controls.js";
import { button, h, icon } from "./dom.js";
import { PICTURE, framed, notesOf, savePng, saveSvg } from "./download.js";
import { t, term } from "./i18n.js";
import { goodsOf, goodsShown } from "./goods.js";
import { ladderList, ladderPicture, ladderRows, ladderTable, rungList } from "./ladder.js";
import { geoOption, makeMap, mapSeries, pathsOf, widthOf } from "./map.js";
import { projection } from "./projection.js";
import { dataTable } from "./tables.js";
import { MODE_CLASSES, palette } from "./theme.js";

export const mapOption = (doc, colours, state, size, changes = null) => ({
  ...baseOption(colours),
  backgroundColor: colours.sea,
  geo: geoOption(colours, { box: doc.views[state.preset], ...size }),
  series: mapSeries({ doc, paths: pathsOf(doc), colours, state, width: size.width, changes, isPicture: true }).series,
});

export const PAPER_MAP = { width: 700, height: 440 };

export function mapView(context) {
  const { doc, store, cards, shown = () => doc } = context;
  const body = h("div", {
    class: "map",
    id: "map",
    tabindex: "0",
    role: "group",
    "aria-roledescription": t("map.role"),
    "aria-label": t("map.label"),
  });
  const paper = h("div", { class: "map-paper" });
  const key = h("div", { class: "map-key" });
  const caption = h("p", { class: "map-caption" });
  const source = t("source.map");
  const goods = h(
    "select",
    { id: "goods", onchange: (event) => store.set({ goods: event.target.value }) },
    h("option", { value: "all" }, t("map.all_goods")),
    doc.goods.map((row) => h("option", { value: row.commodity_group }, row.name)),
  );
  const name = `karvan-${doc.run.run_id}-map`;
  const picture = () => {
    const state = store.get();
    const colours = palette(state.theme);
    return framed(drawingOf(mapOption(shown(), colours, drawn(state), PICTURE, changes(state))), {
      title: t("map.title"),
      subtitle: told(state),
      notes: [...notesOf(doc, source), t("map.endorsement")],
      colours,
    });
  };
  // A moved year is told of all routes and goods; what of it crosses the cordon stands in the headline.
  // The year that is moved has no tonnes by goods.
  const drawn = (state) =>
    state.live ? { ...state, scope: "all", goods: "all", colourBy: state.colourBy === "goods" ? "mode" : state.colourBy } : state;
  const changes = (state) => (state.live && state.liveMap === "change" ? context.changes(state.live) : null);
  const told = (state) => {
    if (state.live) return t(state.liveMap === "change" ? "live.told_change" : "live.told_flows", { year: state.live.year });
    return toldOfRun(state);
  };
  const toldOfRun = (state) =>
    t(state.scope === "corridor" ? "map.told_corridor" : "map.told", {
      year: state.year,
      goods: state.goods === "all" ? t("map.all_goods") : doc.goods.find((row) => row.commodity_group === state.goods).name,
    });
  // The twin of the colours: tonnes of every link by goods.
  const twin = h("details", { class: "twin no-print", hidden: true }, h("summary", {}, t("table.show")));
  twin.addEventListener("toggle", () => fillTwin());
  function fillTwin() {
    if (twin.hidden || !twin.open) return;
    const state = drawn(store.get());
    const index = doc.years.indexOf(state.year);
    const groups = goodsShown(doc, state);
    const rows = doc.links
      .map((link) => {
        const parts = goodsOf(link, index, groups, state);
        const all_kt = parts.reduce((sum, each) => sum + each, 0);
        return {
          name: link.name,
          mode: term("mode", link.mode),
          all_kt,
          ...Object.fromEntries(groups.map(({ key }, at) => [key, parts[at]])),
        };
      })
      .filter((row) => row.all_kt >= 0.05)
      .sort((a, b) => b.all_kt - a.all_kt);
    const columns = [
      { key: "name", label: t("column.link") },
      { key: "mode", label: t("column.mode") },
      { key: "all_kt", label: t("map.all_goods_kt"), digits: 1 },
      ...groups.map(({ key, name: label }) => ({ key, label, digits: 1 })),
    ];
    twin.replaceChildren(
      twin.firstElementChild,
      dataTable({ id: "table-goods", caption: toldOfRun(state), columns, rows, fileName: `${name}-goods` }).element,
    );
  }
  let map = null;
  let scopes, colourings;
  const element = h(
    "div",
    { class: "map-block" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { id: "map-title" }, t("map.title")),
      h(
        "div",
        { class: "tools no-print" },
        button("PNG", () => savePng(name, picture()), { "aria-label": t("save.png", { title: t("map.title") }) }),
        button("SVG", () => saveSvg(name, picture()), { "aria-label": t("save.svg", { title: t("map.title") }) }),
      ),
    ),
    h(
      "div",
      { class: "tools no-print" },
      (scopes = picker(
        t("map.scope"),
        [
          ["corridor", t("map.scope_corridor")],
          ["all", t("map.scope_all")],
        ],
        store,
        "scope",
      )),
      (colourings = picker(
        t("map.colour"),
        [
          ["mode", t("map.by_mode")],
          ["use", t("map.by_use")],
          ["goods", t("map.by_goods")],
        ],
        store,
        "colourBy",
      )),
      h("label", { class: "field" }, h("span", { class: "visually-hidden" }, t("map.goods")), goods),
      picker(
        t("map.preset"),
        Object.keys(doc.views).map((preset) => [preset, t(`map.${preset}`)]),
        store,
        "preset",
      ),
    ),
    h("p", { class: "soft" }, caption),
    paper,
    h(
      "div",
      { class: "map-frame no-print" },
      body,
      h(
        "div",
        { class: "zoom no-print" },
        button(icon("plus"), () => map.move(0, 0, 1.5), { "aria-label": t("map.zoom_in"), class: "icon-button" }),
        button(icon("minus"), () => map.move(0, 0, 1 / 1.5), { "aria-label": t("map.zoom_out"), class: "icon-button" }),
      ),
      h("p", { class: "endorsement" }, t("map.endorsement")),
    ),
    yearBar(context),
    key,
    twin,
    h("p", { class: "soft small" }, source, " ", h("span", { class: "on-paper" }, t("map.endorsement"))),
  );
  return {
    element,
    keys: ["year", "theme", "colourBy", "goods", "preset", "still", "scope", "paper", "live", "liveMap"],
    draw(keys) {
      if (store.get().paper)
        paper.replaceChildren(drawingElement(mapOption(doc, palette("light"), { ...store.get(), theme: "light" }, PAPER_MAP), PAPER_MAP));
      map ??= makeMap(body, { doc, store: { get: () => drawn(store.get()) }, current: shown, changes, onpick: cards.pick });
      context.map = map;
      map.draw(keys);
      const state = store.get();
      scopes.hidden = goods.parentElement.hidden = Boolean(state.live);
      colourings.hidden = Boolean(changes(state)) || Boolean(state.live && state.colourBy === "goods");
      caption.textContent = told(state);
      key.replaceChildren(legend(drawn(state)));
      twin.hidden = drawn(state).colourBy !== "goods";
      fillTwin();
    },
  };

  function legend(state) {
    const colours = palette(state.theme);
    if (changes(state)) {
      const sides = [
        ["more", "live.more"],
        ["less", "live.less"],
      ];
      return h(
        "ul",
        { class: "inline" },
        sides.map(([side, word]) =>
          h("li", {}, h("span", { class: "swatch", style: { background: colours[side], height: "5px" } }), t(word)),
        ),
      );
    }
    const line = (colour, width) => h("span", { class: "swatch", style: { background: colour, height: `${Math.max(2, width)}px` } });
    const items =
      state.colourBy === "goods"
        ? [
            ...goodsShown(doc, state).map(({ name, key }, at) => h("li", { "data-goods": key }, line(colours.series[at], 5), name)),
            h("li", { class: "soft" }, t("map.goods_told")),
          ]
        : state.colourBy === "use"
          ? [0, 1, 2, 3].map((step) => h("li", {}, line(colours.use[step], 5), t(`use.${step}`)))
          : MODE_CLASSES.map((kind) => h("li", {}, line(colours[kind], 5), t(`class.${kind}`)));
    const widths = (state.scope === "corridor" ? [0.1, 1, 3] : [1, 5, 15]).map((mt) =>
      h(
        "li",
        {},
        line(colours.soft, widthOf(mt * 1000, false, state.scope)),
        state.scope === "corridor" ? t("map.width_corridor", { freight_mt: mt }) : t("map.width", { freight_mt: mt, oil_mt: mt * 6 }),
      ),
    );
    return h(
      "div",
      {},
      h(
        "ul",
        { class: "inline" },
        items,
        h("li", {}, h("span", { class: "diamond", style: { background: colours.use[3] } }), t("map.full")),
        h("li", {}, h("span", { class: "swatch dashed" }), t("map.planned")),
      ),
      h("ul", { class: "inline" }, widths),
    );
  }
}

export function ladderView(context) {
  const { doc, store, cards, shown = () => doc } = context;
  const list = h("div", {});
  const subtitle = h("p", { class: "soft" });
  const twin = h("details", { class: "twin" }, h("summary", {}, t("table.show")));
  const name = `karvan-${doc.run.run_id}-ladder`;
  const open = (id) => {
    cards.facility(id);
    const row = doc.facilities.find((each) => each.facility_id === id);
    const place = doc.places.find((each) => row.place_ids.includes(each.place_id));
    if (place) context.map?.chart.setOption({ geo: centre(place) });
  };
  const picture = () => ladderPicture(doc, store.get(), ladderRows(shown(), store.get().year));
  const kinds = doc.ladder
    ? picker(
        t("ladder.kind"),
        [
          ["year", t("ladder.by_year")],
          ["as_is", t("ladder.as_is")],
          ["relieved", t("ladder.relieved")],
        ],
        store,
        "ladder",
      )
    : null;
  const element = h(
    "section",
    { class: "card ladder-panel", id: "ladder", "aria-labelledby": "ladder-title" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { id: "ladder-title" }, t("ladder.title")),
      h(
        "div",
        { class: "tools no-print" },
        button("PNG", () => savePng(name, picture()), { "aria-label": t("save.png", { title: t("ladder.title") }) }),
        button("SVG", () => saveSvg(name, picture()), { "aria-label": t("save.svg", { title: t("ladder.title") }) }),
      ),
    ),
    subtitle,
    kinds,
    list,
    h("p", { class: "soft small" }, t("ladder.note")),
    doc.ladder ? null : (context.ladderAsk?.() ?? h("p", { class: "soft small" }, t("ladder.missing"))),
    twin,
  );
  twin.addEventListener("toggle", fill);
  function fill() {
    if (!twin.open) return;
    const { columns, rows } = ladderTable(ladderRows(shown(), store.get().year, { onCorridor: false }));
    columns[0].open = (row) => open(row.facility_id);
    twin.replaceChildren(
      twin.firstElementChild,
      dataTable({ id: "table-ladder", caption: t("ladder.table", { year: store.get().year }), columns, rows, fileName: name }).element,
    );
  }
  return {
    element,
    keys: ["year", "ladder", "theme", "live"],
    draw() {
      const { year, ladder, live } = store.get();
      if (doc.ladder && ladder !== "year") {
        subtitle.textContent = t(`ladder.${ladder}_told`, {
          year: doc.ladder.year,
          scenario: doc.ladder.scenario_id,
          to_mt: doc.ladder.to_mt,
        });
        list.replaceChildren(rungList(doc.ladder[ladder], { onopen: open }));
      } else {
        subtitle.textContent = t(live ? "ladder.subtitle_live" : "ladder.subtitle", { year });
        const rows = ladderRows(shown(), year).slice(0, context.rungs ?? 8);
        const before = live ? ladderRows(doc, year, { onCorridor: false }) : [];
        list.replaceChildren(rows.length ? ladderList(rows, { onopen: open, before }) : h("p", {}, t("ladder.nothing")));
      }
      fill();
    },
  };
}

const centre = (place) => ({ center: projection.project([place.lon_deg, place.lat_deg]) });
