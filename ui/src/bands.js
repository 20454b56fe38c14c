// The map of many futures: what links carry, with how far it spreads.
import { baseOption, tip, tooltip } from "./charts.js";
import { amount, t, term } from "./i18n.js";
import { geoOption, mapSeries, pathsOf, widthOf } from "./map.js";
import { classOfMode } from "./theme.js";

const LEAST_KT = 25;
const WIDER = 1.7; // than on the map of one run, so that the two lines of a link can be told apart

/** Links of a plan in a year with P10, P50 and P90 of what they carry, busiest first. */
export function bandRows(found, { plan, year }) {
  const links = Object.fromEntries(found.links.map((row) => [row.link_id, row]));
  return found.flows
    .filter((row) => row.plan === plan && row.year === year && links[row.link_id])
    .map((row) => ({ ...links[row.link_id], ...row }))
    .toSorted((a, b) => b.p50_kt - a.p50_kt);
}

// Names and places as every map has them; in place of its lines two: pale as wide as P90, and in it one as wide as P10.
export function bandsOption(found, colours, { plan, year, width, height, at, isPicture }) {
  const rows = bandRows(found, { plan, year });
  const links = rows.map((row) => ({
    ...row,
    forward_kt: [row.p50_kt],
    backward_kt: [0],
    corridor_kt: [row.p50_kt],
    goods_kt: {},
    corridor_goods_kt: {},
    facility_ids: [],
    is_open_at_start: true,
  }));
  const doc = { years: [year], places: found.places, links, facilities: [], goods: [] };
  const paths = pathsOf(doc);
  const state = { year, goods: "all", scope: "all", colourBy: "mode", still: true };
  const kept = mapSeries({ doc, paths, colours, state, width, isPicture }).series.filter(({ id }) =>
    ["places", "still", "leaving"].includes(id),
  );
  const told = (row) =>
    tip(row.name, [
      term("mode", row.mode),
      t("futures.link_tip", { low: amount(row.p10_kt), middle: amount(row.p50_kt), high: amount(row.p90_kt) }),
    ]);
  const shown = rows.filter((row) => row.p90_kt >= LEAST_KT).toReversed();
  const lines = (id, key, opacity, more) => ({
    id,
    type: "lines",
    coordinateSystem: "geo",
    polyline: true,
    zlevel: 2,
    z: more,
    effect: { show: false },
    tooltip: { formatter: ({ data }) => told(data.row) },
    data: shown
      .filter((row) => row[key] >= 0.5)
      .map((row) => {
        const kind = classOfMode(row.mode);
        const isSea = row.mode === "deep_sea";
        return {
          coords: paths[row.link_id],
          row,
          lineStyle: {
            color: colours[kind],
            width: Math.max(1, widthOf(row[key], kind === "oil", "all") * (isSea ? 0.8 : WIDER)),
            opacity,
            cap: "round",
            join: "round",
          },
        };
      }),
  });
  return {
    ...baseOption(colours),
    backgroundColor: colours.sea,
    tooltip: { ...tooltip(colours), trigger: "item" },
    geo: { ...geoOption(colours, { box: found.views.crossing, width, height, roam: !isPicture }), ...(at ?? {}) },
    series: [lines("p90", "p90_kt", 0.45, 1), lines("p10", "p10_kt", 1, 2), ...kept],
  };
}
