import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const backend = process.env["MUMIAN_BACKEND"] ?? "http://127.0.0.1:8151";

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // MapLibre is a chunk of its own that is loaded after the first paint.
    chunkSizeWarningLimit: 1300,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { port: 8152, proxy: { "/api": backend } },
});
