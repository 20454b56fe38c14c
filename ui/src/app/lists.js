// Rooms of lists that the server sorts, filters and pages: tables of the run, inputs with their sources, saved runs.
import { chip } from "../cards.js";
import { button, h } from "../dom.js";
import { amount, number, percent, t, term, unit } from "../i18n.js";
import * as views from "../views.js";
import { isEnded, toldOf } from "./jobs.js";
import { query } from "./server.js";

const PAGE = 50;

function pager(state, load) {
  const told = h("span", { class: "soft small", role: "status" });
  const step = (by) => () => {
    state.offset = Math.max(0, state.offset + by * PAGE);
    load();
  };
  const back = button(t("page.back"), step(-1));
  const on = button(t("page.on"), step(1));
  return {
    element: h("div", { class: "tools" }, back, on, told),
    draw(count) {
      told.textContent = count
        ? t("page.told", {
            from: String(state.offset + 1),
            to: String(Math.min(count, state.offset + PAGE)),
            count: count.toLocaleString(document.documentElement.lang),
          })
        : t("page.empty");
      back.disabled = state.offset === 0;
      on.disabled = state.offset + PAGE >= count;
    },
  };
}

const valueText = (row, value, hasUnit = false) =>
  row.unit === "share" ? percent(value, 1) : `${amount(value)} ${hasUnit && row.unit && row.unit !== "1" ? unit(row.unit) : ""}`.trim();

function filterText(text) {
  const [column, operation, ...value] = text.split(":");
  return `${column} ${t(`op.${operation}`)} ${value.join(":")}`;
}

const fails = (place) => (refusal) => place.replaceChildren(h("p", { class: "problem", role: "alert" }, refusal.message));

