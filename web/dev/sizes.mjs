/** Measures the built shell: gzipped JavaScript of the first screen against its budget, and every chunk that loads later. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 350;
const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const kilobytes = (path) => Math.round(gzipSync(readFileSync(DIST + path)).length / 100) / 10;

const page = readFileSync(`${DIST}index.html`, "utf8");
const first = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => match[1]);
const later = readdirSync(`${DIST}assets`).map((name) => `assets/${name}`).filter((path) => path.endsWith(".js") && !first.includes(path));
const table = (paths) => Object.fromEntries(paths.map((path) => [path.replace(/-[\w-]{8}\.js$/, ""), kilobytes(path)]).sort((a, b) => b[1] - a[1]));
const total = Math.round(first.reduce((sum, path) => sum + kilobytes(path), 0) * 10) / 10;

console.log(JSON.stringify({ unit: "kB gzip", first_screen: total, budget: BUDGET_KB, first: table(first), later: table(later) }, null, 1));
process.exitCode = total < BUDGET_KB ? 0 : 1;
