// The rooms of the screen. Each view gives its element, what it follows and how it draws; report and app put them together.
import { baseOption, diversionOption, drawingElement, drawingOf, figure, outlookOption, profileOption, sankeyOption, validationOption } from "./charts.js";
import { chip } from "./cards.js";
import { button, h, icon } from "./dom.js";
import { PICTURE, framed, notesOf, saveJson, savePng, saveSvg } from "./download.js";
import { amount, number, percent, signed, t, term, unit } from "./i18n.js";
import { costOf, ladderList, ladderPicture, ladderRows, ladderTable, rungList } from "./ladder.js";
import { geoOption, makeMap, mapSeries, pathsOf, widthOf } from "./map.js";
import { dataTable } from "./tables.js";
import { palette, MODE_CLASSES } from "./theme.js";

export const sentences = (told) => told.map(({ key, values }) => t(key, values)).join(" ");

// Text of a figure: value, unit, and how it is to be read.
export function figureText(row) {
  if (row.unit === "facilities") return { value: number(row.value, 0), unit: "" };
  if (row.unit === "Mt") return { value: number(row.value, 1), unit: t("unit.Mt") };
  return { value: amount(row.value), unit: unit(row.unit) };
}

export function rangeText(row) {
  const digits = row.unit === "Mt" ? (value) => number(value, 1) : amount;
  if (row.low !== null && row.low !== undefined) return t("figure.range", { low: digits(row.low), high: digits(row.high), baseline: digits(row.baseline) });
  return t("figure.baseline", { baseline: row.unit === "facilities" ? number(row.baseline, 0) : digits(row.baseline) });
}

// Title of a run's scenario with what its options changed.
export const titleOf = (run) => [run.scenario_title, ...(run.changes.length > 3 ? [...run.changes.slice(0, 3), "…"] : run.changes)].join("  ");

export function heroView(context) {
  const { doc } = context;
  const { headline, run } = doc;
  const status = h("span", { class: "soft small", role: "status" });
  const quote = t(doc.quote.key, doc.quote.values);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(quote);
      status.textContent = t("quote.copied");
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById("quote"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      status.textContent = t("quote.selected");
    }
  };
  const [first, second, ...rest] = doc.answer;
  const lead = second ? sentences([first, second]) : sentences([first]);
  const figures = h("ul", { class: "figures", "aria-label": t("figures.title") }, doc.figures.map((row) => {
    const told = figureText(row);
    return h("li", { class: "card kpi" }, h("span", { class: "soft" }, t(`figure.${row.figure_id}`, { year: row.year })),
      h("span", { class: "kpi-value", "data-figure": row.figure_id, "data-value": row.value }, told.value, told.unit ? h("span", { class: "kpi-unit" }, told.unit) : null), h("span", { class: "soft small" }, rangeText(row)));
  }));
  const chart = figure({
    id: "outlook", context, title: () => t("outlook.title"), subtitle: () => t("outlook.subtitle"), source: t("source.outlook"), height: 330, heading: "h2",
    option: (colours) => outlookOption(doc, colours), table: () => outlookTable(doc),
  });
  const element = h("section", { id: "answer", "aria-labelledby": "answer-title", class: "hero" },
    h("div", { class: "hero-words" },
      h("p", { class: "eyebrow" }, run.corridor_title, " · ", titleOf(run)),
      h("h1", { id: "answer-title" }, lead),
      rest.length ? h("p", { class: "lead" }, sentences(rest)) : null,
      headline ? h("p", { class: "soft" }, headline.date ? t("answer.promised", { date: headline.date, title: headline.title }) : headline.title) : null,
      h("p", { class: "soft small" }, t("answer.against", { baseline: run.baseline_title })),
      h("div", { class: "quote" }, h("p", { id: "quote" }, quote), h("div", { class: "tools no-print" }, button(t("quote.copy"), copy), status))),
    h("div", { class: "hero-chart" }, chart.element), figures);
  return { element, draw: chart.draw, keys: chart.keys };
}

function outlookTable(doc) {
  const { observed, scenario, baseline, low, high } = doc.outlook;
  const years = [...new Set([...observed, ...scenario].map((row) => row.year))].sort();
  const of = (rows, year, key = "corridor_mt") => rows.find((row) => row.year === year)?.[key] ?? null;
  return {
    columns: [
      { key: "year", label: t("column.year"), isNumber: true, show: String }, { key: "observed_mt", label: t("column.observed_mt"), digits: 2 }, { key: "scenario_mt", label: t("column.scenario_mt"), digits: 2 }, { key: "low_mt", label: t("column.low_mt"), digits: 2 },
      { key: "high_mt", label: t("column.high_mt"), digits: 2 }, { key: "baseline_mt", label: t("column.baseline_mt"), digits: 2 }, { key: "latent_mt", label: t("column.latent_mt"), digits: 2 }, { key: "containers_teu", label: t("column.containers_teu"), digits: 0 }, { key: "crude_mt", label: t("column.crude_mt"), digits: 2 },
    ],
    rows: years.map((year) => ({
      year, observed_mt: of(observed, year), scenario_mt: of(scenario, year), low_mt: of(low, year), high_mt: of(high, year), baseline_mt: of(baseline, year), latent_mt: of(scenario, year, "corridor_latent_mt"), containers_teu: of(scenario, year, "containers_teu"), crude_mt: of(scenario, year, "crude_mt"),
    })),
  };
}

