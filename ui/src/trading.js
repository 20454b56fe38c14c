// The pages of tariffs and of trade, as `karvan tariffs --report` and `karvan trade --report` write them.
import { mountAnswer } from "./single.js";
import { tariffsView } from "./tariffs.js";
import { tradeView } from "./trade.js";

const mounting =
  (id, view) =>
  async (root, source, { language = "en" } = {}) => {
    const [answer, basemap] = await Promise.all([source[id](), source.basemap()]);
    await mountAnswer(root, { answer, basemap, language, view });
  };

export const mountTariffs = mounting("tariffs", tariffsView);
export const mountTrade = mounting("trade", tradeView);
