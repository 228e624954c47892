/**
 * Which area of `src/` may import which: the one table behind the lint rule, its canary test and the map in the README.
 * An area imports its own folder always. Levels only point down, so there is no ring.
 */
export interface Area {
  readonly name: string;
  /** Pure areas take plain JSON and give plain JSON: no I/O, no clock, no process. */
  readonly pure: boolean;
  /** Other areas it may import; `area/file.ts` allows that file only. */
  readonly imports: readonly string[];
  /** Packages and Node modules it may import. */
  readonly packages: readonly string[];
}

export const AREAS: readonly Area[] = [
  {
    name: "api",
    pure: true,
    imports: [],
    packages: ["zod", "yaml", "@kubernetes/client-node", "node:crypto"],
  },
  { name: "telemetry", pure: false, imports: [], packages: ["pino", "prom-client", "node:*"] },
  { name: "storage", pure: true, imports: ["api"], packages: [] },
  { name: "jobs", pure: true, imports: ["api"], packages: [] },
  { name: "builder", pure: true, imports: ["api", "storage"], packages: [] },
  { name: "inject", pure: true, imports: ["api", "jobs"], packages: ["yaml"] },
  {
    name: "admission",
    pure: true,
    imports: ["api", "inject", "jobs", "storage"],
    packages: ["zod", "yaml"],
  },
  {
    name: "reconcile",
    pure: true,
    imports: ["api", "builder/builder.ts", "builder/preflight.ts", "inject", "jobs", "storage"],
    packages: [],
  },
  {
    name: "kube",
    pure: false,
    imports: ["api", "telemetry"],
    packages: ["@kubernetes/client-node", "undici", "node:*"],
  },
  { name: "oci", pure: false, imports: ["api", "telemetry"], packages: ["undici", "node:*"] },
  {
    name: "tls",
    pure: false,
    imports: ["kube", "telemetry"],
    packages: ["selfsigned", "node:*"],
  },
  {
    name: "gather",
    pure: false,
    imports: ["api", "admission", "inject", "reconcile", "jobs", "storage", "kube", "telemetry"],
    packages: ["node:*"],
  },
  {
    name: "webhook",
    pure: false,
    imports: ["api", "admission", "gather", "jobs", "kube", "tls", "telemetry"],
    packages: ["express", "node:*"],
  },
  {
    name: "controller",
    pure: false,
    imports: [
      "api",
      "admission/limits.ts",
      "builder/builder.ts",
      "reconcile",
      "gather",
      "jobs",
      "kube",
      "telemetry",
    ],
    packages: ["node:*"],
  },
  {
    name: "cli",
    pure: false,
    imports: [
      "api",
      "admission",
      "inject",
      "jobs",
      "gather",
      "webhook/shape.ts",
      "kube",
      "oci",
      "telemetry",
    ],
    packages: ["commander", "diff", "fast-json-patch", "yaml", "node:*"],
  },
];