export function picker(name, choices, store, key) {
  const group = h("div", { class: "segmented no-print", role: "group", "aria-label": name });
  const draw = () => group.replaceChildren(...choices.map(([value, label]) => button(label, () => { store.set({ [key]: value }); }, { "aria-pressed": String(store.get()[key] === value), "data-choice": value })));
  draw();
  store.follow((_, changed) => {
    if (!changed.includes(key)) return;
    for (const each of group.children) each.setAttribute("aria-pressed", String(each.dataset.choice === String(store.get()[key])));
  });
  return group;
}

export function yearBar(context) {
  const { doc, store } = context;
  const slider = h("input", { type: "range", id: "year", min: doc.years[0], max: doc.years.at(-1), step: 1, value: store.get().year, "aria-label": t("year.label") });
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

const mapOption = (doc, colours, state, size, changes = null) => ({
  ...baseOption(colours), backgroundColor: colours.sea, geo: geoOption(colours, { box: doc.views[state.preset], ...size }), series: mapSeries({ doc, paths: pathsOf(doc), colours, state, width: size.width, changes, isPicture: true }).series,
});
const PAPER_MAP = { width: 700, height: 440 };

export function mapView(context) {
  const { doc, store, cards } = context;
  const body = h("div", { class: "map", id: "map", tabindex: "0", role: "group", "aria-roledescription": t("map.role"), "aria-label": t("map.label") });
  const paper = h("div", { class: "map-paper" });
  const key = h("div", { class: "map-key" });
  const caption = h("p", { class: "map-caption" });
  const source = t("source.map");
  const goods = h("select", { id: "goods", onchange: (event) => store.set({ goods: event.target.value }) }, h("option", { value: "all" }, t("map.all_goods")), doc.goods.map((row) => h("option", { value: row.commodity_group }, row.name)));
  const name = `karvan-${doc.run.run_id}-map`;
  const picture = () => {
    const state = store.get();
    const colours = palette(state.theme);
    return framed(drawingOf(mapOption(doc, colours, state, PICTURE)), { title: t("map.title"), subtitle: told(state), notes: [...notesOf(doc, source), t("map.endorsement")], colours });
  };
  const told = (state) => t(state.scope === "corridor" ? "map.told_corridor" : "map.told", { year: state.year, goods: state.goods === "all" ? t("map.all_goods") : doc.goods.find((row) => row.commodity_group === state.goods).name });
  let map = null;
  const element = h("div", { class: "map-block" },
    h("div", { class: "card-head" }, h("h2", { id: "map-title" }, t("map.title")),
      h("div", { class: "tools no-print" }, button("PNG", () => savePng(name, picture()), { "aria-label": t("save.png", { title: t("map.title") }) }), button("SVG", () => saveSvg(name, picture()), { "aria-label": t("save.svg", { title: t("map.title") }) }))),
    h("div", { class: "tools no-print" },
        picker(t("map.scope"), [["corridor", t("map.scope_corridor")], ["all", t("map.scope_all")]], store, "scope"),
        picker(t("map.colour"), [["mode", t("map.by_mode")], ["use", t("map.by_use")]], store, "colourBy"),
        h("label", { class: "field" }, h("span", { class: "visually-hidden" }, t("map.goods")), goods),
        picker(t("map.preset"), Object.keys(doc.views).map((preset) => [preset, t(`map.${preset}`)]), store, "preset")),
    h("p", { class: "soft" }, caption),
    paper, h("div", { class: "map-frame no-print" }, body,
      h("div", { class: "zoom no-print" }, button(icon("plus"), () => map.move(0, 0, 1.5), { "aria-label": t("map.zoom_in"), class: "icon-button" }), button(icon("minus"), () => map.move(0, 0, 1 / 1.5), { "aria-label": t("map.zoom_out"), class: "icon-button" })),
      h("p", { class: "endorsement" }, t("map.endorsement"))),
    yearBar(context), key, h("p", { class: "soft small" }, source, " ", h("span", { class: "on-paper" }, t("map.endorsement"))));
  return {
    element, keys: ["year", "theme", "colourBy", "goods", "preset", "still", "scope", "paper"],
    draw(keys) {
      if (store.get().paper) paper.replaceChildren(drawingElement(mapOption(doc, palette("light"), { ...store.get(), theme: "light" }, PAPER_MAP), PAPER_MAP));
      map ??= makeMap(body, { doc, store, onpick: cards.pick });
      context.map = map;
      map.draw(keys);
      const state = store.get();
      caption.textContent = told(state);
      key.replaceChildren(legend(state));
    },
  };

  function legend(state) {
    const colours = palette(state.theme);
    const line = (colour, width) => h("span", { class: "swatch", style: { background: colour, height: `${Math.max(2, width)}px` } });
    const items = state.colourBy === "use"
      ? [0, 1, 2, 3].map((step) => h("li", {}, line(colours.use[step], 5), t(`use.${step}`)))
      : MODE_CLASSES.map((kind) => h("li", {}, line(colours[kind], 5), t(`class.${kind}`)));
    const widths = (state.scope === "corridor" ? [0.1, 1, 3] : [1, 5, 15]).map((mt) => h("li", {}, line(colours.soft, widthOf(mt * 1000, false, state.scope)), state.scope === "corridor" ? t("map.width_corridor", { freight_mt: mt }) : t("map.width", { freight_mt: mt, oil_mt: mt * 6 })));
    return h("div", {}, h("ul", { class: "inline" }, items, h("li", {}, h("span", { class: "diamond", style: { background: colours.use[3] } }), t("map.full")), h("li", {}, h("span", { class: "swatch dashed" }), t("map.planned"))), h("ul", { class: "inline" }, widths));
  }
}

export function ladderView(context) {
  const { doc, store, cards } = context;
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
  const picture = () => ladderPicture(doc, store.get(), ladderRows(doc, store.get().year));
  const kinds = doc.ladder
    ? picker(t("ladder.kind"), [["year", t("ladder.by_year")], ["as_is", t("ladder.as_is")], ["relieved", t("ladder.relieved")]], store, "ladder")
    : null;
  const element = h("section", { class: "card ladder-panel", id: "ladder", "aria-labelledby": "ladder-title" },
    h("div", { class: "card-head" }, h("h2", { id: "ladder-title" }, t("ladder.title")), h("div", { class: "tools no-print" }, button("PNG", () => savePng(name, picture()), { "aria-label": t("save.png", { title: t("ladder.title") }) }), button("SVG", () => saveSvg(name, picture()), { "aria-label": t("save.svg", { title: t("ladder.title") }) }))),
    subtitle, kinds, list, h("p", { class: "soft small" }, t("ladder.note")), doc.ladder ? null : h("p", { class: "soft small" }, t("ladder.missing")), twin);
  twin.addEventListener("toggle", fill);
  function fill() {
    if (!twin.open) return;
    const { columns, rows } = ladderTable(ladderRows(doc, store.get().year, { onCorridor: false }));
    columns[0].open = (row) => open(row.facility_id);
    twin.replaceChildren(twin.firstElementChild, dataTable({ id: "table-ladder", caption: t("ladder.table", { year: store.get().year }), columns, rows, fileName: name }).element);
  }
  return {
    element, keys: ["year", "ladder", "theme"],
    draw() {
      const { year, ladder } = store.get();
      if (doc.ladder && ladder !== "year") {
        subtitle.textContent = t(`ladder.${ladder}_told`, { year: doc.ladder.year, scenario: doc.ladder.scenario_id, to_mt: doc.ladder.to_mt });
        list.replaceChildren(rungList(doc.ladder[ladder], { onopen: open }));
      } else {
        subtitle.textContent = t("ladder.subtitle", { year });
        const rows = ladderRows(doc, year).slice(0, 8);
        list.replaceChildren(rows.length ? ladderList(rows, { onopen: open }) : h("p", {}, t("ladder.nothing")));
      }
      fill();
    },
  };
}

import { projection } from "./projection.js";
const centre = (place) => ({ center: projection.project([place.lon_deg, place.lat_deg]) });

export function promisesView(context) {
  const { doc } = context;
  const tiles = doc.commitments.filter((row) => row.is_headline).sort((a, b) => (a.promise ?? 99) - (b.promise ?? 99));
  const told = (value, row) => {
    if (value === null || value === undefined) return "–";
    if (row.metric === "link_open") return value >= 1 ? t("promise.is_open") : t("promise.not_open");
    const digits = row.metric === "family_shift_mt" ? signed(value, 3) : amount(value);
    return row.unit ? `${digits} ${unit(row.unit)}` : digits;
  };
  const fact = (label, value, raw, key) => h("div", { class: "fact" }, h("span", {}, label), h("strong", { "data-value": raw ?? "", "data-key": key }, value));
  const columns = [
    { key: "title", label: t("column.promise") }, { key: "target", label: t("column.target"), isNumber: true, show: amount }, { key: "unit", label: t("column.unit"), show: (value) => unit(value) }, { key: "year", label: t("column.year"), isNumber: true, show: (value) => value ?? "–" },
    { key: "observed", label: t("column.observed"), isNumber: true, show: amount }, { key: "baseline", label: t("column.baseline"), isNumber: true, show: amount }, { key: "scenario", label: t("column.scenario"), isNumber: true, show: amount },
    { key: "verdict", label: t("column.verdict"), show: (value) => t(`verdict.${value}`) }, { key: "status", label: t("column.status") },
  ];
  const register = h("details", { class: "twin" }, h("summary", {}, t("promise.register", { count: doc.commitments.length })));
  register.addEventListener("toggle", () => {
    if (register.open && register.childElementCount === 1) register.append(dataTable({ id: "table-commitments", caption: t("promise.register", { count: doc.commitments.length }), columns, rows: doc.commitments, filter: true, fileName: `karvan-${doc.run.run_id}-commitments` }).element);
  });
  const element = h("section", { id: "promises", "aria-labelledby": "promises-title" }, h("h2", { id: "promises-title" }, t("promises.title")), h("p", { class: "soft" }, t("promises.subtitle")),
    h("ul", { class: "tiles" }, tiles.map((row) => h("li", { class: `card tile verdict-${row.verdict}` },
      h("span", { class: "verdict" }, icon(row.verdict), t(`verdict.${row.verdict}`)), h("h3", {}, row.title),
      h("div", { class: "facts" },
        row.target !== null ? fact(row.year ? t("promise.target_in", { year: row.year }) : t("promise.target"), told(row.target, row), row.target, "target") : null,
        row.observed !== null ? fact(row.observed_year ? t("promise.observed_in", { year: row.observed_year }) : t("promise.observed"), told(row.observed, row), row.observed, "observed") : null,
        row.baseline !== null ? fact(t("promise.baseline"), told(row.baseline, row), row.baseline, "baseline") : null,
        row.scenario !== null ? fact(t("promise.scenario"), told(row.scenario, row), row.scenario, "scenario") : null),
      h("p", { class: "soft small clamp", title: row.status }, row.status)))), register);
  return { element, draw() {}, keys: [] };
}

function trustLines(doc) {
  const { trust } = doc;
  const { inputs, calibration } = trust;
  return [
    t("trust.inputs", { count: inputs.count }), t("trust.fitted", { constants: calibration.constants, observations: calibration.observations, base_year: calibration.base_year }),
    trust.model_mt !== null && trust.observed_mt !== null ? t("trust.outturn", { year: trust.year, base_year: calibration.base_year, model_mt: trust.model_mt, observed_mt: trust.observed_mt }) : null,
    doc.validation?.not_used ? t("trust.validation", { count: doc.validation.not_used, error_share: doc.validation.median_abs_error_of_all }) : null,
    t("trust.estimates", { tonnes_share: trust.estimated_shares.tonnes, charges_share: trust.estimated_shares.charges, hours_share: trust.estimated_shares.hours, base_year: calibration.base_year }),
  ].filter(Boolean);
}

export function trustView(context) {
  const { doc } = context;
  const { trust } = doc;
  const { inputs } = trust;
  const shares = ["sourced", "recalled", "estimate"];
  const lines = trustLines(doc);
  const movers = trust.movers.map((row) => h("li", {}, t("trust.mover", { name: row.name, column: t(`value.${row.column}`), low: row.low, high: row.high, value: row.value, year: row.year, low_mt: row.low_mt, high_mt: row.high_mt })));
  const missed = trust.blocks.filter((row) => Math.abs(row.error_share) > 0.1).map((row) => h("li", {}, t("trust.missed", { title: row.title, model: number(row.model_kt, 0), published: number(row.published_kt, 0), error: signed(100 * row.error_share, 0) })));
  const wrong = (doc.validation?.outturn?.rows ?? []).filter((row) => !row.is_sign_right).map((row) => h("li", {}, t("trust.wrong_sign", { model: row.model, published: row.published, unit: unit(row.unit), year: doc.validation.outturn.year })));
  const element = h("section", { id: "trust", class: "card", "aria-labelledby": "trust-title" }, h("h2", { id: "trust-title" }, t("trust.title")),
    h("div", { class: "strip", role: "img", "aria-label": shares.map((name) => `${t(`confidence.${name}`)} ${percent(inputs[`${name}_share`])}`).join(", ") }, shares.map((name) => h("span", { class: `strip-${name}`, style: { "flex-grow": inputs[`${name}_share`] } }))),
    h("ul", { class: "inline" }, shares.map((name) => h("li", {}, chip(name), " ", h("strong", { "data-value": inputs[`${name}_share`] }, percent(inputs[`${name}_share`]))))),
    h("ul", { class: "points" }, lines.map((line) => h("li", {}, line)), wrong, missed, movers));
  return { element, draw() {}, keys: [] };
}

export function profileView(context) {
  const { doc, store } = context;
  const groups = new Map();
  for (const journey of doc.journeys) {
    const key = `${journey.origin_country}|${journey.commodity_group}`;
    groups.set(key, [...(groups.get(key) ?? []), journey]);
  }
  if (!groups.size) return null;
  const goods = Object.fromEntries(doc.goods.map((row) => [row.commodity_group, row.name]));
  const label = (journeys) => t("profile.group", { origin: [...new Set(journeys.map((row) => row.origin.replace(/ \(.*\)$/, "")))].join(", "), goods: goods[journeys[0].commodity_group] });
  const keys = [...groups.keys()];
  const years = doc.journeys.flatMap((row) => row.curves.filter((curve) => curve.scenario === doc.run.scenario).map((curve) => curve.year));
  const year = years.includes(doc.focus_year) ? doc.focus_year : years[0];
  const curves = (state) => groups.get(state.journeys ?? keys[0]).flatMap((journey) => {
    const curve = journey.curves.find((each) => each.scenario === doc.run.scenario && each.year === year) ?? journey.curves.at(-1);
    return curve ? [{ ...curve, name: journey.name, origin: journey.origin, family_id: journey.family_id }] : [];
  });
  const choice = h("label", { class: "field no-print" }, h("span", {}, t("profile.choose")), h("select", { onchange: (event) => store.set({ journeys: event.target.value }) }, keys.map((key) => h("option", { value: key }, label(groups.get(key))))));
  const controls = h("div", { class: "tools no-print" }, choice, picker(t("profile.measure"), [["time_d", t("profile.time")], ["charge_usd_per_t", t("profile.cost")]], store, "measure"));
  const view = figure({
    id: "profile", context, title: () => t("profile.title"), subtitle: () => t("profile.subtitle", { year }), source: t("source.profile"), height: 470, controls,
    option: (colours, state, size) => profileOption(curves(state), colours, { measure: state.measure, ...size }),
    table: (state) => ({
      columns: [
        { key: "name", label: t("column.journey") }, { key: "length_km", label: t("column.length_km"), digits: 0 }, { key: "time_d", label: t("column.time_d"), digits: 1 }, { key: "time_sd_d", label: t("column.time_sd_d"), digits: 1 }, { key: "moving_d", label: t("column.moving_d"), digits: 1 }, { key: "stopped_d", label: t("column.stopped_d"), digits: 1 },
        { key: "charge_usd_per_t", label: t("column.charge_usd_per_t"), digits: 0 }, { key: "charge_usd_per_teu", label: t("column.charge_usd_per_teu"), digits: 0 }, { key: "co2e_kg_per_t", label: t("column.co2e_kg_per_t"), digits: 0 },
      ],
      rows: curves(state).map((row) => ({ ...row, moving_d: row.moving_h / 24, stopped_d: row.time_d - row.moving_h / 24 })),
    }),
  });
  return { ...view, keys: [...view.keys, "journeys", "measure"] };
}

export function sankeyView(context) {
  const { doc } = context;
  const regions = Object.fromEntries(doc.regions.map((row) => [row.region_id, row.name]));
  const goods = Object.fromEntries(doc.goods.map((row) => [row.commodity_group, row.name]));
  const view = figure({
    id: "flows", context, title: () => t("flows.title"), subtitle: (state) => t("flows.subtitle", { year: state.year }), source: t("source.model"), height: 470,
    option: (colours, state, size) => sankeyOption(doc, colours, { year: state.year, wide: size.width > 520 }),
    table: (state) => {
      const index = doc.years.indexOf(state.year);
      return {
        columns: [{ key: "origin", label: t("column.origin") }, { key: "destination", label: t("column.destination") }, { key: "goods", label: t("column.goods") }, { key: "scenario_kt", label: t("column.scenario_kt"), digits: 1 }, { key: "baseline_kt", label: t("column.baseline_kt"), digits: 1 }],
        rows: doc.flows.map((row) => ({ origin: regions[row.origin_region], destination: regions[row.destination_region], goods: goods[row.commodity_group], scenario_kt: row.scenario_kt[index], baseline_kt: row.baseline_kt[index] })).filter((row) => row.scenario_kt >= 0.05 || row.baseline_kt >= 0.05).sort((a, b) => b.scenario_kt - a.scenario_kt),
      };
    },
  });
  return { ...view, keys: [...view.keys, "year"] };
}

export function diversionView(context) {
  const { doc } = context;
  return figure({
    id: "diversion", context, title: () => t("diversion.title"), subtitle: () => t("diversion.subtitle", { baseline: doc.run.baseline_title }), source: t("source.model"), height: 430,
    option: (colours, state, size) => diversionOption(doc, colours, size),
    table: (state) => {
      const index = doc.years.indexOf(state.year);
      return {
        columns: [{ key: "name", label: t("column.family") }, { key: "scenario_mt", label: t("column.scenario_mt"), digits: 3 }, { key: "baseline_mt", label: t("column.baseline_mt"), digits: 3 }, { key: "change_mt", label: t("column.change_mt"), digits: 3, show: (value) => signed(value, 3) }],
        rows: doc.diversion.map((row) => ({ name: row.name, scenario_mt: row.scenario_mt[index], baseline_mt: row.baseline_mt[index], change_mt: row.scenario_mt[index] - row.baseline_mt[index] })),
      };
    },
  });
}

export function validationView(context) {
  const { doc } = context;
  if (!doc.validation?.rows.length) return null;
  return figure({
    id: "validation", context, title: () => t("validation.title"), subtitle: () => t("validation.subtitle", { count: doc.validation.count, compared: doc.validation.compared, free: doc.validation.not_used }), source: t("source.validation"), height: 430,
    option: (colours) => validationOption(doc, colours),
    table: () => ({
      columns: [
        { key: "scope", label: t("column.what") }, { key: "year", label: t("column.year"), isNumber: true, show: String }, { key: "compared_with", label: t("column.published"), isNumber: true, show: amount }, { key: "model", label: t("column.model"), isNumber: true, show: amount }, { key: "unit", label: t("column.unit"), show: (value) => unit(value) },
        { key: "error", label: t("column.error"), isNumber: true, show: (value) => `${signed(100 * value, 0)}%` }, { key: "used", label: t("column.used") }, { key: "why", label: t("column.why") },
      ],
      rows: doc.validation.rows.map((row) => ({ ...row, used: row.used_in_calibration ? t("validation.used") : t("validation.free") })),
    }),
  });
}

// A table in a drawer, filled when it is opened.
function drawer(context, { id, title, columns, rows, keys = [], filter = true, note = null }) {
  const { doc, store } = context;
  const element = h("details", { class: "card drawer", id }, h("summary", {}, h("h3", {}, title)), note ? h("p", { class: "soft" }, note) : null);
  const head = element.childElementCount;
  const fill = () => {
    if (!element.open) return;
    while (element.childElementCount > head) element.lastElementChild.remove();
    element.append(dataTable({ id: `table-${id}`, caption: title, columns: columns(), rows: rows(store.get()), filter, fileName: `karvan-${doc.run.run_id}-${id}` }).element);
  };
  element.addEventListener("toggle", fill);
  return { element, draw: fill, keys };
}

export function linkTable(context) {
  const { doc, cards } = context;
  return drawer(context, {
    id: "links", title: t("links.title"), note: t("links.note"), keys: ["year"],
    columns: () => [{ key: "name", label: t("column.link"), open: (row) => cards.link(row.link_id) }, { key: "mode", label: t("column.mode") }, { key: "operator", label: t("column.operator") }, { key: "forward_kt", label: t("column.forward_kt"), digits: 1 }, { key: "backward_kt", label: t("column.backward_kt"), digits: 1 }, { key: "baseline_kt", label: t("column.baseline_kt"), digits: 1 }, { key: "length_km", label: t("column.length_km"), digits: 0 }],
    rows: ({ year }) => {
      const index = doc.years.indexOf(year);
      return doc.links.map((row) => ({ link_id: row.link_id, name: row.name, mode: term("mode", row.mode), operator: row.operator, forward_kt: row.forward_kt[index], backward_kt: row.backward_kt[index], baseline_kt: row.baseline_kt[index], length_km: row.values.find((each) => each.column === "length_km")?.value ?? null }))
        .sort((a, b) => b.forward_kt + b.backward_kt - a.forward_kt - a.backward_kt);
    },
  });
}

export function operatorTable(context) {
  const { doc } = context;
  return drawer(context, {
    id: "operators", title: t("operators.title"), note: moneyNote(doc), keys: ["year"],
    columns: () => [{ key: "name", label: t("column.operator") }, { key: "scenario_musd", label: t("column.scenario_musd"), digits: 1 }, { key: "baseline_musd", label: t("column.baseline_musd"), digits: 1 }],
    rows: ({ year }) => {
      const index = doc.years.indexOf(year);
      return doc.operators.map((row) => ({ name: row.name, scenario_musd: row.scenario_musd[index], baseline_musd: row.baseline_musd[index] })).sort((a, b) => b.scenario_musd - a.scenario_musd);
    },
  });
}

function moneyNote(doc) {
  const at = (rows) => rows.find((row) => row.year === doc.focus_year);
  const [ours, base] = [at(doc.money.scenario), at(doc.money.baseline)];
  const parts = [t("operators.note")];
  if (ours.queue && base.queue) {
    parts.push(t("money.both", { year: doc.focus_year, gain: signed(ours.welfare_musd - base.welfare_musd, 0), gain_queue: signed(ours.queue.welfare_musd - base.queue.welfare_musd, 0), price_year: doc.run.price_year }));
  }
  return parts.join(" ");
}

export function measureTable(context) {
  const { doc } = context;
  return drawer(context, {
    id: "measures", title: t("measures.title", { count: doc.measures.length }),
    columns: () => [
      { key: "from_date", label: t("column.from_date"), show: (value, row) => (row.is_date_estimate ? t("measures.our_date", { date: value }) : value) }, { key: "until_date", label: t("column.until_date") }, { key: "title", label: t("column.measure") },
      { key: "status", label: t("column.status"), show: (value) => term("status", value) }, { key: "capital_musd", label: t("column.capital_musd"), digits: 0 }, { key: "doc", label: t("column.what_it_changes") },
    ],
    rows: () => doc.measures,
  });
}

export function sourcesView(context) {
  const { doc, cards, licences } = context;
  const { run } = doc;
  const tables = drawer(context, {
    id: "inputs", title: t("inputs.title"), note: t("inputs.note"),
    columns: () => [{ key: "table", label: t("column.table") }, { key: "rows", label: t("column.rows"), digits: 0 }, ...["sourced", "recalled", "estimate"].map((key) => ({ key, label: t(`confidence.${key}`), digits: 0 }))], rows: () => doc.inputs,
  });
  const list = drawer(context, {
    id: "source-list", title: t("sources.list", { count: doc.sources.length }),
    columns: () => [{ key: "title", label: t("column.source"), show: (_, row) => cards.sourceOf(row.source_id) }, { key: "published", label: t("column.published_on") }, { key: "source_id", label: t("column.id") }], rows: () => doc.sources,
  });
  const facts = [[t("run.id"), run.run_id], [t("run.version"), run.version], [t("run.corridor"), `${run.corridor_title} ${run.corridor_version}`], [t("run.facts_until"), run.facts_until], [t("run.money"), t("run.usd", { price_year: run.price_year })], [t("run.corridor_hash"), run.corridor_hash], [t("run.scenario_hash"), run.scenario_hash], [t("run.code_hash"), run.code_hash]];
  const replaced = run.replaced.length ? h("div", {}, h("h3", {}, t("run.replaced", { count: run.replaced.length })), h("ul", {}, run.changes.map((text) => h("li", {}, text)))) : null;
  const element = h("section", { id: "sources", "aria-labelledby": "sources-title" }, h("h2", { id: "sources-title" }, t("sources.title")),
    h("div", { class: "card prose" }, h("h3", {}, t("method.title")), [1, 2, 3].map((part) => h("p", {}, t(`method.${part}`))), h("h3", {}, t("limits.title")), [1, 2, 3, 4].map((part) => h("p", {}, t(`limits.${part}`))), replaced),
    tables.element, list.element,
    h("details", { class: "card drawer" }, h("summary", {}, h("h3", {}, t("run.title"))), h("dl", { class: "hashes" }, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, value))])), h("div", { class: "tools no-print" }, button(t("save.json"), () => saveJson(`karvan-${run.run_id}-screen.json`, doc)))),
    h("details", { class: "card drawer licences" }, h("summary", {}, h("h3", {}, t("licences.title"))), h("pre", { tabindex: "0" }, licences)));
  return { element, draw() {}, keys: [] };
}

