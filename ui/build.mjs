// Bundles the screen: `report` and `notebook` to be inlined into one file, `app` to be served. Output goes to the folder named as argument.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, "../src/karvan/report/static"));
const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  charset: "utf8",
  target: ["es2022"],
  legalComments: "none", // whole licence texts are shipped beside the bundle
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({ ...shared, entryPoints: { report: "src/report.js" }, format: "iife", outdir: out });
await build({ ...shared, entryPoints: { report: "src/report.css" }, loader: { ".woff2": "dataurl" }, outdir: out });
await build({ ...shared, entryPoints: { notebook: "src/notebook.js" }, format: "iife", outdir: out });
await build({ ...shared, entryPoints: { notebook: "src/notebook.css" }, outdir: out });
await build({ ...shared, entryPoints: { app: "src/app.js" }, format: "esm", outdir: out });
await build({ ...shared, entryPoints: { app: "src/app.css" }, loader: { ".woff2": "file" }, assetNames: "[name]", outdir: out });
await copyFile(path.join(here, "src/app.html"), path.join(out, "app.html"));
await copyFile(path.join(here, "../src/karvan/report/basemap.json"), path.join(out, "basemap.json"));
await writeFile(path.join(out, "LICENCES.txt"), await licences());

// The licence and notice of every package in the bundle, whole.
async function licences() {
  const parts = [];
  for (const name of ["echarts", "zrender", "tslib", "@fontsource-variable/inter"]) {
    const folder = path.join(here, "node_modules", name);
    const { version } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
    for (const file of (await readdir(folder)).filter((each) => /^(licen[cs]e|notice|copyrightnotice)/i.test(each)).sort()) {
      const isFolder = !/\./.test(file) && file.toLowerCase() === "licenses";
      if (!isFolder) parts.push(`${name} ${version}: ${file}\n\n${await readFile(path.join(folder, file), "utf8")}`);
    }
  }
  return parts.join(`\n${"=".repeat(100)}\n\n`);
}
