// A simulated system: what comes and leaves, where delay comes from, a month of ships on the map, and ships at berths.
import { chartOf, figure } from "./charts.js";
import { button, h, icon } from "./dom.js";
import { amount, number, percent, t } from "./i18n.js";
import {
  CAUSES,
  LANE_PX,
  STATES,
  causeRows,
  causesOption,
  closedAt,
  ganttOption,
  hourText,
  lanesOf,
  monthText,
  nameOfLane,
  nameOfShip,
  nameOfStream,
  seaOption,
  seaSeries,
  shipsAt,
  short,
  spelt,
  unitsText,
  waitingAt,
} from "./sea.js";
import { dataTable } from "./tables.js";
import { palette } from "./theme.js";

const STEP_H = 6;
const HOURS_A_SECOND = 24;
const STILL_MS = 900;

const halfOf = (mean, half, digits) =>
  mean === null || mean === undefined ? "–" : `${number(mean, digits)}${half ? ` ± ${number(half, digits)}` : ""}`;

function streamTable(found) {
  return dataTable({
    id: "table-streams",
    caption: t("crossing.streams"),
    fileName: `karvan-${found.system_id}-${found.year}-streams`,
    columns: [
      { key: "name", label: t("column.stream") },
      { key: "unit_name", field: "unit", label: t("column.unit") },
      { key: "demand_per_year", label: t("column.comes"), digits: 0 },
      { key: "out_per_year", label: t("column.leaves"), digits: 0 },
      { key: "transit_d", label: t("column.days_mean"), isNumber: true, show: (value, row) => halfOf(value, row.transit_d_half, 1) },
      { key: "transit_p95_d", label: t("column.days_p95"), isNumber: true, show: (value, row) => halfOf(value, row.transit_p95_d_half, 1) },
      { key: "ban_d_per_year", label: t("column.ban_d"), digits: 0 },
    ],
    rows: found.streams.map((row) => ({
      ...row,
      name: nameOfStream(found, row.arrival_id),
      unit_name: t(`crossing.unit.${row.unit}`),
      ban_d_per_year: found.bans.find((ban) => ban.arrival_id === row.arrival_id)?.ban_d_per_year ?? null,
    })),
  }).element;
}

function berthTable(found) {
  return dataTable({
    id: "table-berths",
    caption: t("crossing.berths"),
    fileName: `karvan-${found.system_id}-${found.year}-berths`,
    columns: [
      { key: "name", label: t("column.berth") },
      { key: "servers_count", label: t("column.number"), digits: 0 },
      { key: "use_share", label: t("column.in_use"), digits: 3, show: (value) => percent(value) },
      { key: "calls_per_year", label: t("column.calls"), digits: 0 },
      { key: "hours_per_call", label: t("column.hours_a_call"), digits: 1 },
    ],
    rows: found.berths.map((row) => ({ ...row, name: found.names.berths[row.berth_id] ?? spelt(row.berth_id) })),
  }).element;
}

// Streams that come faster than they leave: their backlog instead of a mean.
function unstable(found) {
  const rows = found.streams.filter((row) => !row.is_stable);
  if (!rows.length) return null;
  return h(
    "div",
    { class: "card problem", role: "note", "data-note": "unstable" },
    rows.map((row) =>
      h(
        "p",
        {},
        t("crossing.unstable", {
          stream: nameOfStream(found, row.arrival_id),
          unit: t(`crossing.unit.${row.unit}`),
          comes: Math.round(row.demand_per_year),
          leaves: Math.round(row.out_per_year),
          grows: Math.round(row.backlog_growth_per_year),
        }),
      ),
    ),
  );
}

// One row a place and one for the sea: the twin of the map at an hour.
function hourRows(found, hour) {
  const ships = shipsAt(found, hour);
  const shut = closedAt(found, hour);
  const waiting = waitingAt(found, hour);
  const count = (rows) => Object.fromEntries(STATES.map((state) => [state, rows.filter((row) => row.state === state).length]));
  const sailing = ships.filter((row) => row.state === "sailing");
  return [
    { place: t("crossing.at_sea"), shut: "", waiting: "", ...count(sailing) },
    ...found.places.map((place) => ({
      place: short(place.name),
      shut: shut.has(place.place_id) ? t("crossing.shut") : "",
      waiting: unitsText(waiting[place.place_id]),
      ...count(ships.filter((row) => row.state !== "sailing" && row.place === place.place_id)),
    })),
  ];
}