export function compareView(context) {
  const { doc, against, comparison, store, cards } = context;
  if (!against || !comparison?.years.length) return null;
  const year = () => (comparison.years.includes(store.get().year) ? store.get().year : comparison.focus_year);
  const at = (state) => ({ ...state, year: year() });
  const changes = () => {
    const index = comparison.years.indexOf(year());
    return Object.fromEntries(comparison.links.map((row) => [row.link_id, row.change_kt[index]]));
  };
  const pane = (name, title) => h("div", { class: `map map-small`, id: `map-${name}`, tabindex: "0", role: "group", "aria-roledescription": t("map.role"), "aria-label": title });
  const titles = { ours: t("compare.ours", { title: titleOf(doc.run), run_id: doc.run.run_id }), theirs: t("compare.theirs", { title: titleOf(against.run), run_id: against.run.run_id }), change: t("compare.change_title") };
  const panes = Object.fromEntries(Object.entries(titles).map(([name, title]) => [name, pane(name, title)]));
  const block = (name) => h("div", { class: "map-frame", "data-pane": name }, h("div", { class: "map-paper", "data-paper-of": name }), panes[name], h("p", { class: "map-label" }, titles[name]), name === "ours" ? null : h("p", { class: "endorsement" }, t("map.endorsement")));
  const blocks = Object.fromEntries(Object.keys(titles).map((name) => [name, block(name)]));
  const maps = {};
  const names = { corridor: "figure.corridor", boxes: "figure.boxes", crude: "figure.crude", latent: "figure.latent", rent: "figure.rent" };
  const figures = dataTable({
    id: "table-compare", caption: t("compare.figures"), fileName: `karvan-${doc.run.run_id}-against-${against.run.run_id}`,
    columns: [{ key: "name", label: t("column.figure") }, ...["ours", "theirs", "change"].map((key) => ({ key, label: t(`column.${key}`), isNumber: true, show: (value, row) => (key === "change" ? signed(value, row.unit === "Mt" ? 3 : 0) : amount(value)) })), { key: "unit", label: t("column.unit"), show: (value) => unit(value) }],
    rows: comparison.figures.map((row) => ({ ...row, name: t(names[row.figure_id], { year: row.year }) })),
  });
  const limits = dataTable({
    id: "table-compare-limits", caption: t("compare.limits", { year: year() }),
    columns: [{ key: "name", label: t("column.facility"), open: (row) => cards.facility(row.facility_id) }, { key: "flow", label: t("column.carried"), digits: 1, show: (value) => signed(value, 1) }, { key: "capacity", label: t("column.capacity"), digits: 1, show: (value) => signed(value, 1) }, { key: "turned_away", label: t("column.turned_away"), digits: 1, show: (value) => signed(value, 1) }, { key: "unit", label: t("column.unit_thousands"), show: (value) => unit(value) }],
    rows: limitRows(),
  });
  function limitRows() {
    const index = comparison.years.indexOf(year());
    return comparison.facilities.map((row) => ({ facility_id: row.facility_id, name: row.name, unit: row.unit, flow: row.flow[index], capacity: row.capacity[index], turned_away: row.turned_away[index] })).filter((row) => Math.abs(row.flow) + Math.abs(row.capacity) + Math.abs(row.turned_away) > 0.01);
  }
  const element = h("section", { id: "compare", "aria-labelledby": "compare-title" },
    h("div", { class: "card-head" }, h("h2", { id: "compare-title" }, t("compare.title")), picker(t("compare.view"), [["two", t("compare.two")], ["difference", t("compare.difference")]], store, "compare")),
    h("p", { class: "soft" }, t("compare.told")), h("div", { class: "card stacked" }, Object.values(blocks)), h("div", { class: "pair" }, h("div", { class: "card" }, figures.element), h("div", { class: "card" }, limits.element)));
  return {
    element, keys: ["year", "theme", "goods", "colourBy", "compare", "still", "preset", "scope", "paper"],
    draw(keys) {
      const state = store.get();
      blocks.ours.hidden = blocks.theirs.hidden = state.compare === "difference";
      blocks.change.hidden = state.compare !== "difference";
      if (state.paper) {
        for (const name of Object.keys(blocks)) {
          const side = name === "theirs" ? against : doc;
          blocks[name].hidden = false;
          blocks[name].firstElementChild.replaceChildren(drawingElement(mapOption(side, palette("light"), { ...at(state), theme: "light" }, PAPER_MAP, name === "change" ? changes() : null), PAPER_MAP));
        }
        return;
      }
      const own = { get: () => ({ ...at(store.get()), still: true }), set: store.set };
      const wanted = state.compare === "difference" ? ["change"] : ["ours", "theirs"];
      for (const name of wanted) {
        const fresh = !maps[name];
        maps[name] ??= makeMap(panes[name], {
          doc: name === "theirs" ? against : doc, store: own, changes: name === "change" ? changes : () => null, onpick: name === "theirs" ? null : cards.pick,
          onmove: (view) => { const other = { ours: "theirs", theirs: "ours" }[name]; if (maps[other]) maps[other].show(view); },
        });
        maps[name].chart.resize();
        maps[name].draw(fresh ? null : keys);
      }
      limits.update(limitRows());
    },
  };
}

