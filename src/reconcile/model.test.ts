import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import {
  leavingVersion,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "../../test/make/modelversion.ts";
import type { Model } from "../api/model.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Action } from "./action.ts";
import { reconcileModel } from "./model.ts";

const NOW = Date.parse("2026-11-23T09:30:00Z");

describe("a Model points to", () => {
  test.each<[string, readonly ModelVersion[], string | undefined]>([
    ["nothing when it has no version", [], undefined],
    [
      "nothing when no version is built",
      [namedVersion("a", 1, makeModelVersion()), namedVersion("b", 2, makeFailedVersion())],
      undefined,
    ],
    [
      "the only built version",
      [namedVersion("a", 1), namedVersion("b", 2, makeModelVersion())],
      "a",
    ],
    [
      "the newest built version by creation, in whatever order they are listed",
      [namedVersion("b", 3), namedVersion("c", 2), namedVersion("a", 1)],
      "b",
    ],
    [
      "the last by name of those that were made in one second",
      [namedVersion("b", 1), namedVersion("c", 1), namedVersion("a", 1)],
      "c",
    ],
    [
      "no version that is being deleted",
      [namedVersion("a", 1), leavingVersion(namedVersion("b", 2))],
      "a",
    ],
  ])("%s", (_, versions, latest) => {
    const [action] = reconcile(makeModel(), versions);
    expect(latestOf(action)).toBe(latest);
  });

  test("the newest, with its image and digest", () => {
    const [action] = reconcile(makeModel(), [namedVersion("a", 1)]);
    expect(action).toEqual({
      type: "status",
      ref: {
        apiVersion: "model.kubedl.io/v1alpha1",
        kind: "Model",
        namespace: "team-a",
        name: "mnist",
        uid: "m1",
      },
      resourceVersion: "7",
      status: {
        latestVersion: {
          modelVersion: "a",
          imageName: "registry.example/models/mnist:v1",
          digest: `sha256:${"a".repeat(64)}`,
        },
        conditions: [
          {
            type: "Built",
            status: "True",
            reason: "BuildSucceeded",
            message: "a is the newest version that is built",
            observedGeneration: 1,
            lastTransitionTime: "2026-11-23T09:30:00Z",
          },
        ],
      },
    });
  });

  test("a version that KubeDL built, though it has no digest", () => {
    const version = namedVersion("a", 1, {
      ...makeModelVersion(),
      status: { imageBuildPhase: "ImageBuildSucceeded", image: "registry.example/models/mnist:v0" },
    });
    const [action] = reconcile(makeModel(), [version]);
    expect(action).toMatchObject({
      status: {
        latestVersion: { modelVersion: "a", imageName: "registry.example/models/mnist:v0" },
      },
    });
  });
});

test("a Model never goes back to an older version while builds end, in whatever order", () => {
  const days = [1, 2, 3, 4, 5, 6];
  fc.assert(
    fc.property(fc.shuffledSubarray(days, { minLength: 1 }), (order) => {
      let model = makeModel();
      let newest = 0;
      for (const [index, day] of order.entries()) {
        const built = new Set(order.slice(0, index + 1));
        const versions = days.map((each) =>
          namedVersion(`v${each}`, each, built.has(each) ? makeBuiltVersion() : makeModelVersion()),
        );
        model = settled(model, versions);
        newest = Math.max(newest, day);
        expect(model.status?.latestVersion?.modelVersion).toBe(`v${newest}`);
      }
    }),
  );
});

describe("a Model that points to a version", () => {
  const model = settled(makeModel(), [namedVersion("b", 2)]);

  test.each<[string, readonly ModelVersion[], string | undefined]>([
    ["moves to a newer one that is built", [namedVersion("b", 2), namedVersion("c", 3)], "c"],
    ["goes back when that version is deleted", [namedVersion("a", 1)], "a"],
    [
      "goes back when another version took its name and is not built",
      [namedVersion("a", 1), namedVersion("b", 3, makeModelVersion())],
      "a",
    ],
    [
      "points to nothing when no built version remains",
      [namedVersion("c", 3, makeModelVersion())],
      undefined,
    ],
  ])("%s", (_, versions, latest) => {
    const [action] = reconcile(model, versions);
    expect(latestOf(action)).toBe(latest);
  });

  test.each<[string, readonly ModelVersion[]]>([
    ["nothing changed", [namedVersion("b", 2)]],
    ["an older version is built later", [namedVersion("a", 1), namedVersion("b", 2)]],
    [
      "a newer version is not built",
      [namedVersion("b", 2), namedVersion("c", 3, makeFailedVersion())],
    ],
  ])("stays as it is when %s", (_, versions) => {
    expect(reconcile(model, versions, NOW + 1000)).toEqual([]);
  });

  test("that is being deleted is left alone", () => {
    const deleted = {
      ...model,
      metadata: { ...model.metadata, deletionTimestamp: "2026-11-23T09:30:00Z" },
    };
    expect(reconcile(deleted, [])).toEqual([]);
  });
});

function reconcile(model: Model, versions: readonly ModelVersion[], now = NOW): readonly Action[] {
  return reconcileModel({ now, model, versions, aliased: [] });
}

/** The Model after its status was written for these versions. */
function settled(model: Model, versions: readonly ModelVersion[]): Model {
  const [action] = reconcile(model, versions);
  return action?.type === "status" ? { ...model, status: action.status } : model;
}

function latestOf(action: Action | undefined): string | undefined {
  if (action?.type !== "status") throw new Error("no status is written");
  return "latestVersion" in action.status ? action.status.latestVersion?.modelVersion : undefined;
}
