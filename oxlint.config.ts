import { defineConfig, type OxlintOverride } from "oxlint";
import { AREAS, type Area } from "./imports.ts";

/** Globals that would let a pure area see the clock, the process or the network. */
const IMPURE_GLOBALS = [
  "process",
  "globalThis",
  "fetch",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "performance",
  "crypto",
  "console",
];

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "promise", "node", "vitest"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  options: { typeAware: true },
  rules: {
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/await-thenable": "error",
    "typescript/return-await": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/no-explicit-any": "error",
    // tsc (noImplicitReturns) knows that an exhaustive switch returns; this rule does not.
    "typescript/consistent-return": "off",
    "typescript/no-non-null-assertion": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/only-throw-error": "error",
    "typescript/prefer-promise-reject-errors": "error",
    "typescript/no-unsafe-type-assertion": "off",
    "typescript/no-unnecessary-boolean-literal-compare": "off",
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "import/no-unassigned-import": "off",
    "no-await-in-loop": "off",
    "no-underscore-dangle": "off",
    "no-restricted-globals": [
      "error",
      { name: "__dirname", message: "ES modules use import.meta.dirname." },
    ],
    "max-lines": ["error", { max: 300 }],
    "oxc/no-barrel-file": "error",
    "no-restricted-properties": [
      "error",
      { object: "process", property: "env", message: "src/config.ts alone reads the environment." },
    ],
    eqeqeq: "error",
    "no-var": "error",
    "prefer-const": "error",
    "vitest/no-focused-tests": "error",
    "vitest/no-disabled-tests": "error",
    "vitest/require-mock-type-parameters": "off",
    "vitest/require-to-throw-message": "error",
  },
  overrides: [
    ...AREAS.map((area) => areaRules(area)),
    ...AREAS.filter((area) => area.pure).map((area): OxlintOverride => ({
      files: [`src/${area.name}/*.ts`],
      excludeFiles: ["**/*.test.ts", "src/api/time.ts"],
      rules: {
        "no-restricted-globals": [
          "error",
          ...[...IMPURE_GLOBALS, "Date"].map((name) => ({
            name,
            message: `${area.name} decides purely: take it as input instead (Date lives in api/time.ts).`,
          })),
        ],
      },
    })),
    {
      files: ["src/config.ts", "deploy/**", "test/**", "certs/**", "bench/**", "**/*.test.ts"],
      rules: { "no-restricted-properties": "off" },
    },
    { files: ["**/*.test.ts", "test/**"], rules: { "max-lines": "off" } },
    { files: ["*.config.ts"], rules: { "import/no-default-export": "off" } },
  ],
});

/** An allow list: every import is restricted but the area's own files and those of the table. */
function areaRules(area: Area): OxlintOverride {
  const allowed = [
    "./*.ts",
    ...area.imports.map((name) => (name.includes("/") ? `../${name}` : `../${name}/*.ts`)),
    ...area.packages.flatMap((name) => (name === "node:*" ? [name, "node:*/*"] : [name])),
  ];
  return {
    files: [`src/${area.name}/**`],
    excludeFiles: ["**/*.test.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["**", ...allowed.map((pattern) => `!${pattern}`)],
              message: `src/${area.name} may import only: ${allowed.join(", ")} (see imports.ts).`,
            },
          ],
        },
      ],
    },
  };
}
