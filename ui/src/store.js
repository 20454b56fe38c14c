// State that views read and follow, and where documents come from.

/** How every view stands at first, in the report and in the app. */
export const START = {
  colourBy: "mode",
  goods: "all",
  scope: "corridor",
  preset: "corridor",
  ladder: "year",
  measure: "time_d",
  journeys: null,
  compare: "two",
  shipment: 0,
  way: 0,
  selected: null,
  paper: false,
};

export function createStore(initial) {
  let state = initial;
  const followers = new Set();
  return {
    get: () => state,
    set(change) {
      const before = state;
      state = { ...state, ...change };
      const changed = Object.keys(change).filter((key) => before[key] !== state[key]);
      if (changed.length) for (const follow of [...followers]) follow(state, changed);
    },
    follow(callback) {
      followers.add(callback);
      return () => followers.delete(callback);
    },
    clear: () => followers.clear(),
  };
}

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

// Documents that stand in the page itself.
export function inlineSource() {
  return {
    screen: () => unpacked("screen"),
    route: () => unpacked("route"),
    crossings: () => unpacked("crossings"),
    power: () => unpacked("power"),
    oil: () => unpacked("oil"),
    tariffs: () => unpacked("tariffs"),
    trade: () => unpacked("trade"),
    appraisal: () => unpacked("appraisal"),
    plan: () => unpacked("plan"),
    futures: () => unpacked("futures"),
    against: () => unpacked("against"),
    comparison: () => unpacked("comparison"),
    basemap: () => unpacked("basemap"),
    licences: () => unpacked("licences"),
  };
}
