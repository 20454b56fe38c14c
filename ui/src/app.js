// The app: the report's views, and what is put before them, over a server's documents.
import { button, h } from "./dom.js";
import { setLanguage, t } from "./i18n.js";
import { spoken } from "./names.js";
import { routeAsked } from "./app/routes.js";
import { makeServer } from "./app/server.js";
import { mountApp } from "./app/shell.js";

const root = document.getElementById("page");
const asked = new URLSearchParams(location.search);

function kept(name) {
  try {
    return localStorage.getItem(`karvan-${name}`);
  } catch {
    return null;
  }
}

async function start() {
  setLanguage(asked.get("lang") ?? kept("language") ?? document.documentElement.lang);
  root.replaceChildren(h("main", { class: "starting" }, h("p", { role: "status" }, t("app.loading"))));
  const server = makeServer();
  try {
    const session = await server.greet();
    const [kase, { runs }, trash, { jobs }, basemap, licences] = await Promise.all([
      server.ask("/api/corridor"),
      server.ask("/api/runs"),
      server.ask("/api/trash"),
      server.ask("/api/jobs"),
      server.ask("/static/basemap.json"),
      server.text("/static/LICENCES.txt"),
      ...["Karvan 10 Mt", "Қорған Əğ", "Карван"].map((sample) => document.fonts.load("500 13px 'Inter Variable'", sample)),
    ]);
    server.call(kase.names);
    const told = (found) => spoken(found, kase.names); // asked for before the names were there
    await mountApp(root, {
      server,
      session,
      kase,
      basemap,
      licences,
      runs: told(runs),
      trash: told(trash.runs),
      jobs: told(jobs),
      asked: { run: asked.get("run"), against: asked.get("against"), view: asked.get("view"), route: routeAsked(asked), theme: kept("theme") },
    });
  } catch (error) {
    server.unfollow();
    root.replaceChildren(
      h(
        "main",
        { class: "starting" },
        h("h1", {}, t("app.failed")),
        h("p", { role: "alert" }, error.message),
        button(t("app.retry"), start),
      ),
    );
    document.body.dataset.ready = "failed";
    if (error.problems === undefined) throw error; // not the server's word but a fault of the page
  }
}

start();
