// Builds the page into the Python package; in development it forwards /api to a running server.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.LM_DEBUGGER_URL ?? "http://127.0.0.1:8765";

export default defineConfig({
  base: "/",
  plugins: [react()],
  css: {
    modules: { generateScopedName: (name, file) => `${file.replace(/^.*\/|\.module\.css.*$/g, "")}__${name}` },
  },
  build: {
    outDir: "../src/lm_debugger/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: server, changeOrigin: true, headers: { origin: server } } } },
  test: { include: ["src/**/*.test.{ts,tsx}", "tests/*.test.ts"], environment: "node" },
});
