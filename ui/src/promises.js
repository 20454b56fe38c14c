// What was promised, and how far to trust what is said of it.
import { chip } from "./cards.js";
import { h, icon } from "./dom.js";
import { amount, number, percent, signed, t, unit } from "./i18n.js";
import { dataTable } from "./tables.js";

export function promisesView(context) {
  const { doc } = context;
  const tiles = doc.commitments.filter((row) => row.is_headline).sort((a, b) => (a.promise ?? 99) - (b.promise ?? 99));
  const told = (value, row) => {
    if (value === null || value === undefined) return "–";
    if (row.metric === "link_open") return value >= 1 ? t("promise.is_open") : t("promise.not_open");
    const digits = row.metric === "family_shift_mt" ? signed(value, 3) : amount(value);
    return row.unit ? `${digits} ${unit(row.unit)}` : digits;
  };
  const fact = (label, value, raw, key) =>
    h("div", { class: "fact" }, h("span", {}, label), h("strong", { "data-value": raw ?? "", "data-key": key }, value));
  const columns = [
    { key: "title", label: t("column.promise") },
    { key: "target", label: t("column.target"), isNumber: true, show: amount },
    { key: "unit", label: t("column.unit"), show: (value) => unit(value) },
    { key: "year", label: t("column.year"), isNumber: true, show: (value) => value ?? "–" },
    { key: "observed", label: t("column.observed"), isNumber: true, show: amount },
    { key: "baseline", label: t("column.baseline"), isNumber: true, show: amount },
    { key: "scenario", label: t("column.scenario"), isNumber: true, show: amount },
    { key: "verdict", label: t("column.verdict"), show: (value) => t(`verdict.${value}`) },
    { key: "status", label: t("column.status") },
  ];
  const register = h("details", { class: "twin" }, h("summary", {}, t("promise.register", { count: doc.commitments.length })));
  register.addEventListener("toggle", () => {
    if (register.open && register.childElementCount === 1)
      register.append(
        dataTable({
          id: "table-commitments",
          caption: t("promise.register", { count: doc.commitments.length }),
          columns,
          rows: doc.commitments,
          filter: true,
          fileName: `karvan-${doc.run.run_id}-commitments`,
        }).element,
      );
  });
  const element = h(
    "section",
    { id: "promises", "aria-labelledby": "promises-title" },
    h("h2", { id: "promises-title" }, t("promises.title")),
    h("p", { class: "soft" }, t("promises.subtitle")),
    h(
      "ul",
      { class: "tiles" },
      tiles.map((row) =>
        h(
          "li",
          { class: `card tile verdict-${row.verdict}` },
          h("span", { class: "verdict" }, icon(row.verdict), t(`verdict.${row.verdict}`)),
          h("h3", {}, row.title),
          h(
            "div",
            { class: "facts" },
            row.target !== null
              ? fact(
                  row.year ? t("promise.target_in", { year: row.year }) : t("promise.target"),
                  told(row.target, row),
                  row.target,
                  "target",
                )
              : null,
            row.observed !== null
              ? fact(
                  row.observed_year ? t("promise.observed_in", { year: row.observed_year }) : t("promise.observed"),
                  told(row.observed, row),
                  row.observed,
                  "observed",
                )
              : null,
            row.baseline !== null ? fact(t("promise.baseline"), told(row.baseline, row), row.baseline, "baseline") : null,
            row.scenario !== null ? fact(t("promise.scenario"), told(row.scenario, row), row.scenario, "scenario") : null,
          ),
          h("p", { class: "soft small clamp", title: row.status }, row.status),
        ),
      ),
    ),
    register,
  );
  return { element, draw() {}, keys: [] };
}

export function trustLines(doc) {
  const { trust } = doc;
  const { inputs, calibration } = trust;
  return [
    t("trust.inputs", { count: inputs.count }),
    doc.run.capacities === "simulated" ? t("capacities.note") : null,
    t("trust.fitted", { constants: calibration.constants, observations: calibration.observations, base_year: calibration.base_year }),
    trust.model_mt !== null && trust.observed_mt !== null
      ? t("trust.outturn", { year: trust.year, base_year: calibration.base_year, model_mt: trust.model_mt, observed_mt: trust.observed_mt })
      : null,
    doc.validation?.not_used
      ? t("trust.validation", { count: doc.validation.not_used, error_share: doc.validation.median_abs_error_of_all })
      : null,
    t("trust.estimates", {
      tonnes_share: trust.estimated_shares.tonnes,
      charges_share: trust.estimated_shares.charges,
      hours_share: trust.estimated_shares.hours,
      base_year: calibration.base_year,
    }),
  ].filter(Boolean);
}

export function trustView(context) {
  const { doc } = context;
  const { trust } = doc;
  const { inputs } = trust;
  const shares = ["sourced", "recalled", "estimate"];
  const lines = trustLines(doc);
  const movers = trust.movers.map((row) =>
    h(
      "li",
      {},
      t("trust.mover", {
        name: row.name,
        column: t(`value.${row.column}`),
        low: row.low,
        high: row.high,
        value: row.value,
        year: row.year,
        low_mt: row.low_mt,
        high_mt: row.high_mt,
      }),
    ),
  );
  const missed = trust.blocks
    .filter((row) => Math.abs(row.error_share) > 0.1)
    .map((row) =>
      h(
        "li",
        {},
        t("trust.missed", {
          title: row.title,
          model: number(row.model_kt, 0),
          published: number(row.published_kt, 0),
          error: signed(100 * row.error_share, 0),
        }),
      ),
    );
  const wrong = (doc.validation?.outturn?.rows ?? [])
    .filter((row) => !row.is_sign_right)
    .map((row) =>
      h(
        "li",
        {},
        t("trust.wrong_sign", { model: row.model, published: row.published, unit: unit(row.unit), year: doc.validation.outturn.year }),
      ),
    );
  const element = h(
    "section",
    { id: "trust", class: "card", "aria-labelledby": "trust-title" },
    h("h2", { id: "trust-title" }, t("trust.title")),
    h(
      "div",
      {
        class: "strip",
        role: "img",
        "aria-label": shares.map((name) => `${t(`confidence.${name}`)} ${percent(inputs[`${name}_share`])}`).join(", "),
      },
      shares.map((name) => h("span", { class: `strip-${name}`, style: { "flex-grow": inputs[`${name}_share`] } })),
    ),
    h(
      "ul",
      { class: "inline" },
      shares.map((name) =>
        h("li", {}, chip(name), " ", h("strong", { "data-value": inputs[`${name}_share`] }, percent(inputs[`${name}_share`]))),
      ),
    ),
    h(
      "ul",
      { class: "points" },
      lines.map((line) => h("li", {}, line)),
      wrong,
      missed,
      movers,
    ),
  );
  return { element, draw() {}, keys: [] };
}
