// When a plan misses its target, what is left when something breaks, and how far the answer can be trusted; names of plans and unknowns.
import { h } from "./dom.js";
import { currentLanguage, number, percent, said, t } from "./i18n.js";
import { dataTable } from "./tables.js";

const listed = (names) => new Intl.ListFormat(currentLanguage(), { type: "unit" }).format(names);

export function planName(found, plan) {
  const { scenario, with: added, without } = found.titles[plan];
  if (added.length && without.length) return t("futures.plan_changed", { scenario, added: listed(added), without: listed(without) });
  if (added.length) return t("futures.plan_with", { scenario, added: listed(added) });
  return without.length ? t("futures.plan_without", { scenario, without: listed(without) }) : scenario;
}

export const countryName = (country) => (country === "several" ? t("appraisal.several") : country);
export const called = (found, id) => (id in found.called ? said(found.called[id]) : id);

function boxLine(found, row) {
  const name = called(found, row.factor);
  if (row.holds === "shock") return t("box.shock", { name, comes_share: row.comes_share, chance_share: row.chance_share });
  if (row.low !== null) return t(`box.value_${row.holds}`, { name, low: row.low, high: row.high });
  return t(`box.part_${row.holds}`, { name, low_share: row.low_share, high_share: row.high_share, top_share: 1 - row.low_share });
}

export function failures(found, now) {
  const rows = found.failure_boxes.filter((row) => row.plan === now.plan);
  if (!rows.length) return [h("p", { class: "soft" }, t("futures.box_none", { plan: planName(found, now.plan) }))];
  const [{ coverage_share, density_share }] = rows;
  const told = { plan: planName(found, now.plan), coverage: percent(coverage_share), density: percent(density_share) };
  return [
    h("p", {}, t("ensemble.fails", told)),
    h(
      "ul",
      {},
      rows.map((row) => h("li", {}, boxLine(found, row), " ", h("code", { class: "soft small" }, row.factor))),
    ),
  ];
}

export function disruptions(own, found, now) {
  const rows = found.disruptions.filter((row) => row.plan === now.plan);
  if (!rows.length) return null;
  return dataTable({
    id: "table-disruptions",
    caption: t("ensemble.disruptions", { plan: planName(found, now.plan) }),
    columns: [
      { key: "name", label: t("futures.shock") },
      { key: "with_mt", label: t("futures.with_it"), digits: 2 },
      { key: "without_mt", label: t("futures.without_it"), digits: 2 },
      { key: "kept_share", label: t("futures.kept"), isNumber: true, show: (value) => percent(value) },
      { key: "futures", label: t("futures.hit"), digits: 0 },
    ],
    rows,
    sort: { key: "kept_share", down: false },
    fileName: own.fileName("disruptions"),
  }).element;
}

// What was drawn and what was not, what failed, and how good routes are.
export function trust(found) {
  const failed = found.failed.reduce((sum, row) => sum + row.count, 0);
  const few = found.drivers.length && found.drivers[0].is_in_turn;
  return [
    found.stopped ? h("p", {}, t(`ensemble.stopped_${found.stopped}`, { futures: found.futures, wanted: found.wanted })) : null,
    few ? h("p", {}, t("futures.few", { futures: found.futures, unknowns: found.factors_count })) : null,
    failed
      ? [
          h("p", {}, t("ensemble.failed", { count: failed })),
          h(
            "ul",
            {},
            found.failed.map((row) =>
              h("li", {}, t("futures.failed_why", { count: row.count, plan: planName(found, row.plan), reason: row.reason })),
            ),
          ),
        ]
      : h("p", {}, t("futures.none_failed")),
    found.routes.largest_mt === null
      ? null
      : h(
          "p",
          {},
          t("ensemble.routes", {
            asked: found.routes.asked_count,
            p50: number(found.routes.p50_mt, 3),
            largest: number(found.routes.largest_mt, 3),
          }),
        ),
    found.shocks.length
      ? h(
          "details",
          {},
          h("summary", {}, t("futures.shocks", { count: found.shocks.length })),
          h(
            "ul",
            {},
            found.shocks.map((row) => h("li", {}, t("futures.shock_chance", { name: row.name, chance_share: row.chance_share }))),
          ),
        )
      : h("p", {}, t("futures.no_shocks")),
    found.left_out.length
      ? h(
          "details",
          {},
          h("summary", {}, t("ensemble.left_out", { count: found.left_out.length })),
          h(
            "ul",
            {},
            found.left_out.map((id) => h("li", {}, called(found, id), " ", h("code", { class: "soft small" }, id))),
          ),
        )
      : null,
    h("p", { class: "soft small" }, t("futures.rests")),
  ];
}