export function tablesRoom(app, run) {
  const state = { name: null, sort: null, filters: [], offset: 0 };
  let listed = [];
  const place = h("div", { class: "server-table" }, h("p", { class: "soft", role: "status" }, t("app.loading")));
  const choice = h("select", { id: "table-name", onchange: (event) => pick(event.target.value) });
  const column = h("select", { id: "filter-column", onchange: () => operations() });
  const operation = h("select", { id: "filter-op" });
  const value = h("input", { type: "text", id: "filter-value", "aria-label": t("tables.value"), maxlength: 100 });
  const chips = h("ul", { class: "inline", "aria-label": t("tables.filters") });
  const downloads = h("div", { class: "tools" });
  const pages = pager(state, load);
  const form = h(
    "form",
    {
      class: "tools",
      onsubmit: (event) => {
        event.preventDefault();
        if (!value.value) return;
        state.filters.push(`${column.value}:${operation.value}:${value.value}`);
        value.value = "";
        state.offset = 0;
        load();
      },
    },
    h("label", { class: "field" }, h("span", {}, t("tables.column")), column),
    h("label", { class: "field" }, h("span", { class: "visually-hidden" }, t("tables.operation")), operation),
    value,
    h("button", { type: "submit" }, t("tables.add")),
  );
  const own = () => listed.find((row) => row.name === state.name);
  const path = (more = {}) => `/api/runs/${run.run_id}/tables/${state.name}?${query({ sort: state.sort, filter: state.filters, ...more })}`;

  function operations() {
    const kind = own().columns.find((row) => row.name === column.value)?.type;
    const names = kind === "text" ? ["has", "eq", "ne"] : kind === "claim" ? ["eq"] : ["ge", "le", "gt", "lt", "eq", "ne"];
    operation.replaceChildren(...names.map((name) => h("option", { value: name }, t(`op.${name}`))));
  }

  function pick(name) {
    Object.assign(state, { name, sort: null, filters: [], offset: 0 });
    const has = (wanted) => own().columns.some((row) => row.name === wanted);
    if (has("case")) state.filters.push("case:eq:scenario");
    if (has("year")) state.filters.push(`year:eq:${app.store.get().year}`);
    const first = own().columns.find((row) => row.type === "number");
    if (first) state.sort = `-${first.name}`;
    column.replaceChildren(...own().columns.map((row) => h("option", { value: row.name }, row.name)));
    operations();
    load();
  }

  let turn = 0;
  async function load() {
    turn += 1;
    const mine = turn; // an answer that was overtaken by a newer choice is not drawn
    downloads.replaceChildren(
      h("span", { class: "soft small" }, t("tables.download")),
      ...own()
        .formats.filter((each) => each !== "json")
        .map((each) =>
          h(
            "a",
            { class: "button", href: path({ format: each }), download: true, "data-format": each },
            each === "geojson" ? "GeoJSON" : each.toUpperCase(),
          ),
        ),
    );
    chips.replaceChildren(
      ...state.filters.map((text) =>
        h(
          "li",
          {},
          button(
            `${filterText(text)} ×`,
            () => {
              state.filters = state.filters.filter((each) => each !== text);
              state.offset = 0;
              load();
            },
            { "aria-label": t("tables.remove", { filter: filterText(text) }) },
          ),
        ),
      ),
    );
    try {
      const found = await app.server.ask(path({ limit: PAGE, offset: state.offset }));
      if (mine !== turn) return;
      place.replaceChildren(tableOf(found));
      pages.draw(found.count);
    } catch (refusal) {
      if (mine === turn) fails(place)(refusal);
    }
  }

  function tableOf(found) {
    const isNumber = found.columns.map((each) => each.type === "number" || each.type === "whole");
    const digits = (each, cell) => (each.type === "whole" ? String(cell) : Math.abs(cell) >= 1000 ? number(cell, 0) : amount(cell));
    const head = found.columns.map((each, at) => {
      const order = state.sort === each.name ? "ascending" : state.sort === `-${each.name}` ? "descending" : "none";
      return h(
        "th",
        { scope: "col", class: isNumber[at] ? "n" : null, "aria-sort": order },
        button(
          each.name,
          () => {
            state.sort =
              order === "descending" ? each.name : order === "ascending" ? `-${each.name}` : isNumber[at] ? `-${each.name}` : each.name;
            state.offset = 0;
            load().then(() => place.querySelector(`[data-column="${each.name}"]`)?.focus());
          },
          { "data-column": each.name },
        ),
      );
    });
    const cell = (row, at) => {
      const raw = row[at];
      const shown = raw === null ? "–" : isNumber[at] ? digits(found.columns[at], raw) : Array.isArray(raw) ? raw.join(" ") : String(raw);
      const attributes = isNumber[at] ? { class: "n", "data-value": raw } : {};
      return at === 0 ? h("th", { scope: "row", ...attributes }, shown) : h("td", attributes, shown);
    };
    return h(
      "div",
      { class: "scroll tall", tabindex: "0", role: "region", "aria-label": found.table },
      h(
        "table",
        { id: "run-table" },
        h("caption", {}, t("tables.caption", { table: found.table, run_id: run.run_id })),
        h("thead", {}, h("tr", {}, head)),
        h(
          "tbody",
          {},
          found.rows.map((row) =>
            h(
              "tr",
              {},
              row.map((_, at) => cell(row, at)),
            ),
          ),
        ),
      ),
    );
  }

  app.server
    .ask(`/api/runs/${run.run_id}/tables`)
    .then(({ tables }) => {
      listed = tables;
      choice.replaceChildren(
        ...tables.map((row) =>
          h("option", { value: row.name }, `${row.name} (${row.row_count.toLocaleString(document.documentElement.lang)})`),
        ),
      );
      const first = tables.find((row) => row.name === "links") ?? tables[0];
      choice.value = first.name;
      pick(first.name);
    })
    .catch(fails(place));
  const element = h(
    "div",
    { class: "room" },
    h("h1", {}, t("tables.of_run", { name: run.name })),
    h(
      "div",
      { class: "card table-card" },
      h("div", { class: "tools" }, h("label", { class: "field" }, h("span", {}, t("tables.choose")), choice), downloads),
      form,
      chips,
      place,
      pages.element,
    ),
  );
  return { element, views: [] };
}

