// The report: every view on one page, from documents that stand in the page; or the page of one answer to a shipper.
import { mountPage } from "./page.js";
import { mountRoute } from "./route.js";
import { inlineSource } from "./store.js";

const mount = document.getElementById("route") ? mountRoute : mountPage;
mount(document.getElementById("page"), inlineSource(), { language: document.documentElement.lang });
