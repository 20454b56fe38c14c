// What stops the corridor: carried as share of effective capacity, turned away beyond the mark, the price of one more tonne.
import { h } from "./dom.js";
import { PICTURE, framed, notesOf } from "./download.js";
import { number, percent, signed, t, unit } from "./i18n.js";
import { palette, useStep } from "./theme.js";

const FULL_AT = 62; // where 100% stands on the bar, in hundredths of its width

// Rows of a year: what is full first, in the order in which it stops the corridor, guessed limits after known ones; then by use.
export function ladderRows(doc, year, { onCorridor = true, side = "scenario" } = {}) {
  const index = doc.years.indexOf(year);
  const order = doc.stops.map((stop) => stop.facility_id);
  const rank = (row) => (order.includes(row.facility_id) ? order.indexOf(row.facility_id) : order.length);
  return doc.facilities
    .filter((row) => row[side].capacity[index] > 0 && (!onCorridor || row[side].is_on_corridor[index]))
    .map((row) => {
      const at = (name) => row[side][name][index];
      const share = Math.min(1, at("flow") / at("capacity"));
      const from = doc.years.find((_, place) => row[side].is_full[place]);
      return {
        facility_id: row.facility_id,
        name: row.name,
        unit: row.unit,
        is_public: row.is_public,
        share,
        is_full: at("is_full"),
        flow: at("flow"),
        capacity: at("capacity"),
        turned_away: at("turned_away"),
        price_usd_per_t: at("shadow_price_usd_per_t"),
        full_from: from ?? null,
        operator: row.operator,
      };
    })
    .sort((a, b) => b.is_full - a.is_full || (a.is_full && (b.is_public - a.is_public || rank(a) - rank(b))) || b.share - a.share);
}

export function sentenceOf(row) {
  const values = {
    flow: row.flow,
    capacity: row.capacity,
    unit: unit(row.unit),
    turned_away: row.turned_away,
    full_year: row.full_from,
    price: number(row.price_usd_per_t, 0),
  };
  if (!row.is_full) return t("ladder.free", values);
  return row.is_public ? t("ladder.full", values) : t("ladder.full_unsure", values);
}

// `before`: rows of the same facilities in another state; each bar then bears its mark, and the text says by how much use differs.
export function ladderList(rows, { onopen, before = [] }) {
  const earlier = Object.fromEntries(before.map((row) => [row.facility_id, row]));
  return h(
    "ol",
    { class: "ladder" },
    rows.map((row) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", class: "rung", onclick: () => onopen(row.facility_id), "data-id": row.facility_id },
          h(
            "span",
            { class: "rung-head" },
            h("span", { class: "rung-name" }, row.name),
            h("span", { class: "rung-share", "data-value": row.share }, percent(row.share)),
          ),
          bar(row, earlier[row.facility_id]),
          h("span", { class: "soft small" }, sentenceOf(row)),
          changeOf(row, earlier[row.facility_id]),
        ),
      ),
    ),
  );
}

function changeOf(row, before) {
  if (!before) return null;
  const points = 100 * (row.share - before.share);
  const away = row.turned_away - before.turned_away;
  const told = [
    Math.abs(points) < 0.05 ? null : t("ladder.change_points", { points: signed(points, 1) }),
    Math.abs(away) < 0.05 ? null : t("ladder.change_away", { turned_away: signed(away, 1), unit: unit(row.unit) }),
  ].filter(Boolean);
  return told.length ? h("span", { class: "small change", "data-points": points }, told.join(", ")) : null;
}

function bar(row, before) {
  const beyond = row.is_full ? Math.min(100 - FULL_AT, (row.turned_away / row.capacity) * FULL_AT) : 0;
  return h(
    "span",
    { class: "bar", "aria-hidden": "true" },
    h("span", { class: `bar-carried use-${useStep(row.share, row.is_full)}`, style: { width: `${row.share * FULL_AT}%` } }),
    h("span", { class: "bar-away", style: { left: `${FULL_AT}%`, width: `${beyond}%` } }),
    h("span", { class: "bar-mark", style: { left: `${FULL_AT}%` } }),
    before ? h("span", { class: "bar-before", style: { left: `${before.share * FULL_AT}%` } }) : null,
  );
}

