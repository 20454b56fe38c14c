// What a planner has in hand: a scenario, measures ticked, growth, years and values moved; and how it differs from the run that is looked at.

const measuresOf = (kase, scenario) =>
  kase.scenarios.find((row) => row.scenario_id === scenario)?.measures.map((row) => row.measure_id) ?? [];

export function draftOfScenario(kase, scenario) {
  return {
    scenario,
    growth: kase.growth[0],
    capacities: "nominal",
    years: { ...kase.years },
    ticked: measuresOf(kase, scenario),
    kept: [], // values that the run itself was given, as `set` takes them
    moved: {},
    demand: 1,
  };
}

export function draftOfRun(kase, run) {
  const draft = draftOfScenario(kase, run.scenario);
  const options = run.options ?? { with: [], without: [], set: [], growth: draft.growth };
  const known = new Set(kase.measures.map((row) => row.measure_id));
  const without = new Set(options.without);
  const ticked = [...draft.ticked, ...options.with.filter((id) => known.has(id))].filter((id) => !without.has(id));
  return {
    ...draft,
    growth: options.growth,
    capacities: options.capacities ?? draft.capacities,
    years: { ...run.years },
    ticked: [...new Set(ticked)],
    kept: [...options.set],
    lost: options.with.filter((id) => !known.has(id)), // measures that the run made of moved values; a new run does not repeat them
  };
}

// Changes the scenario: its measures are ticked, what was moved stays.
export const withScenario = (kase, draft, scenario) => ({ ...draft, scenario, ticked: measuresOf(kase, scenario) });

// Ticks or unticks a measure with those that it needs, without those that cannot stand beside it; says which.
export function toggled(kase, draft, id) {
  const cards = Object.fromEntries(kase.measures.map((row) => [row.measure_id, row]));
  const ticked = new Set(draft.ticked);
  const also = [];
  const instead = [];
  const put = (each) => {
    if (ticked.has(each)) return;
    ticked.add(each);
    if (each !== id) also.push(each);
    for (const needed of cards[each]?.requires ?? []) put(needed);
    for (const other of ticked)
      if (other !== each && (cards[each]?.excludes.includes(other) || cards[other]?.excludes.includes(each))) take(other);
  };
  const take = (each) => {
    if (!ticked.delete(each)) return;
    if (each !== id) instead.push(each);
    for (const other of [...ticked]) if (cards[other]?.requires.includes(each)) take(other);
  };
  if (ticked.has(id)) take(id);
  else put(id);
  return { draft: { ...draft, ticked: [...ticked] }, also, instead };
}

function apart(ours, theirs) {
  const [a, b] = [new Set(ours), new Set(theirs)];
  return { with: ours.filter((id) => !b.has(id)), without: theirs.filter((id) => !a.has(id)) };
}

const assignments = (draft, kase, isInRun) =>
  Object.entries(draft.moved)
    .filter(([ref]) => (kase.assumptions.find((row) => row.ref === ref)?.live === "in_a_run") === isInRun)
    .map(([ref, value]) => `${ref}=${value}`);

// How many things differ from the base: each measure, each value, scenario, growth.
export function editsOf(draft, base) {
  const { with: put, without: taken } = apart(draft.ticked, base.ticked);
  const own = ["scenario", "growth", "capacities", "demand"].filter((key) => draft[key] !== base[key]).length;
  const measures = draft.scenario === base.scenario ? put.length + taken.length : 0;
  return own + measures + Object.keys(draft.moved).length;
}

// The body of a job; what was moved for a year holds from that year on.
export function jobOf(kase, draft, { year, name }) {
  const body = {
    name,
    scenario: draft.scenario,
    ...apart(draft.ticked, measuresOf(kase, draft.scenario)),
    set: [...draft.kept, ...assignments(draft, kase, true)],
    growth: draft.growth,
    capacities: draft.capacities,
    years: draft.years,
  };
  const set = assignments(draft, kase, false);
  if (set.length || draft.demand !== 1)
    body.moved = { from_year: year, set, demand_factor: draft.demand === 1 ? {} : { any: draft.demand } };
  return body;
}

// The body of a move of one year: beside the run where its scenario and growth are unchanged, else beside the scenario as it stands.
export function moveOf(kase, draft, { year, client, run, base }) {
  const isOfRun = Boolean(run?.is_of_this_case && base && draft.scenario === base.scenario && draft.growth === base.growth);
  const body = {
    client,
    year,
    set: assignments(draft, kase, false),
    demand_factor: draft.demand === 1 ? {} : { any: draft.demand },
    ...apart(draft.ticked, isOfRun ? base.ticked : measuresOf(kase, draft.scenario)),
  };
  return isOfRun ? { ...body, run_id: run.run_id } : { ...body, scenario: draft.scenario, growth: draft.growth };
}

export const isMoved = (body) =>
  body.set.length > 0 || body.with.length > 0 || body.without.length > 0 || Object.keys(body.demand_factor).length > 0;
