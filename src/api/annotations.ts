import { parse } from "yaml";
import type { z } from "zod";
import { exportSchema } from "./export.ts";
import { modelsSchema } from "./wanted.ts";
import { resourcesSchema } from "./resources.ts";
import { schemaFaults, textFault, unknownKeys, type SchemaFault } from "./schema-faults.ts";

/** Prefix of every annotation and label of ours. */
export const PREFIX = "model.kubedl.io/";

/** Where containers see a model unless they ask for another place. */
export const DEFAULT_MOUNT_PATH = "/kubedl-model";

/** Secret with credentials of the registry that is used, where there is one, when a version names none. */
export const DEFAULT_SECRET = "regcred";

/** Annotations that a user may set on a pod, its template or an exporting job. */
export const ANNOTATIONS = {
  /** Name of a ModelVersion in the pod's namespace: deliver it. */
  modelVersion: `${PREFIX}model-version`,
  /** Name of a Model in the pod's namespace: deliver its latest version, or the one that `alias` names. */
  model: `${PREFIX}model`,
  /** Alias of that Model. */
  alias: `${PREFIX}alias`,
  /** JSON list of several models, each with its own path. */
  models: `${PREFIX}models`,
  /** Absolute path at which containers see the model. */
  mountPath: `${PREFIX}mount-path`,
  /** How the model gets into the pod: `copy`, `image-volume` or `auto`. */
  delivery: `${PREFIX}delivery`,
  /** Comma list of the containers that get the mount; all when absent. */
  containers: `${PREFIX}containers`,
  /** JSON resources of the loader container. */
  loaderResources: `${PREFIX}loader-resources`,
  /** JSON or YAML of what becomes a ModelVersion when the pod's job succeeds. */
  export: `${PREFIX}export`,
  /** `"false"`: leave this pod alone. */
  inject: `${PREFIX}inject`,
  /** What the webhook did; written by it, never read as input. */
  status: `${PREFIX}status`,
} as const;

/** On an exporting job: what its pods were let go for; written by the controller, see `export-record.ts`. */
export const EXPORT_RECORD = `${PREFIX}export-record`;

/**
 * On pods that reach registries for a build: certificates of the registries' authorities (PEM), which a volume shows to their
 * containers. Outside of our prefix: nobody has to be asked about such a pod.
 */
export const REGISTRY_CERTIFICATES = "build.model.kubedl.io/registry-certificates";

/** The keys of what modelhook itself writes on objects of others. */
export const OWN_KEYS: readonly string[] = [ANNOTATIONS.status, EXPORT_RECORD];

/** True for the key of an annotation in our words that somebody else wrote: what modelhook itself writes asks for nothing. */
export function isAsking(key: string): boolean {
  return key.startsWith(PREFIX) && !OWN_KEYS.includes(key);
}

/** Annotations of a ModelVersion. */
export const VERSION_ANNOTATIONS = {
  /** Any new value starts a failed build again. */
  retry: `${PREFIX}retry`,
  /** The verified user who created it; written by the webhook. */
  requestedBy: `${PREFIX}requested-by`,
  /** Provenance of an exported version; written by the controller. */
  jobUid: `${PREFIX}job-uid`,
  jobKind: `${PREFIX}job-kind`,
  jobName: `${PREFIX}job-name`,
  pod: `${PREFIX}pod`,
  node: `${PREFIX}node`,
  trainingImage: `${PREFIX}training-image`,
  startedAt: `${PREFIX}started-at`,
  completedAt: `${PREFIX}completed-at`,
} as const;

