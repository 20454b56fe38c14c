// The page of one simulation, as `karvan simulate --report` writes it.
import { crossingsView } from "./crossings.js";
import { t } from "./i18n.js";
import { mountAnswer } from "./single.js";

const footer = (found) =>
  t("footer.crossing", {
    version: found.version,
    corridor: found.corridor,
    edition: found.edition,
    hash: found.corridor_hash.slice(0, 12),
    scenario: found.scenario_title,
    seed: found.seed,
  });

export async function mountCrossings(root, source, { language = "en" } = {}) {
  const [answer, basemap] = await Promise.all([source.crossings(), source.basemap()]);
  await mountAnswer(root, { answer, basemap, language, view: crossingsView, footer });
}
