import { parseDocument } from "yaml";
import { z } from "zod";
import { certificatesFault } from "../api/certificates.ts";
import { parseImageRef } from "../api/image-ref.ts";
import { ENGINES } from "../api/modelversion.ts";
import { isDnsLabel, isDnsSubdomain } from "../api/names.ts";
import { cleanAbsolute } from "../api/path.ts";
import { parseQuantity } from "../api/quantity.ts";
import {
  schemaFaults,
  show,
  textFault,
  unknownKeys,
  type SchemaFault,
} from "../api/schema-faults.ts";
import { resourceFaults } from "../inject/resource-faults.ts";
import { jobKindsSchema, withJobKinds } from "./job-kinds.ts";
import type { Policy } from "./policy.ts";

/** Who we are, as the environment says; unlike the limits it does not change while we run. */
export interface Identity {
  readonly systemNamespace: string;
  /** User name of our ServiceAccount. */
  readonly controllerUser: string;
  /** Our own image, for the containers of build pods. */
  readonly modelhookImage: string;
}

/** The administrator's choices, as decisions and builds read them. */
export interface Limits {
  readonly policy: Policy;
  readonly build: LimitsFile["build"] & { readonly modelhookImage: string };
  /** Directory of the serving certificate; signed by an authority of our own when absent. Read at the start only. */
  readonly certificateDirectory: string | undefined;
}

/** What config.yaml holds, defaults filled in, or everything that is wrong with it. */
export type ParsedLimits =
  | {
      readonly ok: true;
      readonly file: LimitsFile;
      /** Keys that are unknown and near no known one: another release may know them, so that they stop no upgrade and no way back. */
      readonly ignored: readonly SchemaFault[];
    }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] };

/** What the file says, defaults filled in. */
type LimitsFile = z.output<typeof fileSchema>;

const resourceName = z.string().refine(
  (name) => {
    const [domain = "", kind] = name.split("/");
    const isExtended = kind !== undefined && isDnsSubdomain(domain);
    return isExtended || /^(?:cpu|memory|ephemeral-storage|hugepages-\w+)$/.test(name);
  },
  {
    error: ({ input }) =>
      `${show(input)} is no resource; allowed: cpu, memory, ephemeral-storage, and those of devices, such as nvidia.com/gpu`,
  },
);

const quantity = z
  .union([z.string(), z.number().transform(String)])
  .refine((text) => parseQuantity(text) >= 0, {
    error: ({ input }) => `${show(input)} must be a quantity, such as 100m or 64Mi`,
  });

const quantities = z.record(resourceName, quantity);

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

const secret = z.string().refine(isDnsSubdomain, {
  error: ({ input }) => `${show(input)} must be the name of a Secret`,
});

