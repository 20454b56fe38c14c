// State that views read and follow, and where documents come from.

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

const parsed = (id) => {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
};

// Documents that stand in the page itself.
export function inlineSource() {
  return {
    async screen() { return parsed("screen"); },
    async against() { return parsed("against"); },
    async comparison() { return parsed("comparison"); },
    async basemap() { return parsed("basemap"); },
    async licences() { return parsed("licences"); },
  };
}

// Documents that a server gives; the paths are those of the app's interface.
export function httpSource(runId, { base = "", againstId = null } = {}) {
  const json = async (path) => {
    const answer = await fetch(base + path, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };
  const run = `/api/runs/${encodeURIComponent(runId)}`;
  return {
    screen: () => json(`${run}/screen`),
    against: async () => (againstId ? json(`/api/runs/${encodeURIComponent(againstId)}/screen`) : null),
    comparison: async () => (againstId ? json(`${run}/screen/against/${encodeURIComponent(againstId)}`) : null),
    basemap: () => json("/static/basemap.json"),
    licences: async () => (await fetch(`${base}/static/LICENCES.txt`)).text(),
  };
}
