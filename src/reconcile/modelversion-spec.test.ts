import { describe, expect, test } from "vitest";
import { makeObservedVersion } from "../../test/make/observed-version.ts";
import { makeStoredVersion } from "../../test/make/stored.ts";
import { kanikoBuilder } from "../builder/kaniko.ts";
import { reconcileModelVersion } from "./modelversion.ts";
import { specFaults } from "./modelversion-spec.ts";
import { references } from "./observed.ts";

const NFS = { server: "nfs.example", path: "/models" };
const LOCAL = { path: "/models", nodeName: "node-1" };
const SPEC = { modelName: "mnist", imageRepo: "registry.example/mnist", storage: { nfs: NFS } };

/** What KubeDL's schema lets through, and what is said of it. */
const FAULTY: readonly (readonly [what: string, spec: object | undefined, faults: string])[] = [
  ["no spec", undefined, "spec: is required"],
  [
    "an empty spec",
    {},
    "spec.modelName: is required; spec.imageRepo: is required; spec.storage: exactly one storage type is needed, found none",
  ],
  [
    "no storage",
    { ...SPEC, storage: undefined },
    "spec.storage: exactly one storage type is needed, found none",
  ],
  [
    "two storages",
    { ...SPEC, storage: { localStorage: LOCAL, nfs: NFS } },
    "spec.storage: exactly one storage type is needed, found localStorage and nfs",
  ],
  [
    "a storage without what it needs",
    { ...SPEC, storage: { localStorage: {} } },
    "spec.storage.localStorage.path: is required; spec.storage.localStorage.nodeName: is required",
  ],
  ["no repository", { ...SPEC, imageRepo: undefined }, "spec.imageRepo: is required"],
  [
    "a model's name that is no label",
    { ...SPEC, modelName: "My Model" },
    `spec.modelName: "My Model" must be lower case letters, digits and "-", beginning and ending with a letter or digit`,
  ],
];

test("a spec that can be built has no faults", () => {
  expect(specFaults(makeStoredVersion(SPEC))).toEqual([]);
});

describe.each(FAULTY)("a stored version with %s", (_what, spec, faults) => {
  test("has every fault named", () => {
    expect(specFaults(makeStoredVersion(spec)).join("; ")).toBe(faults);
  });

  test.each([
    ["that nobody began", undefined],
    ["that KubeDL has begun", { imageBuildPhase: "ImageBuilding", image: "old:1" }],
  ])("and %s fails for good, and says why", (_begun, status) => {
    const version = makeStoredVersion(spec, status);
    const actions = reconcileModelVersion(makeObservedVersion(version), kanikoBuilder);
    expect(actions).toMatchObject([
      {
        type: "status",
        resourceVersion: "7",
        status: {
          imageBuildPhase: "ImageBuildFailed",
          message: `InvalidObject: ${faults}`,
          conditions: [{ type: "Built", status: "False", reason: "InvalidObject" }],
        },
      },
      { type: "event", kind: "Warning", reason: "InvalidObject", message: faults },
    ]);
  });

  test.each(["ImageBuildSucceeded", "ImageBuildFailed"])("keeps the phase %s", (phase) => {
    const version = makeStoredVersion(spec, { imageBuildPhase: phase, image: "registry/old:1" });
    const actions = reconcileModelVersion(makeObservedVersion(version), kanikoBuilder);
    expect(actions.filter(({ type }) => type !== "create")).toEqual([]);
    expect(references(version).image).toBe("docker.io/registry/old:1");
  });

  test("loses our finalizer when it is deleted", () => {
    const version = makeStoredVersion(spec);
    const metadata = {
      ...version.metadata,
      deletionTimestamp: "2026-01-01T00:00:00Z",
      finalizers: ["kubedl.io/old", "model.kubedl.io/volume"],
    };
    const observed = makeObservedVersion({ ...version, metadata });
    expect(reconcileModelVersion(observed, kanikoBuilder).at(-1)).toMatchObject({
      type: "patch",
      operations: [{ op: "test" }, { op: "remove", path: "/metadata/finalizers/1" }],
    });
  });
});

test("a version without a repository has no image, so no two of them want the same one", () => {
  expect(references(makeStoredVersion(undefined))).toEqual({});
});

test("a version whose model's name can be no label makes no Model", () => {
  const version = makeStoredVersion(
    { ...SPEC, modelName: "My Model" },
    { imageBuildPhase: "ImageBuildFailed" },
  );
  expect(reconcileModelVersion(makeObservedVersion(version), kanikoBuilder)).toEqual([]);
});
