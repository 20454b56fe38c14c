// The pages of tariffs and of trade, as `karvan tariffs --report` and `karvan trade --report` write them.
import { t } from "./i18n.js";
import { mountAnswer } from "./single.js";
import { tariffsView } from "./tariffs.js";
import { tradeView } from "./trade.js";

const footer = (found) =>
  t("footer.energy", {
    version: found.version,
    corridor: found.corridor,
    edition: found.edition,
    hash: found.corridor_hash.slice(0, 12),
    scenario: found.scenario_title,
  });

const mounting =
  (id, view) =>
  async (root, source, { language = "en" } = {}) => {
    const [answer, basemap] = await Promise.all([source[id](), source.basemap()]);
    await mountAnswer(root, { answer, basemap, language, view, footer });
  };

export const mountTariffs = mounting("tariffs", tariffsView);
export const mountTrade = mounting("trade", tradeView);
