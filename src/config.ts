import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import type { Policy } from "./admission/policy.ts";
import { parseImageRef } from "./api/image-ref.ts";
import { isDnsLabel } from "./api/names.ts";
import { ENGINES } from "./api/modelversion.ts";
import { cleanAbsolute } from "./api/path.ts";
import { schemaFaults, show } from "./api/schema-faults.ts";
import type { BuildSettings } from "./builder/builder.ts";
import { parseFailPoint, type FailPoint } from "./controller/fail-point.ts";
import { parseQuantity } from "./api/quantity.ts";
import { deepFreeze } from "./kube/freeze.ts";
import type { LogLevel } from "./telemetry/logger.ts";

/** Everything that `modelhook serve` is told from outside. */
export interface Config {
  readonly namespace: string;
  /** Name of the pod, for the lease and for Events. */
  readonly instance: string;
  readonly logLevel: LogLevel;
  readonly policy: Policy;
  readonly build: BuildSettings;
  /** Directory of the serving certificate; signed by an authority of our own when absent. */
  readonly certificateDirectory: string | undefined;
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

const quantities = z.record(
  z.string(),
  z.union([z.string(), z.number().transform(String)]).refine((text) => parseQuantity(text) >= 0, {
    error: ({ input }) => `${show(input)} must be a quantity, such as 100m or 64Mi`,
  }),
);

const namespaceOrAll = z.string().refine((name) => name === "*" || isDnsLabel(name), {
  error: ({ input }) => `${show(input)} must be the name of a namespace, or *`,
});

const directory = z.string().refine((path) => (cleanAbsolute(path) ?? "/") !== "/", {
  error: ({ input }) => `${show(input)} must be an absolute directory other than /, without ".."`,
});

const image = z.string().refine((text) => parseImageRef(text) !== undefined, {
  error: ({ input }) => `${show(input)} must be an image: lower case registry/path:tag`,
});

const registry = z.string().refine((host) => parseImageRef(`${host}/x`)?.registry === host, {
  error: ({ input }) => `${show(input)} must be host:port as images name it, without http://`,
});

const repository = z
  .string()
  .refine(
    (text) =>
      text === "*" ||
      parseImageRef(text.includes("/") ? text : `${text}/x`)?.registry !== undefined,
    {
      error: ({ input }) =>
        `${show(input)} must be a registry or a repository in one, such as registry.example/team, or *`,
    },
  );

const server = z.string().refine((name) => /^[^\s/]+$/.test(name), {
  error: ({ input }) => `${show(input)} must be a host name or an address, or *`,
});

const fileSystem = z.string().refine((name) => /^(?:\*|fs-[0-9a-z]+)$/.test(name), {
  error: ({ input }) => `${show(input)} must be a file system, such as fs-0123, or *`,
});

const fileSchema = z.strictObject({
  localStorage: z
    .strictObject({
      /** Namespace, or `*` for all others, to directories on nodes. */
      allowedPrefixes: z.record(namespaceOrAll, z.array(directory)).default({}),
    })
    .prefault({}),
  nfs: z.strictObject({ allowedServers: z.array(server).default([]) }).prefault({}),
  AWSEfs: z
    .strictObject({
      allowedFileSystems: z.array(fileSystem).default([]),
      allowedAttributes: z.array(z.string().min(1)).default(["encryptInTransit"]),
    })
    .prefault({}),
  /** Directory with tls.crt, tls.key and ca.crt, such as cert-manager's Secret; an authority of our own when absent. */
  certificates: z.strictObject({ directory }).optional(),
  loader: z
    .strictObject({
      resources: z
        .strictObject({ requests: quantities.exactOptional(), limits: quantities.exactOptional() })
        .prefault({ requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "256Mi" } }),
    })
    .prefault({}),
  build: z.strictObject({
    kanikoImage: image,
    baseImage: image,
    /** Images besides baseImage that a version may name. */
    allowedBaseImages: z.array(image).default([]),
    /** Namespace, or `*` for all others, to registries or repositories in them; `*` in a list is every one. */
    allowedRegistries: z.record(namespaceOrAll, z.array(repository)).default({ "*": ["*"] }),
    allowedEngines: z.array(z.enum(ENGINES)).default([...ENGINES]),
    /** Most that a build may request. */
    maxResources: quantities.default({}),
    insecureRegistries: z.array(registry).default([]),
    deadlineSeconds: z.int().min(1).default(3600),
    maxAttempts: z.int().min(1).default(5),
  }),
});

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

const environmentSchema = z.object({
  POD_NAMESPACE: z.string(),
  POD_NAME: z.string(),
  SERVICE_ACCOUNT: z.string().default("modelhook"),
  /** Our own image, for the containers of build pods. */
  MODELHOOK_IMAGE: image,
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

/** Reads the configuration file and the environment, of which empty variables count as absent; throws one ConfigError with every problem. */
export function loadConfig(path: string, environment: Environment = process.env): Config {
  const written = readYaml(path);
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const problems = [
    ...problemsOf(path, fileSchema, written),
    ...problemsOf("environment", environmentSchema, set),
  ];
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return deepFreeze(assemble(fileSchema.parse(written), environmentSchema.parse(set)));
}

function assemble(
  file: z.output<typeof fileSchema>,
  env: z.output<typeof environmentSchema>,
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
      nfsServers: file.nfs.allowedServers,
      efsFileSystems: file.AWSEfs.allowedFileSystems,
      efsAttributes: file.AWSEfs.allowedAttributes,
      registries: file.build.allowedRegistries,
      engines: file.build.allowedEngines,
      maxResources: file.build.maxResources,
      baseImages: [file.build.baseImage, ...file.build.allowedBaseImages],
      loaderResources: file.loader.resources,
    },
    build: { ...file.build, modelhookImage: env.MODELHOOK_IMAGE },
    certificateDirectory: file.certificates?.directory,
    failPoint: env.MODELHOOK_FAIL_POINT,
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

function problemsOf(source: string, schema: z.ZodType, value: unknown): readonly string[] {
  return schemaFaults(schema, value).map(({ field, message }) =>
    [source, ...(field === "" ? [] : [field]), message].join(": "),
  );
}
