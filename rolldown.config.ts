import { defineConfig } from "rolldown";

/** Bundles the program for the image. Code that only some commands need stays in chunks of its own, which start faster. */
export default defineConfig({
  input: "src/main.ts",
  platform: "node",
  output: {
    dir: "dist",
    cleanDir: true,
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name]-[hash].mjs",
  },
});
