// A simulated month drawn: ships on the map at an hour, ships at berths, days by cause.
import { axis, baseOption, legend, tip, tooltip } from "./charts.js";
import { currentLanguage, number, t } from "./i18n.js";
import { geoOption, pathsOf, placeLabel } from "./map.js";

const HOUR_MS = 3600000;
export const LANE_PX = 22;
const IN_A_ROW = 7;
const NEAR_DEG = 1.2;
const NAMED = 3; // kinds of goods beside a port; its table has all
const AT_PLACE = ["at_berth", "waits_goods", "waits_berth", "waits_weather", "in_port", "off_hire"];
export const STATES = ["sailing", ...AT_PLACE];
const SYMBOLS = {
  sailing: "arrow",
  at_berth: "rect",
  waits_goods: "rect",
  waits_berth: "triangle",
  waits_weather: "diamond",
  in_port: "circle",
  off_hire: "circle",
};
export const CAUSES = [
  "sailing",
  "handling",
  "customs",
  "sorting",
  "channel",
  "filling",
  "no_ship",
  "berth",
  "weather",
  "storage",
  "off_hire",
];

export const short = (name) => name.replace(/ \(.*\)$/, "").replace(/ (International Port|International Seaport|seaport)$/, "");
export const spelt = (id) => (id.charAt(0).toUpperCase() + id.slice(1)).replaceAll("_", " ");

// The same colours as ships that wait for the same: amber for goods, orange for a berth, red for weather.
const colourOfCause = (colours, cause) =>
  ({
    sailing: colours.ship,
    handling: colours.rail,
    customs: colours.series[4],
    sorting: colours.series[5],
    channel: colours.still,
    filling: colours.use[1],
    no_ship: colours.use[0],
    berth: colours.use[2],
    weather: colours.use[3],
    storage: colours.oil,
    off_hire: colours.planned,
  })[cause];

function colourOf(colours, state) {
  const own = {
    sailing: colours.ship,
    at_berth: colours.rail,
    waits_goods: colours.use[1],
    waits_berth: colours.use[2],
    waits_weather: colours.use[3],
    in_port: colours.soft,
  };
  return own[state] ?? "transparent";
}

// The day, and the day and hour, of the month; a simulated year is no calendar year.
const written = (found, hour, parts) =>
  new Intl.DateTimeFormat(currentLanguage(), { ...parts, timeZone: "UTC" }).format(
    new Date(Date.UTC(2001, found.month.month - 1, 1) + Math.round(hour) * HOUR_MS),
  );
export const dayText = (found, hour) => written(found, hour, { day: "numeric", month: "long" });
export const monthText = (found) => written(found, 0, { month: "long" });
export const hourText = (found, hour) =>
  `${dayText(found, hour)}, ${written(found, hour, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })}`;

const placesOf = (found) => Object.fromEntries(found.places.map((place) => [place.place_id, place]));

// What each ship does at an hour, and how much of its passage lies behind it.
export function shipsAt(found, hour) {
  const all = [];
  for (const ship of found.month.ships) {
    const now = ship.states.find(([from, until]) => from <= hour && hour < until);
    if (!now) continue;
    const [from, until, state, place, toPlace, units] = now;
    all.push({ ship, state, place, toPlace, units, share: (hour - from) / (until - from) });
  }
  return all;
}

export const closedAt = (found, hour) =>
  new Set(
    found.month.closed
      .filter(({ hours: [from, until] }) => from <= hour && hour < until)
      .flatMap(({ closure_id: id }) => found.closed_at[id] ?? []),
  );

// What waits at each place, by unit.
export function waitingAt(found, hour) {
  const byPlace = {};
  for (const stream of found.streams) {
    const steps = found.month.stocks[stream.arrival_id];
    if (!stream.place_id || !steps) continue;
    const units = steps[Math.min(steps.length - 1, Math.floor(hour / found.month.step_h))];
    const own = (byPlace[stream.place_id] ??= {});
    own[stream.unit] = (own[stream.unit] ?? 0) + units;
  }
  return byPlace;
}

export const unitsText = (units, most = Infinity) =>
  Object.entries(units ?? {})
    .filter(([, count]) => count >= 0.5)
    .slice(0, most)
    .map(([unit, count]) => `${number(count, 0)} ${t(`crossing.unit.${unit}`)}`)
    .join(", ");

