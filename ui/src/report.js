// The report: every view on one page, from documents that stand in the page.
import { mountPage } from "./page.js";
import { inlineSource } from "./store.js";

mountPage(document.getElementById("page"), inlineSource(), { language: document.documentElement.lang });
