// The app: the same views over a server's documents. The scenario drawer and live runs are put in by `bar` and by further views.
import { h } from "./dom.js";
import { mountPage } from "./page.js";
import { httpSource } from "./store.js";

const query = new URLSearchParams(location.search);
const root = document.getElementById("page");

async function start() {
  const answer = await fetch("/api/runs", { headers: { accept: "application/json" } });
  const { runs } = await answer.json();
  const chosen = query.get("run") ?? runs[0]?.run_id;
  if (!chosen) {
    root.replaceChildren(h("p", { role: "status" }, "No run yet."));
    return;
  }
  const choice = h("select", { "aria-label": "Run", onchange: (event) => { query.set("run", event.target.value); location.search = query; } }, runs.map((run) => h("option", { value: run.run_id, selected: run.run_id === chosen }, run.title ?? run.run_id)));
  await mountPage(root, httpSource(chosen, { againstId: query.get("against") }), { language: query.get("lang") ?? "en", bar: [choice] });
}

start();
