import { describe, expect, test } from "vitest";
import {
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
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
      [named("a", 1, makeModelVersion()), named("b", 2, makeFailedVersion())],
      undefined,
    ],
    ["the only built version", [named("a", 1), named("b", 2, makeModelVersion())], "a"],
    [
      "the newest built version by creation, in whatever order they are listed",
      [named("b", 3), named("c", 2), named("a", 1)],
      "b",
    ],
    [
      "the last by name of those that were made in one second",
      [named("b", 1), named("c", 1), named("a", 1)],
      "c",
    ],
    ["no version that is being deleted", [named("a", 1), leaving(named("b", 2))], "a"],
  ])("%s", (_, versions, latest) => {
    const [action] = reconcileModel({ now: NOW, model: makeModel(), versions });
    expect(latestOf(action)).toBe(latest);
  });

  test("the newest, with its image and digest", () => {
    const [action] = reconcileModel({ now: NOW, model: makeModel(), versions: [named("a", 1)] });
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
    const version = named("a", 1, {
      ...makeModelVersion(),
      status: { imageBuildPhase: "ImageBuildSucceeded", image: "registry.example/models/mnist:v0" },
    });
    const [action] = reconcileModel({ now: NOW, model: makeModel(), versions: [version] });
    expect(action).toMatchObject({
      status: {
        latestVersion: { modelVersion: "a", imageName: "registry.example/models/mnist:v0" },
      },
    });
  });
});

describe("a Model that points to a version", () => {
  const model = settled(makeModel(), [named("b", 2)]);

  test.each<[string, readonly ModelVersion[], string | undefined]>([
    ["moves to a newer one that is built", [named("b", 2), named("c", 3)], "c"],
    ["goes back when that version is deleted", [named("a", 1)], "a"],
    [
      "goes back when another version took its name and is not built",
      [named("a", 1), named("b", 3, makeModelVersion())],
      "a",
    ],
    [
      "points to nothing when no built version remains",
      [named("c", 3, makeModelVersion())],
      undefined,
    ],
  ])("%s", (_, versions, latest) => {
    const [action] = reconcileModel({ now: NOW, model, versions });
    expect(latestOf(action)).toBe(latest);
  });

  test.each<[string, readonly ModelVersion[]]>([
    ["nothing changed", [named("b", 2)]],
    ["an older version is built later", [named("a", 1), named("b", 2)]],
    ["a newer version is not built", [named("b", 2), named("c", 3, makeFailedVersion())]],
  ])("stays as it is when %s", (_, versions) => {
    expect(reconcileModel({ now: NOW + 1000, model, versions })).toEqual([]);
  });

  test("that is being deleted is left alone", () => {
    const deleted = {
      ...model,
      metadata: { ...model.metadata, deletionTimestamp: "2026-11-23T09:30:00Z" },
    };
    expect(reconcileModel({ now: NOW, model: deleted, versions: [] })).toEqual([]);
  });
});

function makeModel(): Model {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "Model",
    metadata: {
      name: "mnist",
      namespace: "team-a",
      uid: "m1",
      resourceVersion: "7",
      generation: 1,
    },
    spec: {},
  };
}

/** The Model after its status was written for these versions. */
function settled(model: Model, versions: readonly ModelVersion[]): Model {
  const [action] = reconcileModel({ now: NOW, model, versions });
  return action?.type === "status" ? { ...model, status: action.status } : model;
}

function named(name: string, day: number, version = makeBuiltVersion()): ModelVersion {
  const creationTimestamp = `2026-11-0${day}T00:00:00Z`;
  return {
    ...version,
    metadata: { ...version.metadata, name, creationTimestamp, uid: `uid-${name}` },
  };
}

function leaving(version: ModelVersion): ModelVersion {
  return {
    ...version,
    metadata: { ...version.metadata, deletionTimestamp: "2026-11-23T00:00:00Z" },
  };
}

function latestOf(action: Action | undefined): string | undefined {
  if (action?.type !== "status") throw new Error("no status is written");
  return "latestVersion" in action.status ? action.status.latestVersion?.modelVersion : undefined;
}
