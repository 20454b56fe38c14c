// What stands behind a number: value, range, source, how far to trust it.
import { button, h, icon } from "./dom.js";
import { ladderRows, sentenceOf } from "./ladder.js";
import { amount, number, t, term, unit } from "./i18n.js";

export function chip(confidence) {
  return h("span", { class: `chip chip-${confidence}` }, t(`confidence.${confidence}`));
}

export function makeCards(context, place) {
  const { doc, store } = context;
  // The app asks the server on; a report names the command that tells the same.
  const more = (kind, id, name) =>
    context.more?.(kind, id, name) ?? h("p", { class: "soft small" }, t("card.explain", { command: `karvan explain ${id}` }));
  const sources = Object.fromEntries(doc.sources.map((row) => [row.source_id, row]));
  const facilities = Object.fromEntries(doc.facilities.map((row) => [row.facility_id, row]));
  const links = Object.fromEntries(doc.links.map((row) => [row.link_id, row]));
  let opener = null;

  function sourceOf(id) {
    const row = sources[id];
    if (!row) return id;
    const told = row.published ? `${row.title} (${row.published})` : row.title;
    return /^https?:\/\//.test(row.url ?? "") ? h("a", { href: row.url, rel: "noopener noreferrer", target: "_blank" }, told) : told;
  }

  function values(rows, ownUnit) {
    const units = { nominal: ownUnit, other_load: ownUnit, length_km: t("unit.km"), time_h: t("unit.h") };
    const kept = rows.filter(
      (row) => !(row.value === 1 && /share|factor/.test(row.column)) && !(row.column === "other_load" && row.value === 0),
    );
    return h(
      "dl",
      { class: "values" },
      kept.map((row) => [
        h("dt", {}, t(`value.${row.column}`), " ", chip(row.confidence)),
        h(
          "dd",
          {},
          h("strong", { "data-value": row.value }, `${amount(row.value)} ${units[row.column] ?? ""}`),
          row.low !== null || row.high !== null
            ? h("span", { class: "soft" }, ` ${t("card.range", { low: row.low, high: row.high })}`)
            : null,
          h("div", { class: "soft small" }, t("card.source"), " ", sourceOf(row.source)),
          row.note ? h("div", { class: "soft small" }, row.note) : null,
        ),
      ]),
    );
  }

  function open(title, kind, ...content) {
    opener ??= document.activeElement;
    const heading = h("h3", { id: "card-title", tabindex: "-1" }, title);
    place.replaceChildren(
      h(
        "section",
        { class: "card detail", "aria-labelledby": "card-title", onkeydown: (event) => event.key === "Escape" && close() },
        h("div", { class: "card-head" }, heading, button(icon("close"), close, { "aria-label": t("card.close"), class: "icon-button" })),
        h("p", { class: "soft" }, kind),
        content,
      ),
    );
    place.hidden = false;
    heading.focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" });
  }

  function close() {
    place.hidden = true;
    place.replaceChildren();
    store.set({ selected: null });
    opener?.focus?.();
    opener = null;
  }

  const fact = (label, value, raw) => h("div", { class: "fact" }, h("span", {}, label), h("strong", { "data-value": raw }, value));

  function facility(id) {
    const row = facilities[id];
    const { year } = store.get();
    const own = ladderRows(doc, year, { onCorridor: false }).find((each) => each.facility_id === id);
    const index = doc.years.indexOf(year);
    open(
      row.name,
      `${term("kind", row.kind)} · ${row.operator}`,
      own ? h("p", {}, sentenceOf(own)) : null,
      h(
        "div",
        { class: "facts" },
        fact(t("card.flow", { year }), `${amount(row.scenario.flow[index])} ${unit(row.unit)}`, row.scenario.flow[index]),
        fact(t("card.capacity", { year }), `${amount(row.scenario.capacity[index])} ${unit(row.unit)}`, row.scenario.capacity[index]),
        fact(
          t("card.baseline", { year }),
          `${amount(row.baseline.flow[index])} / ${amount(row.baseline.capacity[index])}`,
          row.baseline.flow[index],
        ),
        fact(t("card.wait"), `${number(row.scenario.scarcity_wait_h[index], 0)} ${t("unit.h")}`, row.scenario.scarcity_wait_h[index]),
      ),
      row.simulated
        ? h(
            "p",
            { class: "small", "data-note": "simulated" },
            t("capacities.interval", {
              capacity: amount(row.scenario.capacity[index]),
              half: amount(row.simulated.half[index]),
              nominal: amount(row.simulated.nominal[index]),
              unit: unit(row.unit),
              year,
            }),
          )
        : null,
      h("h4", {}, t("card.inputs")),
      values(row.values, unit(row.unit)),
      row.note ? h("p", { class: "soft small" }, row.note) : null,
      more("facility", id, row.name),
    );
    store.set({ selected: id });
  }

  function link(id) {
    const row = links[id];
    const { year } = store.get();
    const index = doc.years.indexOf(year);
    const names = Object.fromEntries(doc.goods.map((each) => [each.commodity_group, each.name]));
    const goods = Object.entries(row.goods_kt)
      .map(([group, kt]) => [names[group] ?? group, kt[index]])
      .filter(([, kt]) => kt >= 0.5)
      .sort((a, b) => b[1] - a[1]);
    open(
      row.name,
      `${term("mode", row.mode)} · ${row.operator}`,
      h(
        "div",
        { class: "facts" },
        fact(t("card.there", { year }), `${number(row.forward_kt[index] / 1000, 2)} ${t("unit.Mt")}`, row.forward_kt[index]),
        fact(t("card.back", { year }), `${number(row.backward_kt[index] / 1000, 2)} ${t("unit.Mt")}`, row.backward_kt[index]),
        fact(t("card.baseline_link", { year }), `${number(row.baseline_kt[index] / 1000, 2)} ${t("unit.Mt")}`, row.baseline_kt[index]),
      ),
      goods.length
        ? h(
            "div",
            {},
            h("h4", {}, t("card.goods", { year })),
            h(
              "ul",
              { class: "plain" },
              goods
                .slice(0, 8)
                .map(([name, kt]) =>
                  h("li", { class: "fact" }, h("span", {}, name), h("strong", { "data-value": kt }, `${amount(kt)} ${t("unit.kt")}`)),
                ),
            ),
          )
        : null,
      row.facility_ids.length
        ? h(
            "div",
            {},
            h("h4", {}, t("card.limits")),
            h(
              "ul",
              { class: "plain" },
              row.facility_ids.map((each) =>
                h(
                  "li",
                  {},
                  button(facilities[each].name, () => facility(each), { class: "link" }),
                ),
              ),
            ),
          )
        : h("p", { class: "soft" }, t("card.no_limit")),
      h("h4", {}, t("card.inputs")),
      values(row.values, ""),
      row.note ? h("p", { class: "soft small" }, row.note) : null,
      more("link", id, row.name),
    );
    store.set({ selected: id });
  }

  // One thing near the click opens; several are offered.
  function pick(found) {
    const unique = found.filter(
      (each, index) =>
        found.findIndex(
          (other) => (other.link?.link_id ?? other.facility.facility_id) === (each.link?.link_id ?? each.facility.facility_id),
        ) === index,
    );
    if (!unique.length) return;
    if (unique.length === 1) return void (unique[0].link ? link(unique[0].link.link_id) : facility(unique[0].facility.facility_id));
    open(
      t("card.several"),
      t("card.several_told", { count: unique.length }),
      h(
        "ul",
        { class: "plain" },
        unique
          .slice(0, 12)
          .map((each) =>
            h(
              "li",
              {},
              each.link
                ? button(`${each.link.name} (${term("mode", each.link.mode)})`, () => link(each.link.link_id), { class: "link" })
                : button(each.facility.name, () => facility(each.facility.facility_id), { class: "link" }),
            ),
          ),
      ),
    );
  }
  return { facility, link, pick, close, open, fact, sourceOf };
}
