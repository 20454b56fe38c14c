// Words from catalogues, whole sentences with named values; numbers as the language writes them.
import az from "../../src/karvan/report/messages/az.json";
import de from "../../src/karvan/report/messages/de.json";
import en from "../../src/karvan/report/messages/en.json";
import kk from "../../src/karvan/report/messages/kk.json";
import ru from "../../src/karvan/report/messages/ru.json";

export const LANGUAGES = { en: "English", ru: "Русский", de: "Deutsch", kk: "Қазақша", az: "Azərbaycanca" };
const CATALOGUES = { en, ru, de, kk, az };
let language = "en";

export function setLanguage(name) {
  language = CATALOGUES[name] ? name : "en";
  document.documentElement.lang = language;
}

export const currentLanguage = () => language;

// Making a format takes far longer than using it.
const formats = new Map();
function formatted(value, digits) {
  const key = `${language} ${JSON.stringify(digits)}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language, digits));
  return formats.get(key).format(value);
}

// The sentence of a key; what a language lacks is said in English.
export function t(key, values = {}) {
  const own = CATALOGUES[language][key];
  const text = own || en[key];
  if (text === undefined) throw new Error(`no message ${key}`);
  return text.replace(/\{(\w+)(?:, plural, ((?:\s*\w+ \{[^{}]*\})+))?\}/g, (whole, name, forms) => {
    if (!(name in values)) return whole;
    return forms ? counted(forms, name, values[name], own ? language : "en") : written(name, values[name]);
  });
}

// The form of a word that follows a number: `{count, plural, one {# row} other {# rows}}`.
function counted(forms, name, value, spoken) {
  const byKind = Object.fromEntries([...forms.matchAll(/(\w+) \{([^{}]*)\}/g)].map(([, kind, form]) => [kind, form]));
  const kind = typeof value === "number" ? new Intl.PluralRules(spoken).select(value) : "other";
  return (byKind[kind] ?? byKind.other).replaceAll("#", written(name, value));
}

// What a document says by `key` and `values` of a message, each value again a text or a message.
export const said = (item) =>
  typeof item === "string" ? item : t(item.key, Object.fromEntries(Object.entries(item.values).map(([name, each]) => [name, said(each)])));

export const has = (key) => key in en;

function written(name, value) {
  if (typeof value !== "number") return value === null || value === undefined ? "–" : String(value);
  if (/year$/.test(name)) return String(value);
  if (/share$/.test(name)) return percent(value);
  if (/mt$/.test(name)) return number(value, Number.isInteger(value) ? 0 : 1);
  return amount(value);
}

// With so many decimals; a dash where there is none.
export function number(value, digits = 1) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const shown = Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value;
  return formatted(shown, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

// As many digits as a reader needs: 72,900 or 600 or 4.12.
export function amount(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 10000) return formatted(Math.round(value / 100) * 100, {});
  if (size >= 100) return formatted(Math.round(value), {});
  if (size === 0) return "0";
  return formatted(value, { maximumSignificantDigits: 3 });
}

export function percent(share, digits = 0) {
  if (share === null || share === undefined) return "–";
  return formatted(share, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function signed(value, digits = 1) {
  const text = number(Math.abs(value), digits);
  if (/^[0.,\s]+$/.test(text)) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

export const unit = (name) => (name && has(`unit.${name}`) ? t(`unit.${name}`) : name || "");
export const term = (kind, name) => (has(`${kind}.${name}`) ? t(`${kind}.${name}`) : String(name).replaceAll("_", " "));