function hourSentence(found, hour) {
  const ships = shipsAt(found, hour);
  const of = (...states) => ships.filter((row) => states.includes(row.state)).length;
  const shut = found.places.filter((place) => closedAt(found, hour).has(place.place_id)).map((place) => short(place.name));
  return [
    t("crossing.now", {
      when: hourText(found, hour),
      sailing: of("sailing"),
      berthed: of("at_berth", "waits_goods"),
      waiting: of("waits_berth", "waits_weather"),
    }),
    shut.length ? t("crossing.shut_at", { places: shut.join(", ") }) : t("crossing.all_open"),
  ].join(" ");
}

// The month on the map, with its controls: play and pause, steps, a slider; without motion it goes on in steps.
function monthView(own, found, heading) {
  const { store } = own;
  const last = found.month.hours;
  let hour = 0;
  let frames = 0;
  let steps = 0;
  let isPlaying = false;
  const slider = h("input", { type: "range", id: "crossing-hour", min: 0, max: last, step: 1, value: 0, "aria-label": t("crossing.hour") });
  const play = button(icon("play"), () => (isPlaying ? stop() : start()), {
    class: "icon-button",
    id: "crossing-play",
    "aria-label": t("crossing.play"),
    "aria-pressed": "false",
  });
  const step = (by, word) => button(word, () => (stop(), go(hour + by)), { "data-step": by });
  const controls = h(
    "div",
    { class: "crossing-bar no-print", role: "group", "aria-label": t("crossing.controls") },
    play,
    step(-STEP_H, t("crossing.back", { hours: STEP_H })),
    step(STEP_H, t("crossing.forward", { hours: STEP_H })),
    slider,
  );
  const map = figure({
    id: "crossing-map",
    context: own,
    heading,
    title: () => t("crossing.map"),
    subtitle: () => hourSentence(found, hour),
    source: t("source.crossing_map"),
    height: 560,
    renderer: "canvas",
    controls,
    option: (colours, state, size) => seaOption(found, colours, { ...size, hour, at: size.isPicture ? null : size.at }),
    table: () => ({
      columns: [
        { key: "place", label: t("column.place") },
        { key: "shut", label: t("column.weather") },
        { key: "waiting", label: t("column.waiting_goods") },
        ...STATES.map((state) => ({ key: state, label: t(`crossing.state.${state}`), digits: 0 })),
      ],
      rows: hourRows(found, hour),
    }),
  });
  const body = map.element.querySelector(".chart");

  function show() {
    slider.value = hour;
    slider.setAttribute("aria-valuetext", hourText(found, hour));
    const chart = chartOf(body);
    if (chart && isPlaying && !store.get().still) {
      chart.setOption({ series: seaSeries(found, palette(store.get().theme), hour) }, { replaceMerge: ["series"] });
      map.element.querySelector(".card-head + p").textContent = hourSentence(found, hour);
    } else if (chart) map.draw();
  }
  function go(to) {
    hour = Math.max(0, Math.min(last, to));
    show();
    if (hour >= last) stop();
  }
  function start() {
    if (hour >= last) hour = 0;
    isPlaying = true;
    play.replaceChildren(icon("pause"));
    play.setAttribute("aria-pressed", "true");
    if (store.get().still) {
      steps = setInterval(() => go(hour + STEP_H), STILL_MS);
      return;
    }
    let before = null;
    const frame = (now) => {
      if (!isPlaying) return;
      if (!map.element.isConnected) return stop();
      if (before !== null) go(hour + ((now - before) / 1000) * HOURS_A_SECOND);
      before = now;
      if (isPlaying) frames = requestAnimationFrame(frame);
    };
    frames = requestAnimationFrame(frame);
  }
  function stop() {
    if (!isPlaying) return;
    cancelAnimationFrame(frames);
    clearInterval(steps);
    isPlaying = false;
    play.replaceChildren(icon("play"));
    play.setAttribute("aria-pressed", "false");
    if (map.element.isConnected) show();
  }
  slider.addEventListener("input", () => {
    stop();
    go(Number(slider.value));
  });
  slider.setAttribute("aria-valuetext", hourText(found, 0));
  store.follow((state, changed) => changed.includes("still") && state.still && stop());
  return { ...map, forget: () => (stop(), map.forget()) };
}