// Where on a path a share of its length ends, and which way it leads there, in degrees against the clock from east.
function along(path, share) {
  const lengths = path.slice(1).map((point, at) => Math.hypot((point[0] - path[at][0]) * 0.74, point[1] - path[at][1]));
  let left = share * lengths.reduce((sum, each) => sum + each, 0);
  let at = 0;
  while (at < lengths.length - 1 && left > lengths[at]) left -= lengths[at++];
  const [a, b] = [path[at], path[at + 1]];
  const u = lengths[at] ? Math.min(1, left / lengths[at]) : 0;
  return {
    point: [a[0] + u * (b[0] - a[0]), a[1] + u * (b[1] - a[1])],
    turn: (Math.atan2(b[1] - a[1], (b[0] - a[0]) * 0.74) * 180) / Math.PI,
  };
}

// Names stand on the land side, ships on the water; of two ports close together the northern one's ships lie to the north.
const sideOf = (found, place) => (place.lon_deg > found.places.reduce((sum, each) => sum + each.lon_deg, 0) / found.places.length ? 1 : -1);
const growth = (found, place) =>
  found.places.some(
    (other) => other.lat_deg < place.lat_deg && Math.hypot(other.lat_deg - place.lat_deg, other.lon_deg - place.lon_deg) < NEAR_DEG,
  )
    ? -1
    : 1;

function boxOf(found) {
  const ends = (key) => [Math.min, Math.max].map((pick) => pick(...found.places.map((place) => place[key])));
  const [[west, east], [south, north]] = [ends("lon_deg"), ends("lat_deg")];
  const [wide, high] = [Math.max(1, (east - west) * 0.3), Math.max(1, (north - south) * 0.16)];
  return [west - wide, south - high, east + wide, north + high];
}

export function seaSeries(found, colours, hour, paths = pathsOf(found)) {
  const places = placesOf(found);
  const shut = closedAt(found, hour);
  const waiting = waitingAt(found, hour);
  const rows = new Map();
  const dots = shipsAt(found, hour).flatMap(({ ship, state, place, toPlace, units, share }) => {
    const told = { name: nameOfShip(found, ship), state, units };
    const itemStyle = {
      color: colourOf(colours, state),
      borderColor: state === "off_hire" ? colours.soft : colours.casing,
      borderWidth: state === "off_hire" ? 1.5 : 0.8,
      opacity: 1,
    };
    if (state === "sailing") {
      const link = found.links.find((each) => each.link_id === found.lines_of[ship.crossing_id]);
      const path = link?.from_place === place ? paths[link.link_id] : [...(paths[link?.link_id] ?? [])].reverse();
      if (path.length < 2 || !toPlace) return [];
      const { point, turn } = along(path, share);
      return [{ value: point, symbol: "arrow", symbolSize: [8, 12], symbolRotate: turn - 90, itemStyle, told }];
    }
    if (!places[place]) return [];
    const number_ = rows.get(place) ?? 0;
    rows.set(place, number_ + 1);
    const offset = [
      -sideOf(found, places[place]) * (14 + 10 * (number_ % IN_A_ROW)),
      growth(found, places[place]) * 10 * Math.floor(number_ / IN_A_ROW),
    ];
    return [
      {
        value: [places[place].lon_deg, places[place].lat_deg],
        symbol: SYMBOLS[state],
        symbolSize: 8,
        symbolOffset: offset,
        itemStyle,
        told,
      },
    ];
  });
  const sites = found.places.map((place) => ({
    name: place.name,
    value: [place.lon_deg, place.lat_deg],
    symbol: "circle",
    symbolSize: shut.has(place.place_id) ? 15 : 8,
    itemStyle: {
      color: colours.paper,
      borderColor: shut.has(place.place_id) ? colours.use[3] : colours.ink,
      borderWidth: shut.has(place.place_id) ? 4 : 1.6,
      opacity: 1,
    },
    label: {
      position: sideOf(found, place) > 0 ? "right" : "left",
      distance: 10,
      fontWeight: 600,
      formatter: () =>
        [short(place.name), shut.has(place.place_id) ? t("crossing.shut") : "", unitsText(waiting[place.place_id], NAMED)]
          .filter(Boolean)
          .join(" · "),
    },
  }));
  return [
    {
      id: "lanes",
      type: "lines",
      coordinateSystem: "geo",
      polyline: true,
      zlevel: 1,
      silent: true,
      data: found.links.map((link) => ({ coords: paths[link.link_id] })),
      lineStyle: { color: colours.planned, width: 1, type: [3, 4], opacity: 0.8 },
      effect: { show: false },
    },
    {
      id: "ports",
      type: "scatter",
      coordinateSystem: "geo",
      zlevel: 2,
      silent: true,
      data: sites,
      label: { ...placeLabel(colours), formatter: undefined },
    },
    { id: "ships", type: "scatter", coordinateSystem: "geo", zlevel: 3, data: dots, tooltip: { show: true } },
    ...STATES.map((state) => ({
      id: `key-${state}`,
      name: t(`crossing.state.${state}`),
      type: "scatter",
      coordinateSystem: "geo",
      zlevel: 3,
      data: [],
      symbol: SYMBOLS[state],
      symbolSize: 9,
      itemStyle: {
        color: colourOf(colours, state),
        borderColor: state === "off_hire" ? colours.soft : colours.casing,
        borderWidth: 1,
        opacity: 1,
      },
    })),
  ];
}