const certificates = z
  .string()
  .trim()
  .superRefine((text, context) => {
    const message = text === "" ? undefined : certificatesFault(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
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

const loaderResources = z
  .object({ requests: quantities.exactOptional(), limits: quantities.exactOptional() })
  .superRefine((resources, context) => {
    const quantitiesIn = [resources.requests ?? {}, resources.limits ?? {}].flatMap(Object.values);
    // What is no quantity is said already.
    if (!quantitiesIn.every((text) => parseQuantity(text) >= 0)) return;
    for (const { field, message } of resourceFaults(resources)) {
      context.addIssue({ code: "custom", path: [field], message });
    }
  });

const fileSchema = z.object({
  localStorage: z
    .object({
      /** Namespace, or `*` for all others, to directories on nodes. */
      allowedPrefixes: z.record(namespaceOrAll, z.array(directory)).default({}),
    })
    .prefault({}),
  nfs: z.object({ allowedServers: z.array(server).default([]) }).prefault({}),
  AWSEfs: z
    .object({
      allowedFileSystems: z.array(fileSystem).default([]),
      allowedAttributes: z.array(z.string().min(1)).default(["encryptInTransit"]),
    })
    .prefault({}),
  /** Directory with tls.crt, tls.key and ca.crt, such as cert-manager's Secret; an authority of our own when absent. */
  certificates: z.object({ directory }).optional(),
  /** Kinds of jobs that export besides those of `src/jobs/kinds.ts`; read at the start only. */
  jobKinds: jobKindsSchema,
  loader: z
    .object({
      resources: loaderResources.prefault({
        requests: { cpu: "50m", memory: "32Mi" },
        limits: { memory: "256Mi" },
      }),
    })
    .prefault({}),
  build: z.object({
    kanikoImage: image,
    /** What builds a version that names no engine. */
    engine: z.enum(ENGINES).default("kaniko"),
    baseImage: image,
    /** Images besides baseImage that a version may name. */
    allowedBaseImages: z.array(image).default([]),
    /** Namespace, or `*` for all others, to registries or repositories in them; `*` in a list is every one. */
    allowedRegistries: z.record(namespaceOrAll, z.array(repository)).default({ "*": ["*"] }),
    allowedEngines: z.array(z.enum(ENGINES)).default([...ENGINES]),
    /** Most that a build may request, and its limit where the version names none. */
    maxResources: quantities.default({}),
    /** What kaniko requests of its node's disk, where a version says nothing of it. */
    ephemeralStorage: quantity.default("1Gi"),
    insecureRegistries: z.array(registry).default([]),
    /** Certificates of authorities, PEM, one after the other; empty for none. */
    registryCertificates: certificates.default(""),
    imagePullSecrets: z.array(secret).default([]),
    deadlineSeconds: z.int().min(1).default(3600),
    maxAttempts: z.int().min(1).default(5),
  }),
});

/** Reads config.yaml: every fault at once, misspelt keys included, since a misspelt limit would be none. */
export function parseLimits(text: string): ParsedLimits {
  // Keys that are maps take minutes to print; warnings would go to standard error.
  const document = parseDocument(text, { stringKeys: true, logLevel: "error" });
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ message }) => textFault(noYaml(message)));
    return { ok: false, faults };
  }
  let written: unknown;
  try {
    written = document.toJS();
  } catch (error) {
    // Anchors that would unfold into more than memory holds.
    return { ok: false, faults: [textFault(noYaml((error as Error).message))] };
  }
  const unknown = unknownKeys(fileSchema, written);
  const faults = [
    ...schemaFaults(fileSchema, written),
    ...unknown.filter(({ meant }) => meant !== undefined),
  ];
  if (faults.length > 0) return { ok: false, faults };
  const ignored = unknown.filter(({ meant }) => meant === undefined);
  return { ok: true, file: fileSchema.parse(written), ignored };
}

/** The limits that a valid file sets for this installation. */
export function limitsFrom(file: LimitsFile, identity: Identity): Limits {
  const { systemNamespace, controllerUser, modelhookImage } = identity;
  const prefixes = Object.entries(file.localStorage.allowedPrefixes).map(
    ([namespace, paths]) => [namespace, paths.map((each) => cleanAbsolute(each) ?? each)] as const,
  );
  return {
    policy: {
      systemNamespace,
      controllerUser,
      localPrefixes: Object.fromEntries(prefixes),
      nfsServers: file.nfs.allowedServers,
      efsFileSystems: file.AWSEfs.allowedFileSystems,
      efsAttributes: file.AWSEfs.allowedAttributes,
      registries: file.build.allowedRegistries,
      engines: file.build.allowedEngines,
      maxResources: file.build.maxResources,
      baseImages: [file.build.baseImage, ...file.build.allowedBaseImages],
      jobKinds: withJobKinds(file.jobKinds),
      loaderResources: file.loader.resources,
    },
    build: { ...file.build, modelhookImage },
    certificateDirectory: file.certificates?.directory,
  };
}

/** The parser's messages go on with a picture of the place. */
function noYaml(message: string): string {
  const [line = ""] = message.split("\n");
  return `is no YAML: ${line.replace(/:$/, "").replace("With stringKeys, all", "all")}`;
}
