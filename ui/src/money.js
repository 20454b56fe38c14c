// The pages of an appraisal and of a portfolio, as `karvan appraise --report` and `karvan plan --report` write them.
import { appraisalView } from "./appraisal.js";
import { planView } from "./portfolio.js";
import { mountAnswer } from "./single.js";

const mounting =
  (id, view) =>
  async (root, source, { language = "en" } = {}) => {
    const [answer, basemap] = await Promise.all([source[id](), source.basemap()]);
    await mountAnswer(root, { answer, basemap, language, view });
  };

export const mountAppraisal = mounting("appraisal", appraisalView);
export const mountPlan = mounting("plan", planView);
