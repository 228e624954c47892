import { WORKLOADS } from "../../src/jobs/workloads.ts";
import { DIGEST } from "../make/modelversion.ts";
import { nearly } from "./annotation-values.ts";
import { change, type Draft } from "./draft.ts";
import { NUMBERS } from "./hostile.ts";
import { POD_EDITS, annotate } from "./pods.ts";
import type { Random } from "./random.ts";
import { STORAGES } from "./storages.ts";
import { REMOVED, valueAt, withField } from "./tree.ts";

type Edit = (value: unknown, random: Random) => unknown;

const OURS = ["Model", "ModelVersion", "ModelBinding"].map((kind) => ({
  group: "model.kubedl.io",
  version: "v1alpha1",
  kind,
}));
const CORE = ["Pod", "ConfigMap", "Node"].map((kind) => ({ group: "", version: "v1", kind }));
const KINDS = [...OURS, ...OURS, ...CORE, ...WORKLOADS] as const;

/** What may be different about a request. */
const REQUEST_EDITS: Readonly<Record<string, Edit>> = {
  operation: chosen(["CREATE", "UPDATE", "DELETE", "CONNECT", "PATCH"]),
  namespace: chosen(["team-b", "kube-system", "modelhook-system", "constructor", "", REMOVED]),
  kind: (_, random) => random.pick(KINDS),
  subResource: chosen(["status", "scale", "eviction", "", REMOVED]),
  dryRun: chosen([true, false, "true", null]),
  name: chosen(["mnist-v1", "constructor", "", "A_b", REMOVED]),
  oldObject: chosen([null, {}, { metadata: {} }, REMOVED]),
  userInfo: chosen([
    {},
    { username: "system:serviceaccount:modelhook-system:modelhook" },
    { username: "system:serviceaccount:kube-system:namespace-controller", groups: [] },
    { username: "u".repeat(3000) },
    { username: "\0\ud800" },
    { username: 7 },
  ]),
};

const SPEC = ["request", "object", "spec"];

/** What may be different about the spec of one of our kinds. */
const SPEC_EDITS: Readonly<Record<string, Edit>> = {
  storage: (_, random) => random.pick(STORAGES),
  export: (value, random) => withField(value, "storage", random.pick(STORAGES)),
  imageRepo: chosen(["registry.example/m", "m:v1", `m@${DIGEST}`, "A/b", "registry.example:0/x"]),
  imageTag: chosen(["v1", "", "-x", "a".repeat(129), "latest"]),
  modelName: chosen(["mnist", "other", "constructor", "a".repeat(53)]),
  aliases: (value, random) =>
    withField(value, random.pick(["prod", "A_", "__proto__"]), random.pick(["mnist-v1", "x", 7])),
  retention: (_, random) => ({ keepLast: random.pick([...NUMBERS, "1"]) }),
  selector: chosen([
    { matchLabels: { app: "web" } },
    { matchLabels: { "a/b/c": "\0" } },
    { matchExpressions: [{ key: "app", operator: "In", values: [] }] },
    { matchExpressions: [{ key: "app", operator: "Is" }, null] },
  ]),
  serve: chosen([{ modelVersion: "mnist-v1" }, { model: "m", alias: "A", containers: ["a", "a"] }]),
  builder: chosen([
    { engine: "direct" },
    { engine: "kaniko", baseImage: "x:y:z", pushSecret: { name: "A" } },
    { resources: { requests: { cpu: "1000000", memory: "lots" }, limits: { cpu: 1 } } },
  ]),
};

/** Changes what the review says, in words that a user might have written. */
export function changeMeaning(draft: Draft): void {
  const { random, seed } = draft;
  const kind = random.next();
  if (kind < 0.12) editPart(draft, ["request"], REQUEST_EDITS);
  else if (kind < 0.2) changeText(draft);
  else if (seed.pods.length > 0 && kind < 0.95) {
    const path = random.pick(seed.pods);
    const what = random.pick(Object.keys(POD_EDITS));
    change(draft, path, what, (pod) => POD_EDITS[what]?.(pod, random));
  } else if (seed.pods.length > 0 || kind < 0.35) {
    const path = ["request", "object", "metadata", "annotations"];
    change(draft, path, "an annotation", (annotations) => annotate(annotations, random));
  } else if (valueAt(draft.tree, SPEC) !== undefined) editPart(draft, SPEC, SPEC_EDITS);
  else changeText(draft);
}

function editPart(
  draft: Draft,
  path: readonly string[],
  edits: Readonly<Record<string, Edit>>,
): void {
  const field = draft.random.pick(Object.keys(edits));
  change(draft, [...path, field], "another value", (value) => edits[field]?.(value, draft.random));
}

/** A text becomes nearly the same, or another that stands in the review. */
function changeText(draft: Draft): void {
  const { random, seed, tree } = draft;
  if (seed.texts.length === 0) return;
  const other = valueAt(tree, random.pick(seed.texts));
  change(draft, random.pick(seed.texts), "nearly the same", (text) =>
    random.chance(0.3) ? other : nearly(random, typeof text === "string" ? text : ""),
  );
}

function chosen(values: readonly unknown[]): Edit {
  return (_, random) => random.pick(values);
}
