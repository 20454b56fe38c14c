// What figures of an answer need beside the context they stand in: names of files, and what a saved picture says below it.
import { t } from "./i18n.js";

// `name` tells answers apart in names of files; `year` is the year or the years that the answer is about.
export function ofAnswer(context, found, { name, year }) {
  return {
    ...context,
    fileName: (id) => `karvan-${found.corridor}-${name}-${id}`,
    notes: (source) => [
      t("picture.energy", { year, scenario: found.scenario_title }),
      source,
      t("picture.case", { version: found.version, corridor: found.corridor_title, edition: found.edition, hash: found.corridor_hash.slice(0, 12) }),
    ],
  };
}
