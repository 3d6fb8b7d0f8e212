// Measures the page; a run of its own, because what else the machine does decides the figures.
import { defineConfig } from "@playwright/test";
import base, { server } from "./playwright.config";

export default defineConfig({ ...base, testMatch: "*.bench.ts", workers: 1, webServer: server(0) });
