// Talks to the server: the token of the launch, failures in the server's own words, and whether it can be reached.
import { currentLanguage, has, t } from "../i18n.js";
import { spoken } from "../names.js";

const RETRY_MS = 2000;

// A problem in the language that is spoken; one that has no message in the catalogues is told as it came.
export function saidOf({ key, values, message }) {
  if (key && has(`error.${key}`)) return t(`error.${key}`, values);
  return currentLanguage() === "en" ? message : t("error.in_english", { message });
}

export class Refusal extends Error {
  constructor(status, problems) {
    super(problems.map(saidOf).join(" "));
    this.status = status;
    this.problems = problems;
  }
}

export function makeServer() {
  let session = null;
  let names = {};
  let isLost = false;
  let timer = null;
  const followers = new Set();

  function lost(now) {
    if (now === isLost) return;
    isLost = now;
    for (const tell of followers) tell(isLost);
    clearInterval(timer);
    if (isLost) timer = setInterval(() => greet().catch(() => {}), RETRY_MS);
  }

  async function fetched(path, options = {}) {
    let answer;
    try {
      answer = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      lost(true);
      throw new Refusal(0, [{ key: "lost", message: t("app.lost") }]);
    }
    lost(false);
    return answer;
  }

  // `isBare`: an answer of ids and numbers, which nothing is called in.
  async function ask(path, { method = "GET", body = null, signal = null, isBare = false } = {}) {
    const headers = { accept: "application/json" };
    if (session?.token) headers["x-karvan-token"] = session.token;
    if (body !== null) headers["content-type"] = "application/json";
    const answer = await fetched(path, { method, signal, headers, body: body === null ? null : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) {
      let problems = [{ message: `${path}: ${answer.status}` }];
      try {
        problems = JSON.parse(text).problems ?? problems;
      } catch {
        // not one of the server's own answers; its number is all there is to say
      }
      throw new Refusal(answer.status, problems);
    }
    const found = JSON.parse(text);
    return isBare ? found : spoken(found, found.names ?? names);
  }

  // Who we are to the server; asked again when it was away, because it may have been started anew.
  async function greet() {
    session = await ask("/api/session");
    return session;
  }

  return {
    ask,
    greet,
    // Translations of the case, in which answers are told from then on.
    call: (found) => {
      names = found;
    },
    text: async (path) => (await fetched(path)).text(),
    mayChange: () => Boolean(session?.may_change),
    isLost: () => isLost,
    follow: (tell) => followers.add(tell),
    unfollow: () => followers.clear(),
    look: () => greet().catch(() => {}),
  };
}

export const query = (values) => {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== null && each !== undefined && each !== "") found.append(name, each);
  return found.toString();
};
