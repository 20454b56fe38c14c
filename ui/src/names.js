// What the case's texts are called in the language that is spoken: names of places, titles, notes. What has no translation stays English.
import { currentLanguage } from "./i18n.js";

const BETWEEN = " – "; // two names make the name of a link
const origins = new WeakMap();

// A copy of a document with every text of the case in the language that is spoken. `names`: by language and English text.
export function spoken(document, names = document.names) {
  const own = names?.[currentLanguage()];
  if (!own) return document;
  const told = (text) =>
    own[text] ??
    (text.includes(BETWEEN)
      ? text
          .split(BETWEEN)
          .map((part) => own[part] ?? part)
          .join(BETWEEN)
      : text);
  const walk = (item) => {
    if (typeof item === "string") return told(item);
    if (Array.isArray(item)) return typeof item[0] === "number" ? item : item.map(walk);
    if (item === null || typeof item !== "object") return item;
    return Object.fromEntries(Object.entries(item).map(([key, each]) => [key, key === "names" ? each : walk(each)]));
  };
  const copy = walk(document);
  if (copy !== null && typeof copy === "object") origins.set(copy, document);
  return copy;
}

// The document as it came, in English.
export const originOf = (document) => origins.get(document) ?? document;

// Every translation that several documents bring along.
export function namesOf(...documents) {
  const found = {};
  for (const { names } of documents)
    for (const [language, texts] of Object.entries(names ?? {})) found[language] = { ...found[language], ...texts };
  return found;
}
