// The page of many futures, as `karvan ensemble --report` writes it.
import { futuresView } from "./futures.js";
import { t } from "./i18n.js";
import { mountAnswer } from "./single.js";

const footer = (found) =>
  t("footer.energy", {
    version: found.version,
    corridor: found.corridor,
    edition: found.edition,
    hash: found.corridor_hash.slice(0, 12),
    scenario: found.scenario_title,
  });

export async function mountFutures(root, source, { language = "en" } = {}) {
  const [answer, basemap] = await Promise.all([source.futures(), source.basemap()]);
  await mountAnswer(root, { answer, basemap, language, view: futuresView, footer });
}
