// Writes the documentation's pictures; a separate run, so that tests never change files.
import { defineConfig } from "@playwright/test";
import base, { server } from "./playwright.config";

export default defineConfig({ ...base, testMatch: "screenshots.ts", workers: 1, webServer: server(0) });
