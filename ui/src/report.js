// The report: every view on one page, from documents that stand in the page; or the page of one answer: to a shipper, of a simulation, of
// power, of crude oil, of tariffs, of trade, of an appraisal, of a portfolio, of many futures.
import { mountCrossings } from "./crossing.js";
import { mountOil, mountPower } from "./energy.js";
import { mountFutures } from "./many.js";
import { mountAppraisal, mountPlan } from "./money.js";
import { mountPage } from "./page.js";
import { mountRoute } from "./route.js";
import { inlineSource } from "./store.js";
import { mountTariffs, mountTrade } from "./trading.js";

const MOUNTS = {
  route: mountRoute,
  crossings: mountCrossings,
  power: mountPower,
  oil: mountOil,
  tariffs: mountTariffs,
  trade: mountTrade,
  appraisal: mountAppraisal,
  plan: mountPlan,
  futures: mountFutures,
};
const own = Object.keys(MOUNTS).find((id) => document.getElementById(id));
const mount = MOUNTS[own] ?? mountPage;
mount(document.getElementById("page"), inlineSource(), { language: document.documentElement.lang });
