/** Loads TypeScript modules of the shell into Node, as Vite would serve them. */
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

let server;

export async function load(path) {
  server ??= await createServer({ root: fileURLToPath(new URL("..", import.meta.url)), server: { middlewareMode: true, ws: false, watch: null }, appType: "custom", logLevel: "error" });
  return server.ssrLoadModule(path);
}

export async function unload() {
  await server?.close();
}
