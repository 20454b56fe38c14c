// The app: bar, drawer, rooms; which run is looked at, what is in hand, what the server does for it.
import { allDrawn, forgetAll, resizeAll } from "../charts.js";
import { makeCards } from "../cards.js";
import { languagePicker } from "../controls.js";
import { button, h } from "../dom.js";
import { currentLanguage, t } from "../i18n.js";
import { registerBasemap } from "../map.js";
import { originOf, spoken } from "../names.js";
import { START, createStore } from "../store.js";
import { preferredTheme, prefersStill } from "../theme.js";
import { draftOfRun, draftOfScenario, editsOf, isMoved, jobOf, moveOf } from "./draft.js";
import { makeDrawer } from "./drawer.js";
import { follow, isEnded, toldOf } from "./jobs.js";
import { runsRoom, sourcesRoom, tablesRoom } from "./lists.js";
import { crossingsRoom } from "./crossings.js";
import { energyRoom } from "./energy.js";
import { futuresRoom } from "./futures.js";
import { moneyRoom } from "./money.js";
import { changesOf, laidOver, makeLive } from "./live.js";
import { compareRoom, corridorsRoom, mapRoom } from "./rooms.js";
import { routesRoom } from "./routes.js";
import { query } from "./server.js";
import { tradeRoom } from "./trading.js";

const VIEWS = ["map", "routes", "crossings", "energy", "trade", "money", "futures", "corridors", "compare", "tables", "sources", "runs"];
const POLL_MS = 4000;
const NARROW = "(max-width: 1000px)";

