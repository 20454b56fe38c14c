// The report: every view on one page, from documents that stand in the page; or the page of one answer to a shipper, or of one simulation.
import { mountCrossings } from "./crossing.js";
import { mountPage } from "./page.js";
import { mountRoute } from "./route.js";
import { inlineSource } from "./store.js";

const has = (id) => Boolean(document.getElementById(id));
const mount = has("route") ? mountRoute : has("crossings") ? mountCrossings : mountPage;
mount(document.getElementById("page"), inlineSource(), { language: document.documentElement.lang });
