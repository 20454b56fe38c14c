// The page of many futures, as `karvan ensemble --report` writes it.
import { futuresView } from "./futures.js";
import { mountAnswer } from "./single.js";

export async function mountFutures(root, source, { language = "en" } = {}) {
  const [answer, basemap] = await Promise.all([source.futures(), source.basemap()]);
  await mountAnswer(root, { answer, basemap, language, view: futuresView });
}
