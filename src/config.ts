import { readFileSync } from "node:fs";
import { z } from "zod";
import { limitsFrom, parseLimits, type Identity, type Limits } from "./admission/limits.ts";
import { parseImageRef } from "./api/image-ref.ts";
import { schemaFaults, show, type SchemaFault } from "./api/schema-faults.ts";
import { parseFailPoint, type FailPoint } from "./controller/fail-point.ts";
import { deepFreeze } from "./kube/freeze.ts";
import type { LogLevel } from "./telemetry/logger.ts";

/** Everything that `modelhook serve` is told from outside. */
export interface Config {
  /** The file of the administrator's limits, which is followed while we run. */
  readonly limitsPath: string;
  /** What it said at the start. */
  readonly limits: Limits;
  readonly identity: Identity;
  /** Name of the pod, for the lease and for Events. */
  readonly instance: string;
  readonly logLevel: LogLevel;
  readonly failPoint: FailPoint | undefined;
  /** Kubeconfig to use; the pod's ServiceAccount when absent. */
  readonly kubeconfigPath: string | undefined;
  /** Address of the API server for the pod's ServiceAccount. */
  readonly inClusterServer: string | undefined;
}

/** Bad configuration: every problem, one a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

const environmentSchema = z.object({
  POD_NAMESPACE: z.string(),
  POD_NAME: z.string(),
  SERVICE_ACCOUNT: z.string().default("modelhook"),
  /** Our own image, for the containers of build pods. */
  MODELHOOK_IMAGE: z.string().refine((text) => parseImageRef(text) !== undefined, {
    error: ({ input }) => `${show(input)} must be an image: lower case registry/path:tag`,
  }),
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
  /** Crash tests only: `before:N` or `after:N` ends the process around its N-th write. */
  MODELHOOK_FAIL_POINT: z
    .string()
    .transform(parseFailPoint)
    .refine((point) => point !== undefined, { error: "must be before:N or after:N" })
    .optional(),
  KUBECONFIG: z.string().optional(),
  KUBERNETES_SERVICE_HOST: z.string().optional(),
  KUBERNETES_SERVICE_PORT: z.string().default("443"),
});

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the file of limits and the environment, of which empty variables count as absent; throws one ConfigError with every problem. */
export function loadConfig(path: string, environment: Environment = process.env): Config {
  const limits = parseLimits(readText(path));
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const problems = [
    ...problemsOf(path, limits.ok ? [] : limits.faults),
    ...problemsOf("environment", schemaFaults(environmentSchema, set)),
  ];
  if (problems.length > 0 || !limits.ok) throw new ConfigError(problems.join("\n"));
  const env = environmentSchema.parse(set);
  const identity = identityOf(env);
  return deepFreeze({
    limitsPath: path,
    limits: limitsFrom(limits.file, identity),
    identity,
    instance: env.POD_NAME,
    logLevel: env.LOG_LEVEL,
    failPoint: env.MODELHOOK_FAIL_POINT,
    kubeconfigPath: env.KUBECONFIG,
    inClusterServer: serverOf(env),
  });
}

function identityOf(env: z.output<typeof environmentSchema>): Identity {
  return {
    systemNamespace: env.POD_NAMESPACE,
    controllerUser: `system:serviceaccount:${env.POD_NAMESPACE}:${env.SERVICE_ACCOUNT}`,
    modelhookImage: env.MODELHOOK_IMAGE,
  };
}

function serverOf(env: z.output<typeof environmentSchema>): string | undefined {
  const host = env.KUBERNETES_SERVICE_HOST;
  if (host === undefined) return undefined;
  return `https://${host.includes(":") ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT}`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${path}: can not be read: ${why}`, { cause });
  }
}

function problemsOf(source: string, faults: readonly SchemaFault[]): readonly string[] {
  return faults.map(({ field, message }) =>
    [source, ...(field === "" ? [] : [field]), message].join(": "),
  );
}
