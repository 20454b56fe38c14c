// The app: the same views over a server's documents. The scenario drawer and live runs are put in by `bar` and by further views.
import { h } from "./dom.js";
import { setLanguage, t } from "./i18n.js";
import { mountPage } from "./page.js";
import { httpSource } from "./store.js";

const query = new URLSearchParams(location.search);
const root = document.getElementById("page");

async function start() {
  setLanguage(query.get("lang") ?? document.documentElement.lang);
  const answer = await fetch("/api/runs", { headers: { accept: "application/json" } });
  const { runs } = await answer.json();
  const chosen = query.get("run") ?? runs[0]?.run_id;
  if (!chosen) {
    root.replaceChildren(h("main", {}, h("p", { role: "status" }, t("app.no_run"))));
    return;
  }
  const nameOf = (run) => run.name ?? run.title ?? run.run_id;
  const choice = h(
    "select",
    {
      "aria-label": t("app.run"),
      onchange: (event) => {
        query.set("run", event.target.value);
        location.search = query;
      },
    },
    runs.map((run) => h("option", { value: run.run_id, selected: run.run_id === chosen }, nameOf(run))),
  );
  await mountPage(root, httpSource(chosen, { againstId: query.get("against") }), {
    language: document.documentElement.lang,
    bar: [choice],
  });
}

start();
