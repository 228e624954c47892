import { describe, expect, test } from "vitest";
import type { Tweak } from "../../test/make/frozen.ts";
import {
  DIGEST,
  leavingVersion,
  makeBuiltVersion,
  makeFailedVersion,
} from "../../test/make/modelversion.ts";
import { makeUsingPod, type MadePod } from "../../test/make/pod.ts";
import { makeDeletion } from "../../test/make/request.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { GATES } from "../api/annotations.ts";
import { ZERO_DIGEST } from "../api/image-ref.ts";
import type { Pod } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { imageVolume } from "../inject/image-volume.ts";
import type { ServedModel } from "../inject/serving-status.ts";
import type { Snapshot } from "./snapshot.ts";
import { CLEANERS, decideVersionDeletion } from "./version-deletion.ts";

const BUILT = makeBuiltVersion();

describe("the deletion of a version is denied", () => {
  test.each<[string, readonly Pod[], string]>([
    [
      "while a pod uses it",
      [user("web-1")],
      `1 pod uses "mnist-v1": web-1; delete it first, or let it use another version`,
    ],
    [
      "while several use it",
      [user("web-2"), user("web-1")],
      `2 pods use "mnist-v1": web-1, web-2; delete them first, or let them use another version`,
    ],
    [
      "while many use it, of which a few are named",
      ["e", "d", "c", "b", "a"].map((name) => user(name)),
      `5 pods use "mnist-v1": a, b, c and 2 more; delete them first, or let them use another version`,
    ],
    [
      "while a pod mounts its image",
      [user("web", mounting)],
      `1 pod uses "mnist-v1": web; delete it first, or let it use another version`,
    ],
    [
      "while a pod that asked for an alias of it uses it",
      [user("web", () => {}, { wanted: { model: "mnist", alias: "production" } })],
      `1 pod uses "mnist-v1": web; delete it first, or let it use another version`,
    ],
  ])("%s", (_, pods, message) => {
    expect(decide(BUILT, pods)).toEqual({
      allowed: false,
      reason: "VersionInUse",
      message: `metadata.name: ${message}`,
      causes: [{ field: "metadata.name", message, rule: "VersionInUse" }],
      warnings: [],
    });
  });
});

describe("the deletion of a version goes through", () => {
  test.each<[string, ModelVersion, readonly Pod[]]>([
    ["when nobody uses it", BUILT, []],
    [
      "when it has no image that a pod could have",
      makeBuiltVersion((each) => void delete each.status?.digest),
      [user("web")],
    ],
    [
      "when a pod only says that it uses it",
      BUILT,
      [user("web", (each) => void (each.spec.initContainers = []))],
    ],
    [
      "when pods use another version",
      BUILT,
      [user("web", () => {}, { wanted: { modelVersion: "mnist-v2" }, modelVersion: "mnist-v2" })],
    ],
    [
      "when the pod has the image of an earlier version of this name",
      BUILT,
      [user("web", () => {}, { digest: `sha256:${"b".repeat(64)}` })],
    ],
    [
      "when the pod waits for it, because its build may have to be mended",
      makeFailedVersion(),
      [user("web", waiting, { digest: undefined })],
    ],
    [
      "when the pod waits for it and its image was never set",
      BUILT,
      [user("web", waiting, { digest: undefined })],
    ],
    ["when the pod has ended", BUILT, [user("web", phase("Succeeded"))]],
    ["when the pod has failed", BUILT, [user("web", phase("Failed"))]],
    [
      "when the pod is being deleted",
      BUILT,
      [user("web", (pod) => void (pod.metadata.deletionTimestamp = "2026-11-23T00:00:00Z"))],
    ],
    ["when it is deleted for the second time", leavingVersion(BUILT), [user("web")]],
  ])("%s", (_, version, pods) => {
    expect(decide(version, pods)).toMatchObject({ allowed: true, reason: "Valid", warnings: [] });
  });

  test("when its namespace goes", () => {
    const snapshot = snapshotOf([user("web")], true);
    expect(decideVersionDeletion(makeDeletion(BUILT), snapshot)).toMatchObject({ allowed: true });
  });

  test.each(CLEANERS)("when %s deletes it", (username) => {
    const request = makeDeletion(BUILT, (each) => void (each.userInfo = { username }));
    expect(decideVersionDeletion(request, snapshotOf([user("web")]))).toMatchObject({
      allowed: true,
    });
  });

  test("with a warning when nobody knows who uses it", () => {
    expect(decideVersionDeletion(makeDeletion(BUILT), makeSnapshot())).toMatchObject({
      allowed: true,
      warnings: [
        {
          reason: "UseUnknown",
          message:
            "modelhook could not see in time whether pods use ModelVersion mnist-v1; it is deleted all the same",
        },
      ],
    });
  });

  test("when the collection is asked for as a whole, without an object", () => {
    const request = makeDeletion(BUILT, (each) => void (each.oldObject = null));
    expect(decideVersionDeletion(request, snapshotOf([user("web")]))).toMatchObject({
      allowed: true,
    });
  });
});

function decide(version: ModelVersion, pods: readonly Pod[]) {
  return decideVersionDeletion(makeDeletion(version), snapshotOf(pods));
}

function snapshotOf(pods: readonly Pod[], namespaceEnds = false): Snapshot {
  return makeSnapshot([], (snapshot) => void (snapshot.use = { namespaceEnds, pods }));
}

function user(
  name: string,
  tweak: Tweak<MadePod> = () => {},
  served: Partial<ServedModel> = {},
): MadePod {
  return makeUsingPod((pod) => {
    pod.metadata.name = name;
    tweak(pod);
  }, served);
}

function mounting({ spec }: MadePod): void {
  spec.initContainers = [];
  spec.volumes = [imageVolume("kubedl-model", `registry.example/models/mnist@${DIGEST}`)];
}

function waiting({ spec }: MadePod): void {
  spec.schedulingGates = [{ name: GATES.build }];
  spec.initContainers = [{ name: "kubedl-model-loader", image: `mnist@${ZERO_DIGEST}` }];
}

function phase(name: string): Tweak<MadePod> {
  return (pod) => void (pod.status = { phase: name });
}
