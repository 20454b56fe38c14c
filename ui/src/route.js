// The page of one answer to a shipper, as `karvan route --report` writes it.
import { t } from "./i18n.js";
import { answerView } from "./shipping.js";
import { mountAnswer } from "./single.js";

const footer = (answer) =>
  t("footer.route", {
    version: answer.version,
    corridor: answer.corridor,
    edition: answer.edition,
    hash: answer.corridor_hash.slice(0, 12),
    scenario: answer.scenario_title,
    price_year: answer.price_year,
  });

export async function mountRoute(root, source, { language = "en" } = {}) {
  const [answer, basemap] = await Promise.all([source.route(), source.basemap()]);
  await mountAnswer(root, { answer, basemap, language, view: answerView, footer });
}
