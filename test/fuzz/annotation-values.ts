import { ANNOTATIONS, PREFIX, VERSION_ANNOTATIONS } from "../../src/api/annotations.ts";
import { makeExport } from "../make/export.ts";
import { DIGEST } from "../make/modelversion.ts";
import { HOSTILE_TEXTS } from "./hostile.ts";
import type { Random } from "./random.ts";
import { VERSION_NAMES } from "./snapshots.ts";
import { STORAGES } from "./storages.ts";

/** Every key of ours, those of other versions of modelhook, and some that are nearly one. */
const KEYS: readonly string[] = [
  ...new Set([
    ...Object.values(ANNOTATIONS),
    ...["model", "alias", "models"].map((name) => PREFIX + name),
  ]),
];
const RARE_KEYS: readonly string[] = [
  ...Object.values(VERSION_ANNOTATIONS),
  ...["model-versoin", "exprot", "x", "", "__proto__", "constructor", "Export", "a/b~c"].map(
    (name) => PREFIX + name,
  ),
  "kubernetes.io/config.mirror",
  "batch.kubernetes.io/job-completion-index",
];

const EXPORTS: readonly string[] = [
  ...STORAGES.flatMap((storage) => {
    const intent = makeExport((each) => void Object.assign(each, { storage }));
    return [intent, { ...intent, writers: "all" }, { ...intent, clean: true }];
  }).map((intent) => JSON.stringify(intent)),
  "modelName: mnist\nimageRepo: registry.example/m\nstorage:\n  localStorage: {path: /models/m, nodeName: n}\n",
  "a: &a [x, *a]",
  "a: &a {b: 1}\nb: *a\n<<: *a",
  "? [a]\n: - - - -",
  "!!binary aGk=",
  "!!js/function x",
  "modelName: mnist\nmodelName: mnist",
  "%YAML 9.9\n--- |\n x",
  `{"__proto__":{"modelName":"x"},"constructor":{}}`,
];

/** Texts that take a parser of YAML long; seldom, or nothing else would be done. */
const LABORIOUS: readonly string[] = ["[", "{a: ", "- ", "&a ", "? ", '"', "a: [b, c]\n"].flatMap(
  (part) => [100, 1000, 16_384].map((length) => part.repeat(Math.floor(length / part.length))),
);

const RESOURCES: readonly string[] = [
  `{"limits":{"memory":"64Mi","cpu":"100m"}}`,
  `{"requests":{"cpu":"50m"},"limits":{"cpu":"10m"}}`,
  `{"requests":{"cpu":1,"memory":1e9},"limits":{"ephemeral-storage":"1Gi"}}`,
  `{"limits":{"memory":"-1"}}`,
  `{"limits":{"__proto__":"1","constructor":"1"}}`,
  `{"limits":{"memory":"1e400"},"claims":[{"name":"x"}]}`,
  `{"limits":null}`,
  "{}",
  "null",
  "[]",
];

/** Values that mean something to some key. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  [ANNOTATIONS.modelVersion]: [...VERSION_NAMES, "mnist-v4", "mnist-vl"],
  [ANNOTATIONS.mountPath]: ["/kubedl-model", "/models/", "/a/b", "//x/./y", "/kubedl-volume"],
  [ANNOTATIONS.delivery]: ["copy", "auto", "image-volume"],
  [ANNOTATIONS.containers]: ["server", "server,sidecar", " trainer , server", "init", ","],
  [ANNOTATIONS.loaderResources]: RESOURCES,
  [ANNOTATIONS.export]: EXPORTS,
  [ANNOTATIONS.inject]: ["true", "false"],
  [ANNOTATIONS.status]: [
    JSON.stringify({ modelVersion: "mnist-v1", digest: DIGEST, delivery: "copy" }),
    `{"modelVersion":7}`,
    `{"writes":"scratch"}`,
  ],
  [`${PREFIX}model`]: ["mnist", "other", "constructor"],
  [`${PREFIX}alias`]: ["prod", "latest", "canary"],
  [`${PREFIX}models`]: [
    `[{"modelVersion":"mnist-v1","mountPath":"/a"},{"modelVersion":"mnist-v2","mountPath":"/b"}]`,
    `[{"modelVersion":"mnist-v1"},{"modelVersion":"mnist-v1"}]`,
    `[{"model":"mnist","alias":"prod","mountPath":"/a"},{"model":"mnist","mountPath":"/a/b"}]`,
    JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ model: "mnist", mountPath: `/${i}` }))),
    "[]",
    "[null]",
    "{}",
  ],
};
const ALL_VALUES = Object.values(VALUES).flat();

/** What a slip of a hand may put into a text. */
const EDITS: readonly string[] = [
  ...Array.from("aA0-._/:,~ \"'{}[]\n\0é😀"),
  "..",
  "//",
  "null",
  "-1",
  "\ud800",
  "✓",
];

/** One of our keys, seldom one that is nearly so. */
export function annotationKey(random: Random): string {
  return random.pick(random.chance(0.85) ? KEYS : RARE_KEYS);
}

/** A value for it: one that is right, one that is nearly so, or anything. */
export function annotationValue(random: Random, key: string): unknown {
  const right = random.pick(VALUES[key] ?? ALL_VALUES);
  const kind = random.below(20);
  if (key === ANNOTATIONS.export && random.chance(0.02)) return random.pick(LABORIOUS);
  if (kind < 10) return right;
  if (kind < 15) return nearly(random, right);
  if (kind < 16) return random.pick(ALL_VALUES);
  return kind === 19 ? random.pick([null, 1, true, {}, ["x"]]) : random.pick(HOSTILE_TEXTS);
}

/** The text after an edit or two. */
export function nearly(random: Random, text: string): string {
  let edited = text;
  for (let left = 1 + random.below(2); left > 0; left--) {
    const at = random.below(edited.length + 1);
    const removed = random.below(3);
    const added = random.chance(0.7) ? random.pick(EDITS) : "";
    edited = edited.slice(0, at) + added + edited.slice(at + removed);
  }
  return edited;
}