export function nameOfShip(found, { ship, ship_id: kind }) {
  return `${found.names.ships[kind] ?? spelt(kind)}, ${ship.slice(kind.length + 1)}`;
}

export function seaOption(found, colours, { hour, width, height, at = null, isPicture = false }) {
  return {
    ...baseOption(colours),
    backgroundColor: colours.sea,
    tooltip: {
      ...tooltip(colours),
      trigger: "item",
      formatter: ({ data: { told } = {} }) =>
        told
          ? tip(told.name, [
              t(`crossing.state.${told.state}`),
              ...(told.state === "sailing" ? [t("crossing.aboard", { units: told.units })] : []),
            ])
          : "",
    },
    legend: legend(colours, {
      left: 8,
      bottom: 8,
      orient: "vertical",
      itemGap: 4,
      itemWidth: 12,
      itemHeight: 10,
      selectedMode: false,
      padding: [6, 8],
      borderRadius: 4,
      backgroundColor: colours.paper,
      data: STATES.map((state) => t(`crossing.state.${state}`)),
    }),
    geo: { ...geoOption(colours, { box: boxOf(found), width, height, roam: !isPicture }), ...(at ?? {}) },
    series: seaSeries(found, colours, hour),
  };
}

// Which ship lies at which berth when: a bar a stay, hours in which weather shuts the port shaded behind.
export function ganttOption(found, colours, { place, isPicture }) {
  const lanes = lanesOf(found, place);
  const crossings = crossingsOf(found, lanes);
  const shipLine = Object.fromEntries(found.month.ships.map((ship) => [ship.ship, ship]));
  const bars = (name, colour, width, data, more = {}) => ({
    name,
    type: "lines",
    coordinateSystem: "cartesian2d",
    zlevel: 0,
    data,
    lineStyle: { color: colour, width, opacity: 1, cap: "butt" },
    itemStyle: { color: colour },
    effect: { show: false },
    ...more,
  });
  const lane = isPicture ? Math.min(LANE_PX, 520 / lanes.length) : LANE_PX;
  const bar = 0.55 * lane;
  const shut = lanes.flatMap((lane, row) =>
    found.month.closed
      .filter(({ closure_id: id }) => found.closed_at[id]?.includes(found.berth_places[lane.berth_id]) && shuts(found, id, lane.berth_id))
      .map(({ hours: [from, until] }) => ({
        coords: [
          [from / 24, row],
          [until / 24, row],
        ],
      })),
  );
  return {
    grid: { left: 8, right: 18, top: 10, bottom: isPicture ? 90 : 40 + 20 * Math.ceil((crossings.length + 1) / 3), containLabel: true },
    legend: legend(colours, {
      icon: "roundRect",
      itemHeight: 9,
      data: [...crossings.map((id) => found.names.crossings[id] ?? id), t("crossing.shut_hours")],
    }),
    tooltip: {
      ...tooltip(colours),
      trigger: "item",
      formatter: ({ data: { told } = {} }) =>
        told ? tip(told.ship, [told.berth, `${told.from} – ${told.until}`, t("crossing.hours", { hours: told.hours })]) : "",
    },
    xAxis: axis(colours, {
      type: "value",
      min: 0,
      max: found.month.hours / 24,
      interval: 1,
      splitLine: { lineStyle: { color: colours.line, opacity: 0.5 } },
      axisLabel: {
        color: colours.soft,
        hideOverlap: true,
        formatter: (value) => (value === 0 || (value % 5 === 4 && value < found.month.hours / 24 - 2) ? dayText(found, value * 24) : ""),
      },
    }),
    yAxis: axis(colours, {
      type: "category",
      inverse: true,
      data: lanes.map((lane) => nameOfLane(found, lane)),
      splitLine: { show: false },
      axisLabel: { color: colours.ink, fontSize: isPicture ? 10 : 12, width: 190, overflow: "truncate", interval: 0 },
    }),
    series: [
      bars(t("crossing.shut_hours"), colours.use[3], lane, shut, {
        silent: true,
        lineStyle: { color: colours.use[3], width: lane, opacity: 0.25, cap: "butt" },
      }),
      ...crossings.map((id, number_) =>
        bars(
          found.names.crossings[id] ?? id,
          colours.series[number_ % colours.series.length],
          bar,
          lanes.flatMap((lane, row) =>
            lane.visits
              .filter(([, , ship]) => shipLine[ship]?.crossing_id === id)
              .map(([from, until, ship]) => ({
                coords: [
                  [from / 24, row],
                  [until / 24, row],
                ],
                told: {
                  ship: nameOfShip(found, shipLine[ship]),
                  berth: nameOfLane(found, lane),
                  from: hourText(found, from),
                  until: hourText(found, until),
                  hours: until - from,
                },
              })),
          ),
        ),
      ),
    ],
  };
}

