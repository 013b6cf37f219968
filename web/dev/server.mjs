/** A stand-in for the Python server, for work on the screens alone: `node dev/server.mjs [port] [speed]`. Development only. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answers } from "./answers.mjs";
import { Simulation } from "./simulation.mjs";

const port = Number(process.argv[2] ?? 8151);
const speed = Number(process.argv[3] ?? 1800);
const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const CSP = "default-src 'self'; style-src 'self'; img-src 'self' data: blob:; worker-src 'self'; frame-ancestors 'none'";
const city = new Simulation(speed);
const routes = Object.entries(answers(city)).map(([key, answer]) => {
  const [method, path] = key.split(" ");
  return { method, pattern: new RegExp(`^/api/v1${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`), answer };
});
setInterval(() => city.hour(), 3_600_000 / speed);

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
}

function events(request, response, url) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const send = (e) => response.write(`id: ${e.index}\nevent: ${e.type}\ndata: ${JSON.stringify({ subject: e.subject, time: e.time, actor: e.actor, data: e.data })}\n\n`);
  const after = request.headers["last-event-id"] ?? url.searchParams.get("after");
  if (after) city.entries.slice(Number(after) + 1).forEach(send);
  city.listeners.add(send);
  const beat = setInterval(() => response.write(": still here\n\n"), 15_000);
  request.on("close", () => {
    clearInterval(beat);
    city.listeners.delete(send);
  });
}

function file(response, path) {
  const wanted = join(DIST, normalize(path));
  const found = wanted.startsWith(DIST) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(DIST, "index.html");
  response.writeHead(200, { "Content-Type": TYPES[extname(found)] ?? "application/octet-stream", "Content-Security-Policy": CSP });
  createReadStream(found).pipe(response);
}

createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (!url.pathname.startsWith("/api/")) return file(response, url.pathname);
  if (url.pathname === "/api/v1/events") return events(request, response, url);
  for (const { method, pattern, answer } of routes) {
    const match = pattern.exec(decodeURIComponent(url.pathname));
    if (!match || method !== request.method) continue;
    const result = answer({
      params: match.groups ?? {},
      query: Object.fromEntries(url.searchParams),
      body: await body(request),
      session: /session=1/.test(request.headers.cookie ?? ""),
      ifMatch: Number((request.headers["if-match"] ?? "").replaceAll('"', "")),
      zh: (request.headers["accept-language"] ?? "").startsWith("zh"),
    });
    const { status = 200, session, ...rest } = result;
    const cookie = session === undefined ? {} : { "Set-Cookie": `session=${session ? 1 : 0}; HttpOnly; SameSite=Strict; Path=/` };
    response.writeHead(status, { "Content-Type": "application/json", ...cookie });
    return response.end(status === 204 ? "" : JSON.stringify(Array.isArray(result) ? result : rest));
  }
  response.writeHead(404, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ title: "not-found", detail: `no route ${url.pathname}` }));
}).listen(port, "127.0.0.1", () => console.log(`fixture city on http://127.0.0.1:${port}/`));