const PAPER_PAGE = 985; // height in pixels that A4 leaves between its margins, and a little to spare

// Two pages to hand over: the sentence, the figures, the sources. Seen on paper only.
export function briefView(context) {
  const { doc } = context;
  const { run } = doc;
  const stops = [...doc.stops].sort((a, b) => b.is_public - a.is_public).slice(0, 5);
  const promises = doc.commitments.filter((row) => row.is_headline).sort((a, b) => (a.promise ?? 99) - (b.promise ?? 99));
  const told = (value, row) => (value === null ? "–" : row.metric === "link_open" ? (value >= 1 ? t("promise.is_open") : t("promise.not_open")) : `${row.metric === "family_shift_mt" ? signed(value, 3) : amount(value)} ${unit(row.unit)}`);
  const rows = (header, body, words = [0]) => h("table", {}, h("thead", {}, h("tr", {}, header.map((text, index) => h("th", { scope: "col", class: words.includes(index) ? null : "n" }, text)))),
    h("tbody", {}, body.map((cells) => h("tr", {}, cells.map((cell, index) => h("td", { class: words.includes(index) ? null : "n" }, cell))))));
  const sources = Object.fromEntries(doc.sources.map((row) => [row.source_id, row]));
  const named = [...new Set([...doc.outlook.observed.map((row) => row.source), ...doc.outlook.forecasts.map((row) => row.source), ...stops.flatMap((stop) => doc.facilities.find((row) => row.facility_id === stop.facility_id).values.filter((each) => each.column === "nominal").map((each) => each.source))])];
  const chart = h("div", { class: "brief-chart" });
  const element = h("section", { class: "brief", "aria-label": t("brief.title") },
    h("div", { class: "brief-page" },
      h("p", { class: "eyebrow" }, `Karvan · ${run.corridor_title} · ${titleOf(run)}`), h("h1", {}, sentences(doc.answer.slice(0, 2))), h("p", {}, sentences(doc.answer.slice(2))),
      h("h2", {}, t("figures.title")),
      rows([t("column.figure"), t("column.scenario"), t("column.range"), t("column.baseline")], doc.figures.map((row) => {
        const { value, unit: name } = figureText(row);
        const one = (number_) => (number_ === null || number_ === undefined ? "–" : figureText({ ...row, value: number_ }).value);
        return [t(`figure.${row.figure_id}`, { year: row.year }), `${value} ${name}`, row.low === null ? "–" : `${one(row.low)} – ${one(row.high)}`, one(row.baseline)];
      })), chart,
      h("h2", {}, t("ladder.title")),
      stops.length ? rows([t("column.facility"), t("column.full_from"), t("column.carried"), t("column.turned_away"), t("column.price"), t("column.relief")], stops.map((stop) => [stop.name, String(stop.from_year), `${amount(stop.carried)} ${unit(stop.unit)}`, `${amount(stop.turned_away)} ${unit(stop.unit)}`, stop.is_public ? number(stop.shadow_price_usd_per_t, 0) : t("ladder.unsure"), stop.relief ? `${stop.relief.title}, ${costOf(stop.relief)}` : t("relief.none")]), [0, 5]) : h("p", {}, t("ladder.nothing"))),
    h("div", { class: "brief-page" },
      h("h2", {}, t("promises.title")),
      rows([t("column.promise"), t("column.observed"), t("column.baseline"), t("column.scenario"), t("column.verdict")], promises.map((row) => [row.title, told(row.observed, row), told(row.baseline, row), told(row.scenario, row), t(`verdict.${row.verdict}`)]), [0, 4]),
      h("h2", {}, t("trust.title")), h("ul", { class: "brief-trust" }, trustLines(doc).slice(0, 5).map((line) => h("li", {}, line))),
      h("h2", {}, t("brief.sources")), h("ul", { class: "small" }, named.slice(0, 10).map((id) => h("li", {}, sources[id] ? `${sources[id].title}${sources[id].published ? ` (${sources[id].published})` : ""}` : id))),
      h("p", { class: "small" }, t("brief.trust", { sourced_share: doc.trust.inputs.sourced_share, recalled_share: doc.trust.inputs.recalled_share, estimate_share: doc.trust.inputs.estimate_share, run_id: run.run_id, version: run.version, facts: run.facts_until, price_year: run.price_year }))));
  // Longer words may need more room than a page has; the last rows of what stops it then go, all of which stand further down.
  function fit() {
    const [page] = element.children;
    const body = [...page.querySelectorAll("tbody")].at(-1);
    while (page.getBoundingClientRect().height > PAPER_PAGE && body.rows.length > 2) body.lastElementChild.remove();
  }
  return {
    element, keys: ["paper"],
    draw() {
      const colours = palette("light");
      chart.replaceChildren(drawingElement({ ...baseOption(colours), ...outlookOption(doc, colours) }, { width: 700, height: 260 }));
      if (context.store.get().paper) fit();
    },
  };
}