export function mountApp(root, { server, session, kase: first, basemap, licences, runs, trash, jobs, asked }) {
  let kase = first;
  registerBasemap(basemap);
  const client = crypto.randomUUID();
  const desk = createStore({
    session,
    kase,
    runs,
    trash,
    jobs,
    runId: null,
    otherId: asked.against,
    doc: null,
    against: null,
    comparison: null,
    draft: draftOfScenario(kase, kase.headline_scenario),
    base: null,
    values: null,
    job: null,
    route: asked.route,
    answer: null,
    quotes: null,
    view: VIEWS.includes(asked.view) ? asked.view : "map",
  });
  const store = createStore({
    year: kase.base_year,
    theme: asked.theme ?? preferredTheme(),
    still: prefersStill(),
    ...START,
    live: null,
    liveSaid: null,
    liveMap: "change",
  });
  const ui = { room: null, drawer: null, map: null, views: [], mapAt: null };
  const runOf = (id) => desk.get().runs.find((row) => row.run_id === id) ?? null;
  const run = () => runOf(desk.get().runId);
  const moveBody = () => {
    const { draft, base } = desk.get();
    return moveOf(kase, draft, { year: store.get().year, client, run: run(), base });
  };

  const live = makeLive({
    server,
    body: () => {
      const body = desk.get().doc ? moveBody() : null;
      return body && isMoved(body) ? body : null;
    },
    onwait: (isWaiting) => {
      document.body.dataset.liveWaiting = String(isWaiting);
      if (isWaiting && !store.get().live && !store.get().liveSaid) store.set({ liveSaid: { text: t("live.waiting") } });
    },
    onrefusal: (refusal) => store.set({ live: null, liveSaid: { text: refusal.message, isProblem: true } }),
    onanswer: (answer, about) => {
      store.set({ live: answer, liveSaid: null });
      if (!answer) return;
      ui.map?.flush();
      requestAnimationFrame(() => {
        const end = performance.now();
        if (about.began !== null) performance.measure("karvan-live", { start: about.began, end });
        document.body.dataset.liveMs = String(Math.round(10 * (end - about.began)) / 10);
        document.body.dataset.liveCount = String(Number(document.body.dataset.liveCount ?? 0) + 1);
      });
    },
  });

  // Values are asked for where measures, growth or the year differ, so that sliders start where the year stands.
  let valuesOf = null;
  async function askValues() {
    if (!server.mayChange()) return;
    const body = { ...moveBody(), set: [], demand_factor: {} };
    const key = JSON.stringify(body);
    if (key === valuesOf) return;
    valuesOf = key;
    try {
      const found = await server.ask("/api/values", { method: "POST", body });
      if (key !== valuesOf) return;
      desk.set({ values: found.values });
      ui.drawer?.drawYear();
    } catch {
      valuesOf = null; // the sliders then start at the values of the tables
    }
  }

  const app = {
    client,
    server,
    desk,
    store,
    say(text) {
      announcer.textContent = text;
    },
    edit(draft, at) {
      desk.set({ draft });
      const { doc } = desk.get();
      if (doc?.years.includes(store.get().year) && server.mayChange()) live.moved(at ?? performance.now());
      ui.drawer.draw(); // while the server reckons
      askValues();
    },
    back() {
      desk.set({ draft: desk.get().base ?? draftOfScenario(kase, kase.headline_scenario) });
      store.set({ live: null, liveSaid: null });
      ui.drawer.regroup();
      ui.drawer.draw();
      live.moved();
      askValues();
      app.say(t("drawer.is_back"));
    },
    async startRun() {
      const body = jobOf(kase, desk.get().draft, { year: store.get().year, name: ui.drawer.name() });
      try {
        const job = await server.ask("/api/jobs", { method: "POST", body });
        ui.drawer.clearName();
        watch(job);
      } catch (refusal) {
        const { problems } = refusal;
        desk.set({ job: { job_id: null, state: "failed", ended_at: "now", problems, progress: { share: 0, step: "" } } });
        ui.drawer.drawJob();
      }
    },
    async cancel() {
      const { job } = desk.get();
      try {
        if (job && !isEnded(job)) await server.ask(`/api/jobs/${job.job_id}`, { method: "DELETE" });
      } catch (refusal) {
        app.say(refusal.message);
      }
    },
    async openRun(id, { view = desk.get().view, isForced = false } = {}) {
      if (id !== desk.get().runId || isForced) await load(id);
      go(view);
    },
    async compareWith(id, { view = desk.get().view } = {}) {
      desk.set({ otherId: id });
      await loadOther();
      go(view);
    },
    refresh: () => refresh(),
    refreshJobs: () => refreshJobs(),
    go: (view, more) => go(view, more),
    sheet(isOpen) {
      if (!matchMedia(NARROW).matches) return;
      if (document.body.classList.contains("has-sheet") === isOpen) return;
      document.body.classList.toggle("has-sheet", isOpen);
      room.inert = isOpen;
      if (isOpen) ui.drawer.focus();
      else header.querySelector("#open-drawer").focus();
      header.querySelector("#open-drawer").setAttribute("aria-expanded", String(isOpen));
    },
    showElement: () => {},
  };

  function watch(job) {
    desk.set({ job });
    ui.drawer.drawJob();
    drawState();
    const take = async (now) => {
      const isOurs = desk.get().job?.job_id === now.job_id;
      const was = desk.get().job;
      if (!isOurs || (isEnded(was) && was.state === now.state)) return;
      desk.set({ job: now });
      ui.drawer.drawJob();
      drawState();
      if (!isEnded(now)) return;
      app.say(toldOf(now));
      await refresh();
      if (now.state === "done") {
        await app.openRun(now.run_id, { view: desk.get().view === "runs" ? "runs" : "map", isForced: true });
        if (desk.get().view === "map") document.getElementById("main").focus({ preventScroll: true });
      }
    };
    if (isEnded(job)) {
      desk.set({ job: { ...job, ended_at: null } });
      take(job);
    } else follow(server, job.job_id, take);
  }

  async function refresh() {
    try {
      const [found, gone] = await Promise.all([server.ask("/api/runs"), server.ask("/api/trash")]);
      desk.set({ runs: found.runs, trash: gone.runs });
      drawPicker();
      ui.room?.drawRuns?.();
    } catch {
      return; // the bar says that the server cannot be reached
    }
    await refreshJobs();
  }

  async function refreshJobs() {
    try {
      const found = await server.ask("/api/jobs");
      const before = desk.get().jobs;
      desk.set({ jobs: found.jobs });
      ui.room?.drawJobs?.();
      drawState();
      const done = (all) => all.filter((job) => job.state === "done").length;
      if (done(found.jobs) !== done(before)) {
        const { runs: now } = await server.ask("/api/runs"); // made in another browser
        desk.set({ runs: now });
        drawPicker();
        ui.room?.drawRuns?.();
      }
    } catch {
      // said by the bar
    }
  }

  async function load(id) {
    busy(true);
    try {
      const doc = await server.ask(`/api/runs/${id}/screen`);
      const own = runOf(id);
      const base = draftOfRun(kase, own);
      const { year } = store.get();
      desk.set({ runId: id, doc, base, draft: base, otherId: desk.get().otherId === id ? null : desk.get().otherId, problem: null });
      store.set({
        live: null,
        liveSaid: null,
        year: desk.get().isOpened && doc.years.includes(year) ? year : doc.focus_year,
        journeys: null,
      });
      desk.set({ isOpened: true });
      await loadOther();
    } catch (refusal) {
      desk.set({ problem: refusal.message, doc: null, runId: id });
    }
    busy(false);
    drawPicker();
    if (ui.drawer) {
      ui.drawer.regroup();
      ui.drawer.order(desk.get().doc);
      ui.drawer.draw();
    }
    valuesOf = null;
    askValues();
  }

  async function loadOther() {
    const { runId, otherId } = desk.get();
    desk.set({ against: null, comparison: null });
    if (!otherId || otherId === runId || !runOf(otherId)) return;
    try {
      const [against, comparison] = await Promise.all([
        server.ask(`/api/runs/${otherId}/screen`),
        server.ask(`/api/runs/${runId}/screen/against/${otherId}`),
      ]);
      desk.set({ against, comparison });
    } catch (refusal) {
      app.say(refusal.message);
    }
  }

  // What stands in the address, so that a page can be opened again, or by somebody else.
  function address(view) {
    const { runId, otherId, route } = desk.get();
    const lang = currentLanguage() === "en" ? null : currentLanguage();
    const own = view === "routes" ? route : {};
    return `?${query({ view: view === "map" ? null : view, run: runId, against: otherId, lang, ...own })}${location.hash}`;
  }

  // `isKept`: the room stays as it stands, only the address is new.
  function go(view, { isBack = false, isKept = false } = {}) {
    const isOther = desk.get().view !== view;
    desk.set({ view });
    if (!isBack) history[isOther ? "pushState" : "replaceState"]({ view }, "", address(view));
    if (isKept) return;
    app.sheet(false);
    show();
    if (isOther) {
      scrollTo(0, 0);
      room.focus({ preventScroll: true });
    }
  }

  const header = h("header", { class: "topbar app-topbar no-print" });
  const banner = h("div", { class: "banner", role: "alert", hidden: true });
  const announcer = h("p", { class: "visually-hidden", "aria-live": "polite" });
  const side = h("div", { class: "app-side" });
  const room = h("main", { id: "main", class: "app-main", tabindex: "-1" });
  const body = h("div", { class: "app-body" }, side, room);
  const picker = h("select", { id: "run-picker", onchange: (event) => app.openRun(event.target.value) });
  const state = button("", () => go("runs"), { class: "job-chip", hidden: true });
  const theme = button("", () => store.set({ theme: store.get().theme === "light" ? "dark" : "light" }), { id: "theme" });
  const motion = button("", () => store.set({ still: !store.get().still }), { id: "motion" });

  function drawPicker() {
    const { runs: all, runId } = desk.get();
    picker.replaceChildren(...all.map((row) => h("option", { value: row.run_id, selected: row.run_id === runId }, row.name)));
    picker.parentElement.hidden = !all.length;
  }

  function drawState() {
    const on = desk.get().jobs.filter((job) => !isEnded(job));
    const { job } = desk.get();
    if (job && !isEnded(job) && !on.some((each) => each.job_id === job.job_id)) on.push(job);
    state.hidden = !on.length;
    state.textContent = t("app.jobs_on", { count: on.length });
  }

  function words() {
    const now = store.get();
    document.documentElement.dataset.theme = now.theme;
    document.documentElement.dataset.still = String(now.still);
    theme.textContent = now.theme === "light" ? t("theme.dark") : t("theme.light");
    motion.textContent = now.still ? t("motion.play") : t("motion.pause");
    motion.setAttribute("aria-pressed", String(now.still));
    remember("theme", now.theme);
  }

  function drawBanner(isLost) {
    const isReader = !isLost && !server.mayChange();
    banner.hidden = !isLost && !isReader;
    banner.classList.toggle("is-lost", isLost);
    banner.replaceChildren(h("span", {}, t(isLost ? "app.lost" : "app.reader")), isLost ? button(t("app.retry"), () => server.look()) : "");
  }

  function busy(isBusy) {
    room.setAttribute("aria-busy", String(isBusy));
    document.body.classList.toggle("is-loading", isBusy);
    if (isBusy) app.say(t("app.loading"));
  }

  // What the server told, in the language that is chosen.
  function retell() {
    const { names } = originOf(kase);
    const again = (held) => held && spoken(originOf(held), names);
    const keys = ["kase", "doc", "against", "comparison", "answer", "runs", "trash", "jobs"];
    desk.set(Object.fromEntries(keys.map((key) => [key, again(desk.get()[key])])));
    ({ kase } = desk.get());
  }

  // Bar and drawer, in the language that is chosen.
  function dress() {
    const languages = languagePicker((code) => {
      remember("language", code);
      retell();
      dress();
      go(desk.get().view);
    });
    const link = (view) =>
      h(
        "a",
        {
          href: address(view),
          "data-view": view,
          onclick: (event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            go(view);
          },
        },
        t(`app.nav_${view}`),
      );
    header.replaceChildren(
      h(
        "a",
        {
          href: "#main",
          class: "skip",
          onclick: (event) => {
            event.preventDefault();
            room.focus();
          },
        },
        t("skip"),
      ),
      h("strong", { class: "brand" }, "Karvan"),
      button(t("drawer.open"), () => app.sheet(true), {
        id: "open-drawer",
        class: "sheet-only",
        "aria-expanded": "false",
        "aria-controls": "drawer",
      }),
      h("nav", { "aria-label": t("app.nav") }, VIEWS.map(link)),
      h(
        "div",
        { class: "tools" },
        state,
        h("label", { class: "field run-choice" }, h("span", { class: "soft" }, t("app.run")), picker),
        languages,
        motion,
        theme,
      ),
    );
    ui.drawer = makeDrawer(app);
    ui.drawer.order(desk.get().doc);
    side.replaceChildren(ui.drawer.element);
    drawPicker();
    drawState();
    drawBanner(server.isLost());
  }

  function welcome() {
    const start = button(
      t("welcome.run"),
      () => {
        desk.set({ draft: draftOfScenario(kase, kase.headline_scenario) });
        ui.drawer.draw();
        app.startRun();
      },
      { class: "primary", id: "first-run" },
    );
    start.disabled = !server.mayChange();
    const title = kase.scenarios.find((row) => row.scenario_id === kase.headline_scenario)?.title;
    return h(
      "div",
      { class: "room" },
      h(
        "section",
        { class: "card welcome", "aria-labelledby": "welcome-title" },
        h("h1", { id: "welcome-title" }, t("welcome.title", { corridor: kase.title })),
        h("p", { class: "lead" }, t("welcome.what")),
        h("p", {}, t("welcome.first", { scenario: title, first_year: kase.years.first, last_year: kase.years.last })),
        h("div", { class: "tools" }, start),
        h("p", { class: "soft small" }, t("welcome.else")),
      ),
    );
  }

  function failed(problem) {
    return h(
      "div",
      { class: "room" },
      h(
        "section",
        { class: "card welcome" },
        h("h1", {}, t("app.failed")),
        h("p", { role: "alert" }, problem),
        h(
          "div",
          { class: "tools" },
          button(t("app.retry"), () => app.openRun(desk.get().runId, { isForced: true })),
          button(t("app.nav_runs"), () => go("runs")),
        ),
      ),
    );
  }

  function show() {
    const { view, doc, problem, against, comparison } = desk.get();
    if (ui.map && ui.isMapRoom) ui.mapAt = { run: ui.mapRun, at: ui.map.where() };
    forgetAll();
    store.clear();
    ui.map = null;
    ui.room = null;
    document.body.dataset.ready = "0";
    document.body.dataset.view = view;
    for (const each of header.querySelectorAll("nav a")) {
      if (each.dataset.view === view) each.setAttribute("aria-current", "page");
      else each.removeAttribute("aria-current");
      each.href = address(each.dataset.view);
    }
    const own = run();
    let context = null;
    if (doc && own) {
      const detail = h("div", { class: "detail-place", hidden: true, "aria-live": "polite" });
      let laid = { answer: null, doc };
      const shown = () => {
        const { live: answer } = store.get();
        if (answer && laid.answer !== answer) laid = { answer, doc: laidOver(doc, answer) };
        return answer ? laid.doc : doc;
      };
      context = { doc, against, comparison, licences, store, detail, map: null, shown, changes: changesOf };
      context.cards = makeCards(context, detail);
    }
    const make = {
      map: () =>
        context ? mapRoom(app, context, own) : problem ? { element: failed(problem), views: [] } : { element: welcome(), views: [] },
      routes: () => routesRoom(app, context, own),
      crossings: () => crossingsRoom(app, context, own),
      energy: () => energyRoom(app, context, own),
      trade: () => tradeRoom(app, context, own),
      money: () => moneyRoom(app, context, own),
      futures: () => futuresRoom(app),
      corridors: () => (context ? corridorsRoom(app, context, own) : { element: welcome(), views: [] }),
      compare: () => (context ? compareRoom(app, context, own) : { element: welcome(), views: [] }),
      tables: () => (own ? tablesRoom(app, own) : { element: welcome(), views: [] }),
      sources: () => sourcesRoom(app, context),
      runs: () => runsRoom(app),
    };
    ui.room = make[view]();
    room.replaceChildren(ui.room.element);
    document.title = `${t(`app.nav_${view}`)} – ${own?.name ?? kase.title} – Karvan`;
    for (const each of ui.room.views) each.draw(null);
    ui.map = context?.map ?? null;
    ui.isMapRoom = view === "map" && Boolean(ui.map);
    ui.mapRun = desk.get().runId;
    if (ui.isMapRoom && ui.mapAt) ui.map.show(ui.mapAt.at);
    words();
    store.follow((now, changed) => {
      if (changed.includes("theme") || changed.includes("still")) words();
      for (const each of ui.room.views) if (each.keys.some((key) => changed.includes(key))) each.draw(changed);
      if (changed.includes("year")) {
        ui.drawer.drawYear();
        askValues();
        const { draft, base } = desk.get();
        if (base && editsOf(draft, base) && doc) {
          if (store.get().live) store.set({ live: null });
          live.moved();
        }
      }
    });
    allDrawn().then(() => {
      window.karvan = { store, desk, map: context?.map ?? null, doc };
      document.body.dataset.ready = !context?.map || context.map.isDrawn() ? "1" : "0";
    });
  }

  root.replaceChildren(header, banner, body, announcer);
  dress();
  server.follow((isLost) => {
    drawBanner(isLost);
    if (!isLost) refresh();
  });
  addEventListener("popstate", (event) =>
    go(event.state?.view ?? new URLSearchParams(location.search).get("view") ?? "map", { isBack: true }),
  );
  addEventListener("resize", () => {
    resizeAll();
    if (!matchMedia(NARROW).matches && document.body.classList.contains("has-sheet")) {
      document.body.classList.remove("has-sheet");
      room.inert = false;
    }
  });
  setInterval(() => document.visibilityState === "visible" && !server.isLost() && refreshJobs(), POLL_MS);

  const opened = runOf(asked.run)?.run_id ?? runs[0]?.run_id;
  const begin = async () => {
    if (opened) await load(opened);
    go(desk.get().view);
    const on = jobs.find((job) => !isEnded(job));
    if (on) watch(on);
  };
  return begin();
}

function remember(name, value) {
  try {
    localStorage.setItem(`karvan-${name}`, value);
  } catch {
    // a browser that keeps nothing starts as it always does
  }
}
