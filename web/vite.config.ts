import { defineConfig } from "vite";

// One entry a page. The server writes each page's HTML and finds the hashed files in the manifest (app/pages.py).
const pages = {
  graphiql: "src/graphiql/main.tsx",
};

export default defineConfig({
  logLevel: "warn",
  build: {
    manifest: true,
    target: "es2022",
    // `data:` fonts would need a hole in the pages' font-src.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Monaco is one large piece that only GraphiQL's page loads, and loads late.
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      input: pages,
      // "use client" and the like mean nothing outside a server that renders React.
      onLog: (level, log, pass) => log.code === "MODULE_LEVEL_DIRECTIVE" || pass(level, log),
    },
  },
  worker: { format: "es" },
});