/** Labels that the product's watches select by. */
export const LABELS = {
  /** On every ModelVersion: the model it is a version of. */
  modelName: `${PREFIX}model-name`,
  /** On an exported ModelVersion, and on the pods of an exporting job: UID of the job. */
  jobUid: `${PREFIX}job-uid`,
  /** On exporting jobs and their pods: `true`. */
  export: `${PREFIX}export`,
  /** On pods that wait for their model: `true`; removed with the gate. */
  gated: `${PREFIX}gated`,
  /** On pods that the webhook gave a model, or a gate to wait for it: `true`. Which version it is, their status annotation says. */
  served: `${PREFIX}served`,
  /** On what a build makes: UID of its ModelVersion. */
  versionUid: `${PREFIX}modelversion-uid`,
  /** On the Job, and its pod, that asks whether an exporting job's image could be pushed: UID of that job. */
  preflight: `${PREFIX}preflight`,
  /** On namespaces: `enabled` where ModelBindings are in effect. */
  injection: `${PREFIX}injection`,
} as const;

/** Kubernetes' label for the tool that made an object; on the volumes, claims and preflights that we make. */
export const MANAGED_BY = "app.kubernetes.io/managed-by";

/** Scheduling gates that hold a pod back. */
export const GATES = {
  /** Until the ModelVersion that the pod serves is built. */
  build: `${PREFIX}build`,
  /** Until the storage that the pod writes is ready. */
  export: `${PREFIX}export`,
} as const;

/** Finalizers: on an exporting job until its model is a ModelVersion, and on that until the job is let go; on a ModelVersion until our volume of it is gone. */
export const FINALIZERS = { export: `${PREFIX}export`, volume: `${PREFIX}volume` } as const;

/** What is to become of the model that a job writes. */
export type ExportIntent = z.output<typeof exportSchema>;

/** A parsed value, or what is wrong with the text: field (below the annotation, may be empty) and message. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] };

/** Longest text that is parsed: an annotation may have 256 KiB, of which YAML would take seconds to read. */
const MAX_TEXT = 16_384;

/** Reads the export annotation, JSON or YAML. */
export function parseExport(text: string): Parsed<ExportIntent> {
  // Warnings would go to standard error; maxAliasCount keeps a few bytes from growing to many; to make texts of keys that are lists
  // or maps, one in the other, takes minutes for 1000 characters.
  const options = { maxAliasCount: 0, logLevel: "error", stringKeys: true } as const;
  const read = (): unknown => parse(text, options);
  return parseText(text, "neither JSON nor YAML", read, exportSchema);
}

/** Reads the loader-resources annotation: JSON `{requests, limits}` of quantities, texts or numbers as in the API. */
export function parseResources(text: string): Parsed<z.output<typeof resourcesSchema>> {
  return parseText(
    text,
    `not JSON such as {"limits":{"memory":"64Mi"}}`,
    () => JSON.parse(text),
    resourcesSchema,
  );
}

/** Reads the models annotation: a JSON list of what is wanted where. */
export function parseModels(text: string): Parsed<z.output<typeof modelsSchema>> {
  return parseText(
    text,
    `not JSON such as [{"modelVersion":"digits-1a2b3","mountPath":"/models/digits"}]`,
    () => JSON.parse(text),
    modelsSchema,
  );
}

function parseText<T extends z.ZodType>(
  text: string,
  otherwise: string,
  read: () => unknown,
  schema: T,
): Parsed<z.output<T>> {
  if (text.length > MAX_TEXT) {
    const message = `has ${text.length} characters; at most ${MAX_TEXT} are allowed`;
    return {
      ok: false,
      faults: [textFault(message)],
    };
  }
  let raw: unknown;
  try {
    raw = read();
  } catch (error) {
    const message = `is ${otherwise}: ${firstLine(error)}`;
    return {
      ok: false,
      faults: [textFault(message)],
    };
  }
  const faults = [...schemaFaults(schema, raw), ...unknownKeys(schema, raw)];
  return faults.length === 0 ? { ok: true, value: schema.parse(raw) } : { ok: false, faults };
}

/** The parsers' messages go on with a picture of the place and advice for programmers. */
function firstLine(error: unknown): string {
  const [line = ""] = (error as Error).message.split("\n");
  return line
    .replace("With stringKeys, all keys must be strings", "A key is no text")
    .replace(/; please use .* at /, " at ")
    .replace(/:$/, "");
}
