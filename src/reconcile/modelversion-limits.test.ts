import { describe, expect, test } from "vitest";
import type { Draft, Tweak } from "../../test/make/frozen.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { makeObservedVersion } from "../../test/make/observed-version.ts";
import { makeStoredVersion } from "../../test/make/stored.ts";
import type { VersionLimits } from "../admission/policy.ts";
import { VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Reason } from "../api/reasons.ts";
import { kanikoBuilder } from "../builder/kaniko.ts";
import type { Action } from "./action.ts";
import { reconcileModelVersion } from "./modelversion.ts";

const REPO = "registry.example/team/mnist";
const NFS = { nfs: { server: "nfs.example", path: "/models" } };

function specOf(storage: object): object {
  return { modelName: "mnist", imageRepo: REPO, storage };
}

type Limit = readonly [
  what: string,
  spec: object,
  limits: Tweak<Draft<VersionLimits>>,
  reason: Reason,
  fault: string,
];

const LIMITS: readonly Limit[] = [
  [
    "the registry",
    specOf(NFS),
    (each) => void (each.registries = ["registry.example/other", "docker.io"]),
    "InvalidObject",
    `spec.imageRepo: "${REPO}" is not allowed: the administrator allows this namespace registry.example/other, docker.io (build.allowedRegistries)`,
  ],
  [
    "any registry",
    specOf(NFS),
    (each) => void (each.registries = []),
    "InvalidObject",
    `spec.imageRepo: "${REPO}" is not allowed: the administrator allows this namespace none (build.allowedRegistries)`,
  ],
  [
    "the engine",
    { ...specOf(NFS), builder: { engine: "kaniko" } },
    (each) => void (each.engines = []),
    "InvalidObject",
    `spec.builder.engine: "kaniko" is not allowed: the administrator allows none (build.allowedEngines)`,
  ],
  [
    "the engine that builds where none is named",
    specOf(NFS),
    (each) => void (each.engines = []),
    "InvalidObject",
    `spec.builder.engine: "kaniko" is not allowed: the administrator allows none (build.allowedEngines)`,
  ],
  [
    "the directory",
    specOf({ localStorage: { path: "/models/a", nodeName: "node-1" } }),
    (each) => void (each.localPrefixes = []),
    "PathNotAllowed",
    `spec.storage.localStorage.path: "/models/a" is not allowed: the administrator allows this namespace no path on a node (localStorage.allowedPrefixes)`,
  ],
  [
    "the NFS server",
    specOf(NFS),
    (each) => void (each.nfsServers = ["other.example"]),
    "InvalidObject",
    `spec.storage.nfs.server: "nfs.example" is not allowed: the administrator allows other.example (nfs.allowedServers)`,
  ],
  [
    "the EFS file system",
    specOf({ AWSEfs: { volumeHandle: "fs-1" } }),
    (each) => void (each.efsFileSystems = ["fs-2"]),
    "InvalidObject",
    `spec.storage.AWSEfs.volumeHandle: "fs-1" is not allowed: the administrator allows fs-2 (AWSEfs.allowedFileSystems)`,
  ],
  [
    "the EFS attribute",
    specOf({ AWSEfs: { volumeHandle: "fs-1", attributes: { mounttargetip: "10.0.0.9" } } }),
    () => {},
    "InvalidObject",
    `spec.storage.AWSEfs.attributes.mounttargetip: "mounttargetip" is not allowed: the administrator allows encryptInTransit (AWSEfs.allowedAttributes)`,
  ],
];

/** Limits that allow all of these. */
const ALLOWING = makeLimits((each) => void (each.efsAttributes = ["*"]));

function reconcile(version: ModelVersion, limits = makeLimits()): readonly Action[] {
  return reconcileModelVersion({ ...makeObservedVersion(version), limits }, kanikoBuilder);
}

/** The status that the first action writes. */
function written(actions: readonly Action[]): ModelVersion["status"] {
  const [first] = actions;
  if (first?.type !== "status") throw new Error("no status is written");
  return first.status;
}

describe.each(LIMITS)(
  "a version stored although %s is not allowed",
  (_, spec, tweak, why, fault) => {
    const limits = makeLimits(tweak);
    const failed = {
      imageBuildPhase: "ImageBuildFailed",
      message: `${why}: ${fault}`,
      conditions: [{ type: "Built", status: "False", reason: why, message: fault }],
    };

    test("fails for good before anything is made, and says which setting keeps it from being built", () => {
      expect(reconcile(makeStoredVersion(spec), limits)).toMatchObject([
        { type: "status", status: failed },
        { type: "event", kind: "Warning", reason: why, message: fault },
      ]);
    });

    test("fails so, too, when the limit came after the build had begun, before its next attempt", () => {
      const begun = written(reconcile(makeStoredVersion(spec), ALLOWING));
      expect(begun?.imageBuildPhase).toBe("ImageBuilding");
      const actions = reconcile(finalized(makeStoredVersion(spec, begun)), limits);
      expect(written(actions)).toMatchObject(failed);
      expect(actions.filter(({ type }) => type === "create")).toMatchObject([
        { object: { kind: "Model" } },
      ]);
    });

    test("is built once it is allowed, when its owner asks for a retry", () => {
      const status = written(reconcile(makeStoredVersion(spec), limits));
      const version = makeStoredVersion(spec, status);
      expect(reconcile(version, ALLOWING).filter(({ type }) => type === "status")).toEqual([]);
      const annotations = { [VERSION_ANNOTATIONS.retry]: "1" };
      const asked = { ...version, metadata: { ...version.metadata, annotations } };
      expect(written(reconcile(asked, limits))).toMatchObject({ ...failed, retry: "1" });
      expect(reconcile(asked, ALLOWING)).toMatchObject([
        { type: "status", status: { imageBuildPhase: "ImageBuilding", retry: "1" } },
        { type: "event", reason: "BuildStarted" },
      ]);
    });
  },
);

test("every limit that is broken is named at once", () => {
  const limits = makeLimits((each) => void Object.assign(each, { registries: [], engines: [] }));
  expect(written(reconcile(makeStoredVersion(specOf(NFS)), limits))?.message).toMatch(
    /^InvalidObject: spec\.imageRepo: .*; spec\.builder\.engine: /,
  );
});

test("a half-done build of KubeDL's is held to the registry that its status names", () => {
  const status = { imageBuildPhase: "ImageBuilding", image: "evil.example/mnist:ab12c" };
  const limits = makeLimits((each) => void (each.registries = ["registry.example"]));
  expect(written(reconcile(makeStoredVersion(specOf(NFS), status), limits))?.message).toBe(
    'InvalidObject: status.image: "evil.example/mnist" is not allowed: the administrator allows this namespace registry.example (build.allowedRegistries)',
  );
});

test("a build whose Job runs goes on, whatever the limits become", () => {
  const begun = written(reconcile(makeStoredVersion(specOf(NFS))));
  const version = finalized(makeStoredVersion(specOf(NFS), begun));
  const job = { metadata: { name: begun?.builderJob ?? "", uid: "job" }, spec: { template: {} } };
  const observed = {
    ...makeObservedVersion(version),
    limits: makeLimits((each) => void (each.registries = [])),
    jobs: [{ ...job, metadata: { ...job.metadata, labels: {} } }],
  };
  const statuses = reconcileModelVersion(observed, kanikoBuilder).filter(
    ({ type }) => type === "status",
  );
  expect(JSON.stringify(statuses)).not.toContain("ImageBuildFailed");
});

function finalized(version: ModelVersion): ModelVersion {
  return { ...version, metadata: { ...version.metadata, finalizers: ["model.kubedl.io/volume"] } };
}
