import { defineConfig } from "vite";

export default defineConfig({
  // Relative, and below the page's own path: right behind any proxy prefix.
  base: "./",
  logLevel: "warn",
  build: {
    assetsDir: "graphql/assets",
    // Nothing inlined: the Content-Security-Policy allows scripts and workers as files only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 8_000,
    license: { fileName: "licenses.md" },
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // "use client" in React packages means nothing to a page without a server renderer.
      onLog: (level, log, next) => log.code === "MODULE_LEVEL_DIRECTIVE" || next(level, log),
    },
    target: "es2022",
  },
  worker: { format: "es" },
});