export function sourcesRoom(app, context) {
  const state = { q: "", confidence: [], table: "", offset: 0 };
  const choice = h(
    "select",
    { id: "inputs-of", onchange: (event) => change({ table: event.target.value }) },
    h("option", { value: "" }, t("sources.every_table")),
  );
  const place = h("div", {}, h("p", { class: "soft", role: "status" }, t("app.loading")));
  const numbers = h("p", { class: "soft" });
  const file = h("a", { class: "button", download: true });
  const pages = pager(state, load);
  let timer = 0;
  const words = h("input", {
    type: "search",
    "aria-label": t("sources.words"),
    placeholder: t("sources.words"),
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => change({ q: words.value }), 150);
    },
  });
  const kinds = h(
    "fieldset",
    { class: "tools plain-set" },
    h("legend", { class: "visually-hidden" }, t("sources.status")),
    ["sourced", "recalled", "estimate"].map((name) =>
      h(
        "label",
        { class: "field" },
        h("input", {
          type: "checkbox",
          value: name,
          onchange: (event) =>
            change({ confidence: event.target.checked ? [...state.confidence, name] : state.confidence.filter((each) => each !== name) }),
        }),
        chip(name),
      ),
    ),
  );
  function change(more) {
    Object.assign(state, more, { offset: 0 });
    load();
  }
  let turn = 0;
  async function load() {
    turn += 1;
    const own = turn;
    const { offset, ...asked } = state;
    file.href = `/api/sources?${query({ ...asked, format: "csv" })}`;
    file.textContent = t("save.csv");
    try {
      const found = await app.server.ask(`/api/sources?${query({ ...asked, offset, limit: PAGE })}`);
      if (own !== turn) return;
      const titles = Object.fromEntries(found.sources.map((row) => [row.source_id, row]));
      numbers.textContent = t("sources.numbers", found.numbers);
      if (choice.options.length === 1) {
        const names = new Set(found.sources.flatMap((row) => Object.keys(row.by_table ?? {})));
        choice.append(...[...names].sort().map((name) => h("option", { value: name }, name.replaceAll("_", " "))));
      }
      place.replaceChildren(inputTable(found.inputs, titles));
      pages.draw(found.count);
    } catch (refusal) {
      fails(place)(refusal);
    }
  }
  load();
  const about = context ? views.sourcesView(context) : null;
  const element = h(
    "div",
    { class: "room" },
    h("h1", {}, t("sources.all")),
    numbers,
    h(
      "div",
      { class: "card table-card" },
      h("div", { class: "tools" }, words, h("label", { class: "field" }, h("span", {}, t("tables.choose")), choice), kinds, file),
      place,
      pages.element,
    ),
    about?.element,
  );
  return { element, views: [about].filter(Boolean) };
}

function inputTable(inputs, titles) {
  const source = (id) => {
    const row = titles[id];
    const told = row ? (row.published ? `${row.title} (${row.published})` : row.title) : id;
    return /^https?:\/\//.test(row?.url ?? "") ? h("a", { href: row.url, rel: "noopener noreferrer", target: "_blank" }, told) : told;
  };
  const heads = ["what", "value", "low_high", "status", "source"];
  return h(
    "div",
    { class: "scroll tall", tabindex: "0", role: "region", "aria-label": t("sources.all") },
    h(
      "table",
      { id: "inputs-table" },
      h("caption", {}, t("sources.caption")),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((key) => h("th", { scope: "col", class: key === "value" || key === "low_high" ? "n" : null }, t(`column.${key}`))),
        ),
      ),
      h(
        "tbody",
        {},
        inputs.map((row) =>
          h(
            "tr",
            {},
            h(
              "th",
              { scope: "row" },
              h("span", {}, row.name ?? row.row),
              h("span", { class: "soft small block" }, `${row.table} · ${row.column.replaceAll("_", " ")}`),
            ),
            h("td", { class: "n" }, typeof row.value === "number" ? valueText(row, row.value, true) : String(row.value ?? "–")),
            h("td", { class: "n" }, row.low === null ? "–" : `${valueText(row, row.low)} – ${valueText(row, row.high)}`),
            h("td", {}, row.confidence ? chip(row.confidence) : "–"),
            h("td", {}, source(row.source), row.note ? h("span", { class: "soft small block" }, row.note) : null),
          ),
        ),
      ),
    ),
  );
}

