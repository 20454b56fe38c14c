// The pages of power and of crude oil, as `karvan power --report` and `karvan oil --report` write them.
import { oilView } from "./crude.js";
import { powerView } from "./power.js";
import { mountAnswer } from "./single.js";

const mounting =
  (id, view) =>
  async (root, source, { language = "en" } = {}) => {
    const [answer, basemap] = await Promise.all([source[id](), source.basemap()]);
    await mountAnswer(root, { answer, basemap, language, view });
  };

export const mountPower = mounting("power", powerView);
export const mountOil = mounting("oil", oilView);