// The rungs of a ladder that was climbed to a target, from the file of `karvan ladder --json`.
export function rungList(rungs, { onopen }) {
  return h(
    "ol",
    { class: "ladder rungs" },
    rungs
      .filter((rung) => rung.is_on_corridor)
      .map((rung) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "rung", onclick: () => onopen(rung.facility_id) },
            h(
              "span",
              { class: "rung-head" },
              h("span", { class: "rung-name" }, rung.facility_name),
              h("span", { class: "rung-share" }, `× ${number(rung.market_scale, 2)}`),
            ),
            h(
              "span",
              { class: "soft small" },
              t("ladder.rung", {
                latent_mt: rung.latent_mt,
                realised_mt: rung.realised_mt,
                price: rung.is_public ? number(rung.shadow_price_usd_per_t, 0) : t("ladder.unsure"),
              }),
            ),
            h(
              "span",
              { class: "soft small" },
              rung.relief_measure_title
                ? t("ladder.relief", { relief: rung.relief_measure_title, cost: costOf(rung) })
                : t("ladder.no_relief"),
            ),
          ),
        ),
      ),
  );
}

export function costOf({ relief_is_operating: operating, is_operating: running, relief_cost_musd: cost, cost_musd: capital }) {
  if (operating || running) return t("relief.no_building");
  const value = cost ?? capital ?? null;
  return value === null ? t("relief.cost_not_known") : t("relief.cost", { cost_musd: value });
}

const xml = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

export function ladderPicture(doc, state, rows) {
  const colours = palette(state.theme);
  const step = PICTURE.height / 10;
  const width = PICTURE.width - 56;
  const lines = rows.slice(0, 10).map((row, index) => {
    const y = index * step;
    const full = width * (FULL_AT / 100);
    const beyond = row.is_full ? Math.min(width - full, (row.turned_away / row.capacity) * full) : 0;
    return (
      `<text x="28" y="${y + 18}" font-size="15" font-weight="600" fill="${colours.ink}">${xml(row.name)}</text>` +
      `<text x="${28 + width}" y="${y + 18}" font-size="15" font-weight="600" text-anchor="end" fill="${colours.ink}">${percent(row.share)}</text>` +
      `<rect x="28" y="${y + 25}" width="${width}" height="9" rx="4" fill="${colours.line}"/>` +
      `<rect x="28" y="${y + 25}" width="${full * row.share}" height="9" rx="4" fill="${colours.use[useStep(row.share, row.is_full)]}"/>` +
      `<rect x="${28 + full}" y="${y + 25}" width="${beyond}" height="9" fill="url(#away)"/>` +
      `<rect x="${27 + full}" y="${y + 21}" width="2.5" height="17" fill="${colours.ink}"/>` +
      `<text x="28" y="${y + 51}" font-size="12.5" fill="${colours.soft}">${xml(sentenceOf(row))}</text>`
    );
  });
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${PICTURE.width}" height="${PICTURE.height}"><defs><pattern id="away" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="${colours.paper}"/><rect width="2.6" height="6" fill="${colours.use[3]}"/></pattern></defs>${lines.join("")}</svg>`;
  return framed(drawing, {
    title: t("ladder.title"),
    subtitle: t("ladder.subtitle", { year: state.year }),
    notes: notesOf(doc, t("source.model")),
    colours,
  });
}

export function ladderTable(rows) {
  return {
    columns: [
      { key: "name", label: t("column.facility") },
      { key: "share", label: t("column.use"), digits: 2, show: (value) => percent(value) },
      { key: "flow", label: t("column.carried"), digits: 1 },
      { key: "capacity", label: t("column.capacity"), digits: 1 },
      { key: "turned_away", label: t("column.turned_away"), digits: 1 },
      { key: "unit", label: t("column.unit_thousands"), show: unit },
      {
        key: "price_usd_per_t",
        label: t("column.price"),
        digits: 2,
        show: (value, row) => (row.is_public || !row.is_full ? number(value, 2) : t("ladder.unsure")),
      },
      { key: "full_from", label: t("column.full_from"), digits: 0, show: (value) => value ?? "–" },
    ],
    rows,
  };
}
