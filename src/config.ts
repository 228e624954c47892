import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import type { Policy } from "./admission/policy.ts";
import { cleanAbsolute } from "./api/path.ts";
import type { BuildSettings } from "./builder/builder.ts";
import { parseFailPoint, type FailPoint } from "./controller/fail-point.ts";
import type { LogLevel } from "./telemetry/logger.ts";

/** Everything that `modelhook serve` is told from outside. */
export interface Config {
  readonly namespace: string;
  /** Name of the pod, for the lease and for Events. */
  readonly instance: string;
  readonly logLevel: LogLevel;
  readonly policy: Policy;
  readonly build: BuildSettings;
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

const quantities = z.record(z.string(), z.string());

const fileSchema = z.strictObject({
  localStorage: z
    .strictObject({
      /** Namespace, or `*` for all others, to directories on nodes. */
      allowedPrefixes: z
        .record(
          z.string(),
          z.array(
            z.string().refine((path) => (cleanAbsolute(path) ?? "/") !== "/", {
              error: 'must be an absolute directory other than /, without ".."',
            }),
          ),
        )
        .default({}),
    })
    .prefault({}),
  loader: z
    .strictObject({
      resources: z
        .strictObject({ requests: quantities.exactOptional(), limits: quantities.exactOptional() })
        .prefault({ requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "256Mi" } }),
    })
    .prefault({}),
  build: z.strictObject({
    kanikoImage: z.string().min(1),
    baseImage: z.string().min(1),
    insecureRegistries: z.array(z.string().min(1)).default([]),
    deadlineSeconds: z.int().min(1).default(3600),
    maxAttempts: z.int().min(1).default(5),
  }),
});

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

const environmentSchema = z.object({
  POD_NAMESPACE: z.string().min(1),
  POD_NAME: z.string().min(1),
  SERVICE_ACCOUNT: z.string().min(1).default("modelhook"),
  /** Our own image, for the containers of build pods. */
  MODELHOOK_IMAGE: z.string().min(1),
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
  /** Crash tests only: `before:N` or `after:N` ends the process around its N-th write. */
  MODELHOOK_FAIL_POINT: z.string().optional(),
  KUBECONFIG: z.string().optional(),
  KUBERNETES_SERVICE_HOST: z.string().optional(),
  KUBERNETES_SERVICE_PORT: z.string().default("443"),
});

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the configuration file and the environment; throws one ConfigError with every problem. */
export function loadConfig(path: string, environment: Environment = process.env): Config {
  const file = fileSchema.safeParse(readYaml(path));
  const env = environmentSchema.safeParse(environment);
  const point = environment["MODELHOOK_FAIL_POINT"];
  const failPoint = point === undefined ? undefined : parseFailPoint(point);
  const problems = [
    ...issuesOf(file.error).map((issue) => `${path}: ${issue}`),
    ...issuesOf(env.error).map((issue) => `environment: ${issue}`),
    ...(point !== undefined && failPoint === undefined
      ? [
          `environment: MODELHOOK_FAIL_POINT: ${JSON.stringify(point)} is neither before:N nor after:N`,
        ]
      : []),
  ];
  if (!file.success || !env.success || problems.length > 0) {
    throw new ConfigError(problems.join("\n"));
  }
  return Object.freeze(assemble(file.data, env.data, failPoint));
}

function assemble(
  file: z.output<typeof fileSchema>,
  env: z.output<typeof environmentSchema>,
  failPoint: FailPoint | undefined,
): Config {
  const prefixes = Object.entries(file.localStorage.allowedPrefixes).map(
    ([namespace, paths]) => [namespace, paths.map((each) => cleanAbsolute(each) ?? each)] as const,
  );
  const host = env.KUBERNETES_SERVICE_HOST;
  return {
    namespace: env.POD_NAMESPACE,
    instance: env.POD_NAME,
    logLevel: env.LOG_LEVEL,
    policy: {
      systemNamespace: env.POD_NAMESPACE,
      controllerUser: `system:serviceaccount:${env.POD_NAMESPACE}:${env.SERVICE_ACCOUNT}`,
      localPrefixes: Object.fromEntries(prefixes),
      loaderResources: file.loader.resources,
    },
    build: { ...file.build, modelhookImage: env.MODELHOOK_IMAGE },
    failPoint,
    kubeconfigPath: env.KUBECONFIG,
    inClusterServer:
      host === undefined
        ? undefined
        : `https://${host.includes(":") ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT}`,
  };
}

function readYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${path}: can not be read: ${why}`, { cause });
  }
}

function issuesOf(error: z.ZodError | undefined): readonly string[] {
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}
