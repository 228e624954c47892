import { describe, expect, test } from "vitest";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { DIGEST } from "../../test/make/modelversion.ts";
import { makePod, type MadePod } from "../../test/make/pod.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import { printStatus } from "../inject/serving-status.ts";
import { countPods } from "./binding-pods.ts";

const OTHER = `sha256:${"b".repeat(64)}`;
const binding = makeBinding();
const older = makeBinding((each) => {
  each.metadata.name = "older";
  each.metadata.creationTimestamp = "2026-10-01T00:00:00Z";
  each.spec.selector = { matchLabels: { tier: "gold" } };
});

/** A running pod that the binding selects. */
function selected(tweak: (pod: MadePod) => void = () => {}): MadePod {
  return makePod((pod) => {
    pod.metadata.labels = { app: "web" };
    tweak(pod);
  });
}

/** Such a pod as the webhook made it for the binding. */
function bound(digest: string = DIGEST): MadePod {
  return selected(({ metadata }) => {
    const model = { wanted: { modelVersion: "mnist-v1" }, digest, mountPath: "/kubedl-model" };
    const status = printStatus({ models: [model], delivery: "copy", binding: "web" });
    metadata.annotations = { [ANNOTATIONS.status]: status };
    metadata.labels = { ...metadata.labels, [LABELS.served]: "true" };
  });
}

function annotated(key: string, value: string): MadePod {
  return selected(({ metadata }) => void (metadata.annotations = { [key]: value }));
}

function count(...pods: readonly MadePod[]) {
  const bindings = [older, binding];
  return countPods({ binding, bindings, systemNamespace: "modelhook-system", pods }, DIGEST);
}

const NONE = { injected: 0, outdated: 0, missed: [], yielded: 0 };

describe("of the running pods that a binding selects", () => {
  test.each<[what: string, pod: MadePod, counts: object]>([
    ["one that has the model is injected", bound(), { injected: 1 }],
    [
      "one that has another image is injected, and told apart",
      bound(OTHER),
      { injected: 1, outdated: 1 },
    ],
    [
      "one whose status somebody removed is injected by its label",
      selected(({ metadata }) => void (metadata.labels = { app: "web", [LABELS.served]: "true" })),
      { injected: 1, outdated: 1 },
    ],
    ["one that has nothing is missed", selected(), { missed: ["web"] }],
    [
      "one that only says where it wants the model is missed",
      annotated(ANNOTATIONS.mountPath, "/models"),
      { missed: ["web"] },
    ],
    [
      "one that an older binding selects is that one's",
      selected(({ metadata }) => void (metadata.labels = { app: "web", tier: "gold" })),
      { yielded: 1 },
    ],
    ["one that opted out is left alone", annotated(ANNOTATIONS.inject, "false"), {}],
    ["one that names a version is left alone", annotated(ANNOTATIONS.modelVersion, "other"), {}],
    ["one that names a Model is left alone", annotated(ANNOTATIONS.model, "other"), {}],
    [
      "one with a key that the webhook denies is left alone",
      annotated("model.kubedl.io/modle", "mnist"),
      {},
    ],
    [
      "the pod of a build is left alone",
      selected(({ metadata }) => void (metadata.labels = { app: "web", [LABELS.versionUid]: "1" })),
      {},
    ],
    [
      "one from a file of its node is left alone",
      annotated("kubernetes.io/config.mirror", "1"),
      {},
    ],
    [
      "one that somebody deletes is left alone",
      selected(({ metadata }) => void (metadata.deletionTimestamp = "2026-11-23T00:00:00Z")),
      {},
    ],
  ])("%s", (_, pod, counts) => {
    expect(count(pod)).toEqual({ ...NONE, ...counts });
  });

  test("those that are missed are named in order", () => {
    const named = ["c", "a", "b"].map((name) =>
      selected(({ metadata }) => void (metadata.name = name)),
    );
    expect(count(...named).missed).toEqual(["a", "b", "c"]);
  });

  test("none is out of date while nobody knows what a new one would get", () => {
    const observed = { binding, bindings: [binding], systemNamespace: "", pods: [bound()] };
    expect(countPods(observed, undefined)).toEqual({ ...NONE, injected: 1 });
  });
});