export const lanesOf = (found, place) =>
  found.month.berths.filter((lane) => place === "all" || found.berth_places[lane.berth_id] === place);
const crossingsOf = (found, lanes) => {
  const line = Object.fromEntries(found.month.ships.map((ship) => [ship.ship, ship.crossing_id]));
  const used = new Set(lanes.flatMap((lane) => lane.visits.map(([, , ship]) => line[ship])));
  return Object.keys(found.names.crossings).filter((id) => used.has(id));
};
const shuts = (found, closure, berth) => found.berth_closures?.[berth] === closure;
export const nameOfLane = (found, lane) => {
  const name = found.names.berths[lane.berth_id] ?? spelt(lane.berth_id);
  const isOne = found.month.berths.filter((other) => other.berth_id === lane.berth_id).length === 1;
  return isOne ? name : `${name} ${lane.lane + 1}`;
};

// Days by cause: of each stream its mean, and those near its 95th percentile.
export function causesOption(found, colours, { isPicture }) {
  const rows = causeRows(found);
  const used = CAUSES.filter((cause) => rows.some((row) => row[cause] > 0.005));
  const hatch = { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -0.8 };
  return {
    grid: { left: 8, right: 24, top: 10, bottom: isPicture ? 90 : 78, containLabel: true },
    legend: legend(colours, { icon: "roundRect", itemHeight: 9, data: used.map((cause) => t(`crossing.cause.${cause}`)) }),
    tooltip: {
      ...tooltip(colours),
      trigger: "item",
      formatter: (item) => tip(item.name, [`${item.seriesName}: ${number(item.value, 2)} ${t("unit.days")}`]),
    },
    xAxis: axis(colours, { type: "value", min: 0, name: t("unit.days"), nameLocation: "middle", nameGap: 26 }),
    yAxis: axis(colours, {
      type: "category",
      inverse: true,
      data: rows.map((row) => row.label),
      axisLabel: { color: colours.ink, fontSize: isPicture ? 10 : 12, width: isPicture ? 300 : 330, overflow: "truncate", interval: 0 },
    }),
    series: used.map((cause) => ({
      name: t(`crossing.cause.${cause}`),
      type: "bar",
      stack: "days",
      barMaxWidth: 16,
      data: rows.map((row) => row[cause]),
      itemStyle: { color: colourOfCause(colours, cause), decal: cause === "storage" ? hatch : { symbol: "none" } },
    })),
  };
}

export function nameOfStream(found, id) {
  const stream = found.streams.find((row) => row.arrival_id === id);
  const place = found.places.find((row) => row.place_id === stream?.place_id);
  const line = found.names.crossings[stream?.crossing_id] ?? found.names.passages[stream?.passage_id];
  return place ? t("crossing.stream", { crossing: line, place: short(place.name) }) : (line ?? spelt(id));
}

// One row for the mean of a stream, one for what is near its 95th percentile.
export function causeRows(found) {
  const byStream = new Map();
  for (const row of found.causes) {
    const own = byStream.get(row.arrival_id) ?? byStream.set(row.arrival_id, { mean: {}, tail: {} }).get(row.arrival_id);
    own.mean[row.cause] = row.mean_d;
    own.tail[row.cause] = row.at_p95_d;
  }
  return [...byStream].flatMap(([id, { mean, tail }]) => [
    { arrival_id: id, name: nameOfStream(found, id), what: t("crossing.mean"), label: nameOfStream(found, id), ...mean },
    { arrival_id: id, name: nameOfStream(found, id), what: t("crossing.p95"), label: t("crossing.of_p95"), ...tail },
  ]);
}
