import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyAdditions, anyAskingPod, anyPod, type Additions } from "../../test/make/any-pod.ts";
import { anySnapshot } from "../../test/make/any-snapshot.ts";
import { lostPaths } from "../../test/make/lost-paths.ts";
import { patched } from "../../test/make/patched.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import { mountedAt } from "../api/path.ts";
import { draftPod } from "../inject/pod-draft.ts";
import { deepFreeze } from "../kube/freeze.ts";
import type { Decision } from "./decision.ts";
import { decidePod, intentOf, wantedBy } from "./pod.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the webhook writes, whatever a user wrote there. */
const OURS: readonly string[] = [ANNOTATIONS.status, ...Object.values(LABELS)].map(
  (key) => `/${key}`,
);

function decide(pod: Pod, snapshot: Snapshot): Decision {
  return decidePod("team-a", pod, snapshot);
}

/** The pod as it is stored; undefined when it is denied. */
function stored(pod: Pod, snapshot: Snapshot): Pod | undefined {
  const decision = decide(pod, snapshot);
  return decision.allowed ? deepFreeze(patched(pod, decision.operations)) : undefined;
}

function holds(property: (pod: Pod, snapshot: Snapshot) => void): void {
  fc.assert(fc.property(anyAskingPod, anySnapshot, property), { numRuns: 500 });
}

describe("whatever a pod is, and whatever is known", () => {
  test("it is let in or denied, with a field and a sentence for every fault", () => {
    holds((pod, snapshot) => {
      wantedBy(pod, snapshot.bindings);
      const decision = decide(pod, snapshot);
      if (decision.allowed) return;
      expect(decision.causes.length).toBeGreaterThan(0);
      for (const { field, message } of decision.causes) {
        expect([field, message]).not.toContain("");
      }
    });
  });

  test("the patch fits, and the same again changes nothing", () => {
    holds((pod, snapshot) => {
      const after = stored(pod, snapshot);
      if (after === undefined) return;
      expect(decide(after, snapshot)).toMatchObject({ allowed: true, operations: [] });
    });
  });

  test("nothing that the user set is changed", () => {
    holds((pod, snapshot) => {
      const after = stored(pod, snapshot);
      if (after === undefined) return;
      expect(lostOf(pod, after)).toEqual([]);
    });
  });

  test("what is added has names of its own", () => {
    holds((pod, snapshot) => {
      const after = stored(pod, snapshot);
      if (after === undefined) return;
      for (const list of ["volumes", "initContainers", "imagePullSecrets"] as const) {
        const before = namesOf(pod, list);
        const added = namesOf(after, list).filter((name) => !before.includes(name));
        expect(namesOf(after, list)).toHaveLength(before.length + added.length);
        expect(new Set(added).size).toBe(added.length);
      }
    });
  });

  test("every container that is asked for mounts every model, from a volume that is there", () => {
    holds((pod, snapshot) => {
      const read = intentOf(pod, snapshot.bindings);
      const serve = read.ok ? read.intent.serve : undefined;
      const after = stored(pod, snapshot);
      const { reason } = decide(pod, snapshot);
      if (!after || !serve || (reason !== "Injected" && reason !== "Gated")) return;
      const volumes = namesOf(after, "volumes");
      const { containers = draftPod(pod).containers.map(({ container }) => container.name) } =
        serve;
      const chosen = draftPod(after)
        .containers.filter(({ container }) => containers.includes(container.name))
        .map(({ container }) => container);
      expect(chosen.length).toBeGreaterThan(0);
      for (const { volumeMounts } of chosen) {
        for (const { mountPath } of serve.models) {
          const mounts = (volumeMounts ?? []).filter(
            (mount) => mountedAt(mount.mountPath) === mountedAt(mountPath),
          );
          expect(mounts.some(({ name }) => volumes.includes(name))).toBe(true);
        }
      }
    });
  });

  test("a pod to which another webhook added containers is completed, or denied, once", () => {
    fc.assert(
      fc.property(anyAskingPod, anySnapshot, anyAdditions, (pod, snapshot, additions) => {
        const before = stored(pod, snapshot);
        if (before === undefined) return;
        const changed = deepFreeze(withAdditions(before, additions));
        const after = stored(changed, snapshot);
        if (after === undefined) return;
        expect(decide(after, snapshot)).toMatchObject({ allowed: true, operations: [] });
        expect(lostOf(changed, after)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("a pod that asks for nothing is untouched", () => {
    fc.assert(
      fc.property(anyPod, anySnapshot, (pod, snapshot) => {
        expect(decide(pod, { ...snapshot, bindings: [] })).toMatchObject({
          allowed: true,
          operations: [],
        });
      }),
      { numRuns: 500 },
    );
  });
});

test("pods of every answer are among those that are tried", () => {
  const tried = fc.sample(fc.tuple(anyAskingPod, anySnapshot), { numRuns: 2000, seed: 1 });
  const reasons = new Set(tried.map(([pod, snapshot]) => decide(pod, snapshot).reason));
  expect([...reasons]).toEqual(
    expect.arrayContaining<string>([
      "AlreadyInjected",
      "ContradictingAnnotations",
      "Gated",
      "ImageVolumesUnsupported",
      "Injected",
      "InvalidAnnotation",
      "ModelBuildFailed",
      "MountConflict",
      "NameConflict",
      "NoShell",
      "NodeNameWithGate",
      "NotOurs",
      "NothingAsked",
      "OptedOut",
      "UnknownAnnotation",
    ]),
  );
});

/** What of the user's the pod has no more. */
function lostOf(pod: Pod, after: Pod): readonly string[] {
  return lostPaths(pod, after).filter((path) => !OURS.some((key) => path.endsWith(key)));
}

function withAdditions(pod: Pod, { containers, early, late, volumes }: Additions): Pod {
  const { spec } = pod;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: [...(spec?.containers ?? []), ...containers],
      initContainers: [...early, ...(spec?.initContainers ?? []), ...late],
      volumes: [...volumes, ...(spec?.volumes ?? [])],
    },
  };
}

function namesOf(
  { spec }: Pod,
  list: "volumes" | "initContainers" | "imagePullSecrets",
): readonly (string | undefined)[] {
  return (spec?.[list] ?? []).map(({ name }) => name);
}
