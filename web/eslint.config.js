// What is checked beyond types: hooks, accessibility, and the direction of imports: domain, ui, api, run, panels, pages.
import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules", "src/api/schema.ts", "test-results", "playwright-report"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  a11y.flatConfigs.recommended,
  hooks.configs.flat.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ["src/**/*.{ts,tsx}"],
    rules: {
      "max-lines": ["error", { max: 250 }],
      // A scrolling region must be reachable by keyboard.
      "jsx-a11y/no-noninteractive-tabindex": ["error", { roles: ["group"] }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "Tokens can hold any text: render them as text, never as HTML.",
        },
      ],
    },
  },
  // The rooms, from the bottom up. Each knows those before it and none after.
  ...["domain", "ui", "api", "run", "panels"].map((room, index, rooms) => ({
    files: [`src/${room}/**/*.{ts,tsx}`],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: [...rooms.slice(index + 1), "pages"].map((above) => `**/${above}/**`),
              // The wire types are data: what is pure may speak of them.
              ...(room === "domain" ? { allowTypeImports: true } : {}),
              message: `${room} does not know the rooms above it: domain, ui, api, run, panels, pages.`,
            },
            ...(room === "domain"
              ? [{ group: ["react", "@tanstack/*", "radix-ui"], message: "domain is pure: no React, no requests." }]
              : []),
          ],
        },
      ],
    },
  })),
);
