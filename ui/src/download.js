// Files for the reader: tables as CSV, charts as SVG and PNG with title, scenario, range, source and run id in the picture.
import { t } from "./i18n.js";

export function saveBlob(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const cell = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

// Raw values, not the rounded ones that are shown; a byte order mark for spreadsheets.
export function saveCsv(name, columns, rows) {
  const lines = [
    columns.map((column) => cell(column.field ?? column.key)),
    ...rows.map((row) => columns.map((column) => cell(row[column.key]))),
  ];
  saveBlob(name, new Blob([`\ufeff${lines.map((line) => line.join(",")).join("\r\n")}\r\n`], { type: "text/csv;charset=utf-8" }));
}

export const saveJson = (name, content) => saveBlob(name, new Blob([JSON.stringify(content)], { type: "application/json" }));

const xml = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

// The page's own font, so that the picture looks the same elsewhere.
function fontFaces() {
  const faces = [];
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) if (rule instanceof CSSFontFaceRule && /url\("?data:/.test(rule.cssText)) faces.push(rule.cssText);
  }
  return faces.filter((face) => /U\+0?000-0?0FF|U\+0301|U\+0400-045F/i.test(face)).join("\n");
}

function wrapped(text, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last && `${last} ${word}`.length > most) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}

export const PICTURE = { width: 1200, height: 640 };

// A drawing of PICTURE's size framed with what it is and where it comes from.
export function framed(drawing, { title, subtitle, notes, colours }) {
  const lines = notes.flatMap((note) => wrapped(note, 165));
  const top = 92;
  const height = top + PICTURE.height + 24 + 18 * lines.length + 14;
  const text = (x, y, size, weight, fill, content) =>
    `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${xml(content)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PICTURE.width}" height="${height}" viewBox="0 0 ${PICTURE.width} ${height}" font-family="'Inter Variable', Inter, system-ui, sans-serif">`,
    `<title>${xml(title)}</title><style>${fontFaces()}</style>`,
    `<rect width="${PICTURE.width}" height="${height}" fill="${colours.paper}"/>`,
    text(28, 42, 24, 650, colours.ink, title),
    text(28, 70, 15, 400, colours.soft, subtitle),
    drawing.replace(/^<svg /, `<svg y="${top}" `),
    ...lines.map((line, index) => text(28, top + PICTURE.height + 24 + 18 * index, 12.5, 400, colours.soft, line)),
    "</svg>",
  ].join("\n");
}

export const saveSvg = (name, svg) => saveBlob(`${name}.svg`, new Blob([svg], { type: "image/svg+xml" }));

export async function savePng(name, svg) {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.naturalWidth;
    canvas.height = 2 * image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    saveBlob(`${name}.png`, blob);
  } finally {
    URL.revokeObjectURL(url);
  }
}

// Lines under every picture: scenario and range, source, run.
export function notesOf(doc, source) {
  const { run } = doc;
  const figure = doc.figures[0];
  return [
    t("picture.scenario", { scenario: [run.scenario_title, ...run.changes].join("  "), baseline: run.baseline_title }),
    t("picture.range", { year: figure.year, low_mt: figure.low, high_mt: figure.high }),
    source,
    t("picture.run", {
      version: run.version,
      run_id: run.run_id,
      corridor: run.corridor_title,
      edition: run.corridor_version,
      hash: run.corridor_hash.slice(0, 12),
    }),
  ];
}
