import { GROUP } from "../api/crd.ts";
import { own } from "../api/fields.ts";
import type { AdmissionRequest } from "../api/review.ts";

/** What a part of an object is. Fields may be absent or null but for those required; items and values may not. */
type Shape =
  | "string"
  | "number"
  | { readonly list: Shape }
  | { readonly map: Shape; readonly isNull?: "never" }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly required: readonly string[] };

/** Longest key of a stranger that a fault repeats. */
const MAX_KEY = 60;

/** Levels of lists and objects in what is of our own kinds: JSON.stringify, by which specs are compared, ends at 4,000 or so. */
const MAX_DEPTH = 1000;

const TEXTS: Shape = { map: "string" };
const NAMED = object({ name: "string" }, ["name"]);

const METADATA = object({
  name: "string",
  generateName: "string",
  namespace: "string",
  uid: "string",
  deletionTimestamp: "string",
  labels: TEXTS,
  annotations: TEXTS,
  finalizers: { list: "string" },
  ownerReferences: {
    list: object({ apiVersion: "string", kind: "string", name: "string", uid: "string" }, [
      "apiVersion",
      "kind",
      "name",
      "uid",
    ]),
  },
});

const RESOURCES = object({ limits: TEXTS, requests: TEXTS });

const CONTAINER = object(
  {
    name: "string",
    image: "string",
    restartPolicy: "string",
    command: { list: "string" },
    args: { list: "string" },
    env: { list: object({ name: "string", value: "string" }, ["name"]) },
    volumeMounts: {
      list: object({ name: "string", mountPath: "string", subPath: "string" }, [
        "name",
        "mountPath",
      ]),
    },
    resources: RESOURCES,
  },
  ["name"],
);

const VOLUME = object(
  {
    name: "string",
    persistentVolumeClaim: object({ claimName: "string" }),
    emptyDir: object({ sizeLimit: "string" }),
    image: object({ reference: "string" }),
  },
  ["name"],
);

const CONDITION = object({ key: "string", operator: "string", values: { list: "string" } }, [
  "key",
  "operator",
]);
const TERM = object({ matchExpressions: { list: CONDITION }, matchFields: { list: CONDITION } });

const POD_SPEC = object({
  containers: { list: CONTAINER },
  initContainers: { list: CONTAINER },
  volumes: { list: VOLUME },
  schedulingGates: { list: NAMED },
  imagePullSecrets: { list: object({ name: "string" }) },
  nodeName: "string",
  restartPolicy: "string",
  nodeSelector: TEXTS,
  os: NAMED,
  resources: RESOURCES,
  tolerations: {
    list: object({ key: "string", operator: "string", value: "string", effect: "string" }),
  },
  affinity: object({
    nodeAffinity: object({
      requiredDuringSchedulingIgnoredDuringExecution: object({ nodeSelectorTerms: { list: TERM } }),
    }),
  }),
});

const BATCH_JOB_SPEC = object(
  {
    template: object({ metadata: METADATA }),
    completionMode: "string",
    completions: "number",
    parallelism: "number",
  },
  ["template"],
);

/** By group and kind; the specs of our own kinds are the decisions' business, since their users write them. */
const SHAPES: Readonly<Record<string, Shape>> = {
  "/Pod": object({ metadata: METADATA, spec: POD_SPEC }, ["metadata", "spec"]),
  "/ConfigMap": object({ metadata: METADATA, data: { map: "string", isNull: "never" } }, [
    "metadata",
  ]),
  "batch/Job": object({ metadata: METADATA, spec: BATCH_JOB_SPEC }, ["metadata", "spec"]),
  ...Object.fromEntries(
    ["Model", "ModelVersion", "ModelBinding"].map((kind) => [
      `${GROUP}/${kind}`,
      object({ metadata: METADATA }, ["metadata"]),
    ]),
  ),
};
const ANY = object({ metadata: METADATA });

/**
 * The first part of the objects that is of another type than decisions take it for. The API server decodes what it sends into these
 * types, so this is about strangers, and about bugs: what they send is denied for a reason, and not because something threw.
 */
export function shapeFault(request: AdmissionRequest): string | undefined {
  const { kind, operation, subResource } = request;
  const isNeeded = !subResource && (operation === "CREATE" || operation === "UPDATE");
  if (isNeeded && !request.object) return "request.object is missing";
  // Of what goes, only our own kinds are looked at; a subresource is another kind of object.
  const isRead = !subResource && (operation !== "DELETE" || kind.group === GROUP);
  const key = `${kind.group}/${kind.kind}`;
  const shape = isRead && Object.hasOwn(SHAPES, key) ? (SHAPES[key] ?? ANY) : ANY;
  for (const field of ["object", "oldObject"] as const) {
    const value = request[field] ?? undefined;
    const fault = faultOf(value, shape);
    if (fault !== undefined) return `request.${field}${fault}`;
    if (kind.group === GROUP && isDeeper(value, MAX_DEPTH)) {
      return `request.${field} is nested deeper than ${MAX_DEPTH} levels`;
    }
  }
  return undefined;
}

function object(fields: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape {
  return { fields, required };
}

/** The path below the value, and what is wrong there. */
function faultOf(value: unknown, shape: Shape): string | undefined {
  if (value === undefined) return undefined;
  if (typeof shape === "string") return typeof value === shape ? undefined : ` is not a ${shape}`;
  if ("list" in shape) {
    if (!Array.isArray(value)) return " is not a list";
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      const fault = faultOf(item, shape.list);
      if (fault !== undefined) return `[${index}]${fault}`;
    }
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return " is not an object";
  }
  const entries = value as Readonly<Record<string, unknown>>;
  if ("map" in shape) {
    for (const key of Object.keys(entries)) {
      const fault = faultOf(entries[key], shape.map);
      if (fault !== undefined) return `[${short(key)}]${fault}`;
    }
    return undefined;
  }
  for (const name of Object.keys(shape.fields)) {
    const inner = shape.fields[name] ?? "string";
    const found = own(entries, name);
    const isAbsent = found === undefined || (found === null && !isNeverNull(inner));
    const fault = !isAbsent
      ? faultOf(found, inner)
      : shape.required.includes(name)
        ? " is missing"
        : undefined;
    if (fault !== undefined) return `.${name}${fault}`;
  }
  return undefined;
}

function isNeverNull(shape: Shape): boolean {
  return typeof shape === "object" && "map" in shape && shape.isNull === "never";
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function short(key: string): string {
  return key.length > MAX_KEY ? `${key.slice(0, MAX_KEY)}…` : key;
}
