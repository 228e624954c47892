import { describe, expect, test } from "vitest";
import {
  makePod,
  makeServingPod,
  makeTrainingPod,
  makeUsingPod,
  type MadePod,
} from "../../test/make/pod.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import { NO_DRIFT, foldDrift, type Drift } from "./injection-drift.ts";

function look(pods: readonly Pod[], toldBefore: readonly string[] = [], drift = NO_DRIFT): Drift {
  return foldDrift(drift, { pods, systemNamespace: "modelhook-system", toldBefore });
}

function messages({ actions }: Drift): readonly string[] {
  return actions.map((action) => (action.type === "event" ? action.message : action.type));
}

function annotated(annotations: Readonly<Record<string, string>>): MadePod {
  return makePod(({ metadata }) => void (metadata.annotations = annotations));
}

/** Pods without their model, from the first number to before the last. */
function missed(from: number, to: number): readonly MadePod[] {
  return Array.from({ length: to - from }, (_, index) =>
    makeServingPod(({ metadata }) => {
      Object.assign(metadata, { name: `web-${from + index}`, uid: `uid-${from + index}` });
    }),
  );
}

describe("a running pod that was made without what its annotations ask for", () => {
  const controller = { controller: true, uid: "1", apiVersion: "apps/v1", name: "web-7f9" };
  test.each<[string, MadePod, string]>([
    [
      "may be one of a controller",
      makeServingPod(({ metadata }) => {
        metadata.ownerReferences = [{ ...controller, kind: "ReplicaSet" }];
      }),
      "asks for ModelVersion mnist-v1 and was made without it: delete it, so that its controller makes it anew; modelhook restarts nothing",
    ],
    [
      "may be on its own",
      makeServingPod(),
      "asks for ModelVersion mnist-v1 and was made without it: delete it and make it anew; modelhook restarts nothing",
    ],
    [
      "may ask for several models",
      annotated({
        [ANNOTATIONS.models]: JSON.stringify([
          { model: "digits", alias: "production", mountPath: "/a" },
          { model: "words", mountPath: "/b" },
        ]),
      }),
      "asks for alias production of Model digits and the latest version of Model words and was made without it: delete it and make it anew; modelhook restarts nothing",
    ],
    [
      "may train for nothing",
      makeTrainingPod(),
      "is to export a version of Model mnist and was made without a place for it, so what it writes is not kept: delete Job train and make it anew; modelhook restarts nothing",
    ],
    [
      "may train for nothing on its own",
      makeTrainingPod(({ metadata }) => void delete metadata.ownerReferences),
      "is to export a version of Model mnist and was made without a place for it, so what it writes is not kept: delete it and make it anew; modelhook restarts nothing",
    ],
  ])("%s", (_, pod, message) => {
    const drift = look([pod]);
    expect(drift.missed).toBe(1);
    expect(drift.actions).toEqual([
      {
        type: "event",
        ref: expect.objectContaining({ kind: "Pod", namespace: "team-a", name: "web" }) as unknown,
        kind: "Warning",
        reason: "InjectionMissed",
        message,
      },
    ]);
  });
});

describe("a running pod is not missed", () => {
  test.each<[string, MadePod]>([
    ["that asks for nothing", makePod()],
    ["that has its model", makeUsingPod()],
    [
      "that has its model, as its label tells",
      makeServingPod(({ metadata }) => void (metadata.labels = { [LABELS.served]: "true" })),
    ],
    [
      "that has its place to write to",
      makeTrainingPod(({ metadata }) => void (metadata.labels = { [LABELS.export]: "true" })),
    ],
    ["that opted out", annotated({ [ANNOTATIONS.inject]: "false", [ANNOTATIONS.model]: "mnist" })],
    ["whose words the webhook would deny", annotated({ [ANNOTATIONS.modelVersion]: "A b" })],
    ["that only says where it would want a model", annotated({ [ANNOTATIONS.mountPath]: "/m" })],
    [
      "of modelhook's own namespace",
      makeServingPod(({ metadata }) => void (metadata.namespace = "modelhook-system")),
    ],
    [
      "that somebody deletes",
      makeServingPod(({ metadata }) => void (metadata.deletionTimestamp = "2026-11-23T00:00:00Z")),
    ],
  ])("%s", (_, pod) => {
    expect(look([pod])).toEqual(NO_DRIFT);
  });
});

describe("a pass over many pods", () => {
  test("counts all that are missed, page by page", () => {
    const first = look([...missed(0, 3), makePod()]);
    const second = look([makePod(), ...missed(3, 5)], [], first);
    expect(second.missed).toBe(5);
    expect(second.told).toEqual(["uid-0", "uid-1", "uid-2", "uid-3", "uid-4"]);
    expect(second.actions).toHaveLength(5);
  });

  test("tells of twenty at most, and the next pass of the others", () => {
    const first = look(missed(15, 30), [], look(missed(0, 15)));
    expect(first.missed).toBe(30);
    expect(first.actions).toHaveLength(20);
    const next = look(missed(0, 30), first.told);
    expect(next.missed).toBe(30);
    expect(next.actions.map((action) => (action.type === "event" ? action.ref.name : ""))).toEqual(
      missed(20, 30).map(({ metadata }) => metadata.name),
    );
    expect(new Set(next.told).size).toBe(30);
  });

  test("tells nobody twice, and forgets those that are gone", () => {
    const again = look(missed(1, 3), ["uid-0", "uid-1", "uid-2"]);
    expect(messages(again)).toEqual([]);
    expect(again).toMatchObject({ missed: 2, told: ["uid-1", "uid-2"] });
  });
});
