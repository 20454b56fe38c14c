// Times and costs, origins and destinations, gains and losses of routes, published values.
import { diversionOption, figure, profileOption, sankeyOption, validationOption } from "./charts.js";
import { picker } from "./controls.js";
import { h } from "./dom.js";
import { amount, signed, t, unit } from "./i18n.js";

export function profileView(context) {
  const { doc, store } = context;
  const groups = new Map();
  for (const journey of doc.journeys) {
    const key = `${journey.origin_country}|${journey.commodity_group}`;
    groups.set(key, [...(groups.get(key) ?? []), journey]);
  }
  if (!groups.size) return null;
  const goods = Object.fromEntries(doc.goods.map((row) => [row.commodity_group, row.name]));
  const label = (journeys) =>
    t("profile.group", {
      origin: [...new Set(journeys.map((row) => row.origin.replace(/ \(.*\)$/, "")))].join(", "),
      goods: goods[journeys[0].commodity_group],
    });
  const keys = [...groups.keys()];
  const years = doc.journeys.flatMap((row) => row.curves.filter((curve) => curve.scenario === doc.run.scenario).map((curve) => curve.year));
  const year = years.includes(doc.focus_year) ? doc.focus_year : years[0];
  const curves = (state) =>
    groups.get(state.journeys ?? keys[0]).flatMap((journey) => {
      const curve = journey.curves.find((each) => each.scenario === doc.run.scenario && each.year === year) ?? journey.curves.at(-1);
      return curve ? [{ ...curve, name: journey.name, origin: journey.origin, family_id: journey.family_id }] : [];
    });
  const choice = h(
    "label",
    { class: "field no-print" },
    h("span", {}, t("profile.choose")),
    h(
      "select",
      { onchange: (event) => store.set({ journeys: event.target.value }) },
      keys.map((key) => h("option", { value: key }, label(groups.get(key)))),
    ),
  );
  const controls = h(
    "div",
    { class: "tools no-print" },
    choice,
    picker(
      t("profile.measure"),
      [
        ["time_d", t("profile.time")],
        ["charge_usd_per_t", t("profile.cost")],
      ],
      store,
      "measure",
    ),
  );
  const view = figure({
    id: "profile",
    context,
    title: () => t("profile.title"),
    subtitle: () => t("profile.subtitle", { year }),
    source: t("source.profile"),
    height: 470,
    controls,
    option: (colours, state, size) => profileOption(curves(state), colours, { measure: state.measure, ...size }),
    table: (state) => ({
      columns: [
        { key: "name", label: t("column.journey") },
        { key: "length_km", label: t("column.length_km"), digits: 0 },
        { key: "time_d", label: t("column.time_d"), digits: 1 },
        { key: "time_sd_d", label: t("column.time_sd_d"), digits: 1 },
        { key: "moving_d", label: t("column.moving_d"), digits: 1 },
        { key: "stopped_d", label: t("column.stopped_d"), digits: 1 },
        { key: "charge_usd_per_t", label: t("column.charge_usd_per_t"), digits: 0 },
        { key: "charge_usd_per_teu", label: t("column.charge_usd_per_teu"), digits: 0 },
        { key: "co2e_kg_per_t", label: t("column.co2e_kg_per_t"), digits: 0 },
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
    id: "flows",
    context,
    title: () => t("flows.title"),
    subtitle: (state) => t("flows.subtitle", { year: state.year }),
    source: t("source.model"),
    height: 470,
    option: (colours, state, size) => sankeyOption(doc, colours, { year: state.year, wide: size.width > 520 }),
    table: (state) => {
      const index = doc.years.indexOf(state.year);
      return {
        columns: [
          { key: "origin", label: t("column.origin") },
          { key: "destination", label: t("column.destination") },
          { key: "goods", label: t("column.goods"), open: context.market ? (row) => context.market(row.market) : null },
          { key: "scenario_kt", label: t("column.scenario_kt"), digits: 1 },
          { key: "baseline_kt", label: t("column.baseline_kt"), digits: 1 },
        ],
        rows: doc.flows
          .map((row) => ({
            origin: regions[row.origin_region],
            destination: regions[row.destination_region],
            goods: goods[row.commodity_group],
            market: `${row.origin_region}:${row.destination_region}:${row.commodity_group}`,
            scenario_kt: row.scenario_kt[index],
            baseline_kt: row.baseline_kt[index],
          }))
          .filter((row) => row.scenario_kt >= 0.05 || row.baseline_kt >= 0.05)
          .sort((a, b) => b.scenario_kt - a.scenario_kt),
      };
    },
  });
  return { ...view, keys: [...view.keys, "year"] };
}

export function diversionView(context) {
  const { doc } = context;
  return figure({
    id: "diversion",
    context,
    title: () => t("diversion.title"),
    subtitle: () => t("diversion.subtitle", { baseline: doc.run.baseline_title }),
    source: t("source.model"),
    height: 430,
    option: (colours, state, size) => diversionOption(doc, colours, size),
    table: (state) => {
      const index = doc.years.indexOf(state.year);
      return {
        columns: [
          { key: "name", label: t("column.family") },
          { key: "scenario_mt", label: t("column.scenario_mt"), digits: 3 },
          { key: "baseline_mt", label: t("column.baseline_mt"), digits: 3 },
          { key: "change_mt", label: t("column.change_mt"), digits: 3, show: (value) => signed(value, 3) },
        ],
        rows: doc.diversion.map((row) => ({
          name: row.name,
          scenario_mt: row.scenario_mt[index],
          baseline_mt: row.baseline_mt[index],
          change_mt: row.scenario_mt[index] - row.baseline_mt[index],
        })),
      };
    },
  });
}

export function validationView(context) {
  const { doc } = context;
  if (!doc.validation?.rows.length) return null;
  return figure({
    id: "validation",
    context,
    title: () => t("validation.title"),
    subtitle: () =>
      t("validation.subtitle", { count: doc.validation.count, compared: doc.validation.compared, free: doc.validation.not_used }),
    source: t("source.validation"),
    height: 430,
    option: (colours) => validationOption(doc, colours),
    table: () => ({
      columns: [
        { key: "scope", label: t("column.what") },
        { key: "year", label: t("column.year"), isNumber: true, show: String },
        { key: "compared_with", label: t("column.published"), isNumber: true, show: amount },
        { key: "model", label: t("column.model"), isNumber: true, show: amount },
        { key: "unit", label: t("column.unit"), show: (value) => unit(value) },
        { key: "error", label: t("column.error"), isNumber: true, show: (value) => `${signed(100 * value, 0)}%` },
        { key: "used", label: t("column.used") },
        { key: "why", label: t("column.why") },
      ],
      rows: doc.validation.rows.map((row) => ({ ...row, used: row.used_in_calibration ? t("validation.used") : t("validation.free") })),
    }),
  });
}