export function runsRoom(app) {
  const { desk, server } = app;
  const list = h("div", {});
  const jobs = h("div", {});
  const trash = h("div", {});
  const said = h("p", { class: "problem", role: "alert", hidden: true });
  const tell = (refusal) => {
    said.hidden = false;
    said.textContent = refusal.message;
  };
  const when = (text) => new Date(text).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

  function confirmed(text, action) {
    const dialog = h(
      "dialog",
      { "aria-label": text, class: "card" },
      h("p", {}, text),
      h(
        "div",
        { class: "tools" },
        button(action, () => dialog.close("yes"), { class: "primary" }),
        button(t("runs.keep"), () => dialog.close("no")),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((done) =>
      dialog.addEventListener("close", () => {
        dialog.remove();
        done(dialog.returnValue === "yes");
      }),
    );
  }

  function nameCell(row) {
    const place = h("div", {});
    const show = () =>
      place.replaceChildren(h("span", { class: "run-title" }, row.name), h("span", { class: "soft small block" }, row.run_id));
    const edit = () => {
      const input = h("input", { type: "text", value: row.name, maxlength: 80, required: true, "aria-label": t("runs.new_name") });
      const form = h(
        "form",
        {
          class: "tools",
          onsubmit: async (event) => {
            event.preventDefault();
            try {
              await server.ask(`/api/runs/${row.run_id}`, { method: "PATCH", body: { name: input.value } });
              await app.refresh();
            } catch (refusal) {
              tell(refusal);
            }
          },
          onkeydown: (event) => {
            if (event.key === "Escape") show();
          },
        },
        input,
        h("button", { type: "submit" }, t("runs.save")),
        button(t("runs.leave"), show),
      );
      place.replaceChildren(form);
      input.focus();
      input.select();
    };
    show();
    return { place, edit };
  }

  function runRow(row) {
    const { runId } = desk.get();
    const { place, edit } = nameCell(row);
    const mayChange = server.mayChange();
    const act = (label, action, more = {}) => button(label, action, { "aria-label": `${label}: ${row.name}`, ...more });
    return h(
      "tr",
      { "data-run": row.run_id, class: row.run_id === runId ? "is-open" : null },
      h("th", { scope: "row" }, place),
      h("td", {}, row.scenario_title, row.is_of_this_case ? null : h("span", { class: "soft small block" }, t("card.other_case"))),
      h("td", { class: "n" }, `${row.years.first}–${row.years.last}`),
      h("td", { class: "n", "data-value": row.last.corridor_mt }, `${number(row.last.corridor_mt, 2)} ${t("unit.Mt")}`),
      h("td", {}, when(row.saved_at)),
      h(
        "td",
        {},
        h(
          "div",
          { class: "tools" },
          act(t("runs.open"), () => app.openRun(row.run_id, { view: "map" })),
          row.run_id === runId ? null : act(t("runs.compare"), () => app.compareWith(row.run_id, { view: "compare" })),
          h(
            "a",
            {
              class: "button",
              href: `/api/runs/${row.run_id}/report`,
              target: "_blank",
              rel: "noopener",
              "aria-label": `${t("runs.report")}: ${row.name}`,
            },
            t("runs.report"),
          ),
          mayChange ? act(t("runs.rename"), edit) : null,
          mayChange
            ? act(t("runs.delete"), async () => {
                if (!(await confirmed(t("runs.sure", { name: row.name }), t("runs.delete")))) return;
                try {
                  await server.ask(`/api/runs/${row.run_id}`, { method: "DELETE" });
                  await app.refresh();
                } catch (refusal) {
                  tell(refusal);
                }
              })
            : null,
        ),
      ),
    );
  }

  function table(id, caption, heads, rows) {
    return h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      h(
        "table",
        { id },
        h("caption", {}, caption),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            heads.map((key) => h("th", { scope: "col" }, t(`column.${key}`))),
          ),
        ),
        h("tbody", {}, rows),
      ),
    );
  }

  function drawRuns() {
    const { runs, trash: gone } = desk.get();
    list.replaceChildren(
      runs.length
        ? table("runs-table", t("runs.saved"), ["name", "scenario", "years", "last", "saved_at", "actions"], runs.map(runRow))
        : h("p", {}, t("app.no_run")),
    );
    trash.replaceChildren(
      h("h2", {}, t("runs.trash")),
      gone.length
        ? table(
            "trash-table",
            t("runs.trash_told"),
            ["name", "scenario", "saved_at", "actions"],
            gone.map((row) =>
              h(
                "tr",
                { "data-run": row.run_id },
                h("th", { scope: "row" }, row.name),
                h("td", {}, row.scenario_title),
                h("td", {}, when(row.saved_at)),
                h(
                  "td",
                  {},
                  server.mayChange()
                    ? button(
                        t("runs.restore"),
                        async () => {
                          try {
                            await server.ask(`/api/runs/${row.run_id}/restore`, { method: "POST" });
                            await app.refresh();
                          } catch (refusal) {
                            tell(refusal);
                          }
                        },
                        { "aria-label": `${t("runs.restore")}: ${row.name}` },
                      )
                    : null,
                ),
              ),
            ),
          )
        : h("p", { class: "soft" }, t("runs.trash_empty")),
    );
  }

  const rows = new Map();
  function drawJobs() {
    const { jobs: all } = desk.get();
    if (!all.length) {
      rows.clear();
      jobs.replaceChildren(h("h2", {}, t("runs.jobs")), h("p", { class: "soft" }, t("runs.no_jobs")));
      return;
    }
    const found = all.map((job) => {
      const state = `${job.state} ${job.ended_at} ${job.progress.step} ${job.waits_for}`;
      const known = rows.get(job.job_id);
      if (known?.state === state) return known.element;
      const element = jobRow(job);
      rows.set(job.job_id, { state, element });
      return element;
    });
    if (jobs.querySelector("tbody")) jobs.querySelector("tbody").replaceChildren(...found);
    else
      jobs.replaceChildren(
        h("h2", {}, t("runs.jobs")),
        table("jobs-table", t("runs.jobs_told"), ["name", "status", "years", "actions"], found),
      );
  }

  function jobRow(job) {
    const verb = (label, path, method) =>
      button(
        label,
        async () => {
          try {
            await server.ask(path, { method });
            await app.refreshJobs();
          } catch (refusal) {
            tell(refusal);
          }
        },
        { "aria-label": `${label}: ${job.name || job.asked.scenario}` },
      );
    const may = server.mayChange();
    return h(
      "tr",
      { "data-job": job.job_id, "data-state": job.state },
      h("th", { scope: "row" }, job.name || job.asked.scenario, h("span", { class: "soft small block" }, when(job.created_at))),
      h(
        "td",
        {},
        h("strong", {}, t(`job.${job.state}`)),
        job.state === "running" ? ` ${percent(job.progress.share)}` : null,
        h("span", { class: "small block" }, job.state === "running" || job.problems.length ? toldOf(job) : ""),
      ),
      h("td", {}, `${job.asked.years.first}–${job.asked.years.last}`),
      h(
        "td",
        {},
        h(
          "div",
          { class: "tools" },
          may && !isEnded(job) ? verb(t("job.cancel"), `/api/jobs/${job.job_id}`, "DELETE") : null,
          may && ["failed", "cancelled", "interrupted"].includes(job.state)
            ? verb(t("job.resume"), `/api/jobs/${job.job_id}/resume`, "POST")
            : null,
          job.state === "done"
            ? button(t("runs.open"), () => app.openRun(job.run_id, { view: "map" }), {
                "aria-label": `${t("runs.open")}: ${job.name || job.asked.scenario}`,
              })
            : null,
        ),
      ),
    );
  }

  drawRuns();
  drawJobs();
  const element = h(
    "div",
    { class: "room" },
    h("h1", {}, t("runs.title")),
    said,
    h("div", { class: "card" }, list),
    h("div", { class: "card" }, jobs),
    h("div", { class: "card" }, trash),
  );
  return { element, views: [], drawRuns, drawJobs };
}
