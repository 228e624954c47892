import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import {
  DIGEST,
  leavingVersion,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "../../test/make/modelversion.ts";
import { makePod, makeUsingPod } from "../../test/make/pod.ts";
import { ANNOTATIONS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Action } from "./action.ts";
import { outlived, reconcileRetention, type Workload } from "./retention.ts";

const FIVE = [1, 2, 3, 4, 5].map((day) => namedVersion(`v${day}`, day));
const LOOK_AGAIN = { type: "requeueAfter", ms: 600_000 };

describe("a Model that keeps its last two versions", () => {
  test.each<[string, readonly ModelVersion[], readonly string[]]>([
    ["outlives all that are older", FIVE, ["v1", "v2", "v3"]],
    ["outlives none while there are no more than two", FIVE.slice(3), []],
    ["outlives none while it has one", FIVE.slice(4), []],
    ["outlives none while it has none", [], []],
    ["counts built versions only", [...FIVE.slice(3), failed("v6", 6), failed("v7", 7)], []],
    [
      "outlives failed ones that are older, and none that is newer",
      [failed("v0", 1), ...FIVE.slice(1), failed("v6", 6)],
      ["v0", "v2", "v3"],
    ],
    [
      "outlives no failed one while there are not two that are built",
      [failed("v0", 1), ...FIVE.slice(4)],
      [],
    ],
    [
      "outlives no version that is not built yet, however old",
      [namedVersion("v0", 1, makeModelVersion()), building("va", 1), ...FIVE.slice(3)],
      [],
    ],
    [
      "outlives no failed one whose owner asks for another build",
      [failed("v0", 1, "again"), ...FIVE.slice(3)],
      [],
    ],
    [
      "leaves one alone that is being deleted, which does not count as built either",
      [...FIVE.slice(0, 4), leavingVersion(namedVersion("v5", 5))],
      ["v1", "v2"],
    ],
    [
      "tells those that were made in one second apart by name",
      [namedVersion("c", 1), namedVersion("a", 1), namedVersion("b", 1)],
      ["a"],
    ],
  ])("%s", (_, versions, names) => {
    expect(namesOf(outlived(keeping(2), versions))).toEqual(names);
  });

  test("keeps what its aliases name, wanted or resolved, and its latest", () => {
    const model = keeping(2, {
      spec: { aliases: { production: "v1" } },
      status: {
        aliases: [{ name: "old", modelVersion: "v2", image: "a" }],
        latestVersion: { modelVersion: "v3", imageName: "a" },
      },
    });
    expect(outlived(model, FIVE)).toEqual([]);
  });
});

describe("a Model outlives nothing", () => {
  test.each<[string, Model]>([
    ["when it does not say how many it keeps", makeModel()],
    ["when it has no spec", makeModel((model) => void Object.assign(model, { spec: undefined }))],
    ["when it keeps as many as there are", keeping(5)],
    ["when another schema stored that it keeps none", keeping(0)],
    [
      "when it is being deleted",
      keeping(1, { metadata: { deletionTimestamp: "2026-11-23T00:00:00Z" } }),
    ],
  ])("%s", (_, model) => {
    expect(outlived(model, FIVE)).toEqual([]);
  });
});

describe("a version that was outlived", () => {
  const two = FIVE.slice(0, 2);

  test("is deleted by its UID, and the Model says so", () => {
    expect(retain([], [])).toEqual([
      {
        type: "delete",
        ref: {
          apiVersion: "model.kubedl.io/v1alpha1",
          kind: "ModelVersion",
          namespace: "team-a",
          name: "v1",
          uid: "uid-v1",
        },
      },
      {
        type: "event",
        ref: {
          apiVersion: "model.kubedl.io/v1alpha1",
          kind: "Model",
          namespace: "team-a",
          name: "mnist",
          uid: "m1",
        },
        kind: "Normal",
        reason: "VersionRetired",
        message:
          "ModelVersion v1 is deleted: spec.retention.keepLast is 1, newer versions are built, and nothing refers to it",
      },
      LOOK_AGAIN,
    ]);
  });

  test("stays while nobody knows who uses it", () => {
    expect(reconcileRetention({ model: keeping(1), versions: two })).toEqual([]);
  });

  test.each<[string, readonly Pod[], readonly Workload[]]>([
    ["a pod has it", [pod("v1")], []],
    ["a pod waits for it", [pod("v1", "Pending")], []],
    ["a Deployment names it, scaled to zero", [], [workload("apps/v1", "Deployment")]],
    ["a StatefulSet names it", [], [workload("apps/v1", "StatefulSet")]],
    ["a DaemonSet names it", [], [workload("apps/v1", "DaemonSet")]],
    ["a ReplicaSet of nobody names it", [], [workload("apps/v1", "ReplicaSet")]],
    ["a job names it that has not ended", [], [workload("batch/v1", "Job")]],
    ["the jobs of a CronJob name it", [], [cronJob()]],
  ])("stays, and is looked at again, while %s", (_, pods, workloads) => {
    expect(retain(pods, workloads)).toEqual([LOOK_AGAIN]);
  });

  test.each<[string, readonly Pod[], readonly Workload[]]>([
    ["a pod had it that has ended", [pod("v1", "Succeeded")], []],
    ["a pod has another", [pod("v2")], []],
    ["a pod says nothing", [makePod()], []],
    ["a Deployment names another", [], [workload("apps/v1", "Deployment", {}, "v2")]],
    ["a Deployment names none", [], [{ apiVersion: "apps/v1", kind: "Deployment", spec: {} }]],
    [
      "a ReplicaSet names it that its Deployment has replaced",
      [],
      [
        workload("apps/v1", "ReplicaSet", {
          metadata: {
            ownerReferences: [
              { apiVersion: "apps/v1", kind: "Deployment", name: "w", uid: "d", controller: true },
            ],
          },
        }),
      ],
    ],
    [
      "a job names it that has ended",
      [],
      [
        workload("batch/v1", "Job", {
          status: { conditions: [{ type: "Complete", status: "True" }] },
        }),
      ],
    ],
  ])("goes although %s", (_, pods, workloads) => {
    expect(deleted(retain(pods, workloads))).toEqual(["v1"]);
  });

  test.each([
    ["stays while a binding delivers it", { modelVersion: "v1" }, []],
    ["goes although a binding delivers another", { modelVersion: "v2" }, ["v1"]],
    ["goes although a binding delivers the latest", { model: "mnist" }, ["v1"]],
  ])("%s", (_, serve, gone) => {
    const binding = {
      metadata: { name: "web" },
      spec: { selector: { matchLabels: { app: "web" } }, serve },
    };
    expect(deleted(retain([], [], [binding]))).toEqual(gone);
  });

  function retain(
    pods: readonly Pod[],
    workloads: readonly Workload[],
    bindings: readonly ModelBinding[] = [],
  ): readonly Action[] {
    const use = { pods, workloads, bindings };
    return reconcileRetention({ model: keeping(1), versions: two, use });
  }
});

test("whatever there is, the newest built versions, what is named and what is built stay", () => {
  const kinds = { built: makeBuiltVersion(), failed: makeFailedVersion(), new: makeModelVersion() };
  const anyVersion = fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom("built" as const, "failed" as const, "new" as const),
    fc.boolean(),
  );
  fc.assert(
    fc.property(
      fc.array(anyVersion, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      (made, keepLast) => {
        const versions = made.map(([day, kind], index) =>
          namedVersion(`${day}-${10 + index}`, day, kinds[kind]),
        );
        const pods = versions
          .filter((__, index) => made[index]?.[2] === true)
          .map(({ metadata }) => pod(metadata.name ?? ""));
        const gone = new Set(
          deleted(
            reconcileRetention({
              model: keeping(keepLast),
              versions,
              use: { pods, workloads: [], bindings: [] },
            }),
          ),
        );
        const built = namesOf(versions.filter(({ status }) => status?.digest === DIGEST));
        const newest = new Set(built.toSorted(byText).slice(-keepLast));
        const named = made.map(([, kind, isUsed], index) => {
          return { kind, isUsed, name: versions[index]?.metadata.name ?? "" };
        });
        const mustStay = named.filter(
          ({ kind, isUsed, name }) => isUsed || kind === "new" || newest.has(name),
        );
        const mustGo = named.filter((each) => each.kind === "built" && !mustStay.includes(each));
        expect(mustStay.filter(({ name }) => gone.has(name))).toEqual([]);
        expect(mustGo.filter(({ name }) => !gone.has(name))).toEqual([]);
      },
    ),
  );
});

interface Change {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

function keeping(keepLast: number, change: Change = {}): Model {
  return makeModel((model) => {
    Object.assign(model.metadata, change.metadata);
    model.spec = { ...change.spec, retention: { keepLast } };
    if (change.status !== undefined) model.status = change.status;
  });
}

function failed(name: string, day: number, retry?: string): ModelVersion {
  const version = namedVersion(name, day, makeFailedVersion());
  if (retry === undefined) return version;
  const annotations = { [VERSION_ANNOTATIONS.retry]: retry };
  return { ...version, metadata: { ...version.metadata, annotations } };
}

function building(name: string, day: number): ModelVersion {
  const version = makeModelVersion((each) => {
    each.status = { imageBuildPhase: "ImageBuilding" };
  });
  return namedVersion(name, day, version);
}

function pod(modelVersion: string, phase = "Running"): Pod {
  const wanted = { modelVersion };
  const digest = phase === "Pending" ? undefined : DIGEST;
  return makeUsingPod((each) => void (each.status = { phase }), { wanted, modelVersion, digest });
}

function template(version: string) {
  return { template: { metadata: { annotations: { [ANNOTATIONS.modelVersion]: version } } } };
}

function workload(apiVersion: string, kind: string, more: object = {}, version = "v1"): Workload {
  return { apiVersion, kind, spec: template(version), ...more };
}

function cronJob(): Workload {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    spec: { jobTemplate: { spec: template("v1") } },
  };
}

function namesOf(versions: readonly ModelVersion[]): readonly string[] {
  return versions.map(({ metadata }) => metadata.name ?? "");
}

function deleted(actions: readonly Action[]): readonly string[] {
  return actions.flatMap((action) => (action.type === "delete" ? [action.ref.name] : []));
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
