import { describe, expect, test } from "vitest";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { makeObservedVersion } from "../../test/make/observed-version.ts";
import { patched } from "../../test/make/patched.ts";
import type { OwnerReference } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { kanikoBuilder } from "../builder/kaniko.ts";
import { reconcileModelVersion } from "./modelversion.ts";
import { repair } from "./modelversion-repair.ts";

const LABELS = { "model.kubedl.io/model-name": "mnist" };
const MODEL = owner("model.kubedl.io/v1alpha1", "Model", "1");
const OTHER_MODEL = owner("model.kubedl.io/v1alpha1", "Model", "2");
const FOREIGN_MODEL = owner("ml.example/v1", "Model", "3");
const WORKFLOW = owner("argoproj.io/v1alpha1", "Workflow", "4");

function owner(apiVersion: string, kind: string, uid: string): OwnerReference {
  return { apiVersion, kind, name: `owner-${uid}`, uid };
}

function versionOwnedBy(...owners: readonly OwnerReference[]): ModelVersion {
  return makeModelVersion((version) => {
    version.metadata.resourceVersion = "7";
    version.metadata.ownerReferences = [...owners];
  });
}

function repaired(version: ModelVersion, finalizer: "add" | "keep" = "keep"): ModelVersion {
  const [action] = repair(makeObservedVersion(version), finalizer);
  return action?.type === "patch" ? patched(version, action.operations) : version;
}

describe("the owners of a version", () => {
  test.each<[what: string, before: OwnerReference[], after: OwnerReference[]]>([
    ["none", [], []],
    ["a Model", [MODEL], []],
    ["two Models", [MODEL, OTHER_MODEL], []],
    ["a Model before another owner", [MODEL, WORKFLOW], [WORKFLOW]],
    ["Models around another owner", [MODEL, WORKFLOW, OTHER_MODEL], [WORKFLOW]],
    ["a Model of somebody else's group", [FOREIGN_MODEL], [FOREIGN_MODEL]],
  ])("that are %s lose every Model of ours and nothing else", (_what, before, after) => {
    expect(repaired(versionOwnedBy(...before)).metadata.ownerReferences).toEqual(after);
  });

  test("are changed in one patch with the label and the finalizer", () => {
    const { metadata } = repaired(versionOwnedBy(MODEL), "add");
    expect(metadata).toMatchObject({
      labels: LABELS,
      finalizers: ["model.kubedl.io/volume"],
      ownerReferences: [],
    });
  });

  test.each([
    ["a newer version of the object", { resourceVersion: "8" }],
    ["another owner at its place", { ownerReferences: [WORKFLOW] }],
  ])("are left as they are when the patch meets %s", (_what, change) => {
    const version = versionOwnedBy(MODEL);
    const [action] = repair(makeObservedVersion(version), "keep");
    const live = { ...version, metadata: { ...version.metadata, ...change } };
    expect(() => patched(live, action?.type === "patch" ? action.operations : [])).toThrow(
      "Test operation failed",
    );
  });

  test.each([
    ["built", { imageBuildPhase: "ImageBuildSucceeded", image: "registry.example/old:1" }],
    ["failed", { imageBuildPhase: "ImageBuildFailed", message: "Image build failed." }],
    ["being built by us", { imageBuildPhase: "ImageBuilding", observedGeneration: 1 }],
  ])("lose the Model when the version is %s", (_what, status) => {
    const version = { ...versionOwnedBy(MODEL, WORKFLOW), status } as ModelVersion;
    const [action] = reconcileModelVersion(makeObservedVersion(version), kanikoBuilder);
    expect(action).toMatchObject({
      type: "patch",
      operations: expect.arrayContaining([
        { op: "test", path: "/metadata/ownerReferences/0/uid", value: "1" },
        { op: "remove", path: "/metadata/ownerReferences/0" },
      ]) as unknown,
    });
  });
});

test("a version that is in order is not written", () => {
  const version = makeModelVersion((each) => void (each.metadata.labels = { ...LABELS }));
  expect(repair(makeObservedVersion(version), "keep")).toEqual([]);
});