function ganttView(own, found, heading) {
  const ports = [...new Set(found.month.berths.map((lane) => found.berth_places[lane.berth_id]))];
  const names = Object.fromEntries(found.places.map((place) => [place.place_id, short(place.name)]));
  let place = ports.includes(ports[0]) && ports.length > 1 ? ports[0] : "all";
  const choice = h(
    "select",
    { id: "crossing-port", onchange: (event) => ((place = event.target.value), size(), view.draw(), chartOf(body)?.resize()) },
    [["all", t("crossing.all_ports")], ...ports.map((id) => [id, names[id] ?? spelt(id)])].map(([id, name]) =>
      h("option", { value: id, selected: id === place }, name),
    ),
  );
  const view = figure({
    id: "crossing-gantt",
    context: own,
    heading,
    title: () => t("crossing.gantt"),
    subtitle: () => t("crossing.gantt_told", { month: monthText(found) }),
    source: t("source.crossing_month"),
    height: 420,
    controls: h("div", { class: "tools no-print" }, h("label", { class: "field" }, h("span", {}, t("crossing.port")), choice)),
    option: (colours, state, more) => ganttOption(found, colours, { ...more, place }),
    table: () => ({
      columns: [
        { key: "berth", label: t("column.berth") },
        { key: "ship", label: t("column.ship") },
        { key: "from_h", label: t("column.from"), isNumber: true, show: (value) => hourText(found, value) },
        { key: "until_h", label: t("column.until"), isNumber: true, show: (value) => hourText(found, value) },
        { key: "hours", label: t("column.hours"), digits: 1 },
      ],
      rows: visitRows(found, place),
    }),
  });
  const body = view.element.querySelector(".chart");
  const size = () => {
    const lanes = lanesOf(found, place).length;
    body.style.setProperty("height", `${112 + LANE_PX * lanes}px`);
  };
  size();
  return view;
}

function visitRows(found, place) {
  const ships = Object.fromEntries(found.month.ships.map((ship) => [ship.ship, ship]));
  return lanesOf(found, place).flatMap((lane) =>
    lane.visits.map(([from, until, ship]) => ({
      berth: nameOfLane(found, lane),
      ship: ships[ship] ? nameOfShip(found, ships[ship]) : ship,
      from_h: from,
      until_h: until,
      hours: until - from,
    })),
  );
}

function causeView(own, found, heading) {
  const rows = causeRows(found);
  return figure({
    id: "crossing-causes",
    context: own,
    heading,
    title: () => t("crossing.causes"),
    subtitle: () => t("crossing.causes_told"),
    source: t("source.crossing", { count: found.replications }),
    height: 110 + 24 * rows.length,
    option: (colours, state, size) => causesOption(found, colours, size),
    table: () => ({
      columns: [
        { key: "name", label: t("column.stream") },
        { key: "what", label: t("column.what") },
        ...CAUSES.map((cause) => ({ key: cause, label: t(`crossing.cause.${cause}`), digits: 2 })),
      ],
      rows,
    }),
  });
}

function notesFor(found) {
  return (source) => [
    t("picture.crossing", {
      system: found.name,
      year: found.year,
      scenario: found.scenario_title,
      count: found.replications,
      seed: found.seed,
    }),
    source,
    t("picture.case", {
      version: found.version,
      corridor: found.corridor_title,
      edition: found.edition,
      hash: found.corridor_hash.slice(0, 12),
    }),
  ];
}

// Gives the element and the views to draw, as every room does.
export function crossingsView(context, found, { level = "h2" } = {}) {
  const below = `h${Number(level[1]) + 1}`;
  const own = {
    ...context,
    fileName: (id) => `karvan-${found.system_id}-${found.year}-${found.scenario_id}-${id}`,
    notes: notesFor(found),
  };
  const stable = found.streams.filter((row) => row.is_stable).length;
  const hasShips = Boolean(found.month?.ships.length);
  const causes = found.causes.length ? causeView(own, found, below) : null;
  const map = hasShips ? monthView(own, found, below) : null;
  const gantt = hasShips ? ganttView(own, found, below) : null;
  const element = h(
    "div",
    { class: "crossings" },
    h(
      level,
      { id: "crossing-answer", tabindex: "-1" },
      t("crossing.title", { system: found.name, year: found.year, scenario: found.scenario_title }),
    ),
    h(
      "p",
      { class: "soft" },
      t(found.is_sure ? "crossing.sure" : "crossing.unsure", {
        count: found.replications,
        warm: found.warm_d,
        half_share: found.half_width_share,
        stable,
        streams: found.streams.length,
      }),
      " ",
      found.sea_level_m === null ? "" : t("crossing.sea_level", { level: number(found.sea_level_m, 2), path: spelt(found.sea_level_path) }),
      " ",
      found.load_factor === 1 ? "" : t("crossing.load_factor", { factor: amount(found.load_factor) }),
    ),
    unstable(found),
    map?.element,
    gantt?.element,
    causes?.element,
    h("div", { class: "card" }, streamTable(found)),
    found.berths.length ? h("div", { class: "card" }, berthTable(found)) : null,
    h("p", { class: "soft small prose-wide", "data-note": "rests" }, t("crossing.rests")),
  );
  const views = [map, gantt, causes].filter(Boolean);
  return { element, views, forget: () => views.forEach((view) => view.forget()) };
}
