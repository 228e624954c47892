import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { JOB_UID } from "../../test/make/pod.ts";
import { makeLimits } from "../../test/make/limits.ts";
import type { Storage } from "../api/storage.ts";
import { trainingStorage, trainingVolume } from "./training-volume.ts";

const JOB = { namespace: "team-a", uid: JOB_UID };
const LIMITS = makeLimits();

function storageWith(storage: Storage, clean = false) {
  const intent = makeExport((each) => {
    each.storage = storage;
    each.clean = clean;
  });
  return trainingStorage(intent, JOB);
}

describe("trainingStorage", () => {
  test("is what the export names", () => {
    const storage = { localStorage: { path: "/models/mnist", nodeName: "node-1" } };
    const training = storageWith(storage);
    expect(training.storage).toEqual(storage);
    expect(training.location).toBe("local:node-1:/models/mnist");
  });

  test.each<[Storage, Storage]>([
    [
      { localStorage: { path: "/models//mnist/", nodeName: "node-1", mountPath: "/out" } },
      { localStorage: { path: "/models/mnist/1111111122", nodeName: "node-1", mountPath: "/out" } },
    ],
    [
      { nfs: { server: "nfs.example", path: "/" } },
      { nfs: { server: "nfs.example", path: "/1111111122" } },
    ],
    [
      { AWSEfs: { volumeHandle: "fs-1:/models/:fsap-1" } },
      { AWSEfs: { volumeHandle: "fs-1:/models/1111111122:fsap-1" } },
    ],
    [
      { persistentVolumeClaim: { claimName: "models" } },
      { persistentVolumeClaim: { claimName: "models", subPath: "1111111122" } },
    ],
  ])("of %j is a directory of the job's own when it is to be clean", (given, own) => {
    const training = storageWith(given, true);
    expect(training.storage).toEqual(own);
    expect(training.location).toBe(training.bound.location("team-a"));
    expect(training.location).not.toBe(storageWith(given).location);
  });

  test.each<[Storage, Storage]>([
    [
      { localStorage: { path: "/models/mnist", nodeName: "node-1" } },
      { localStorage: { path: "//models/./mnist/", nodeName: "node-1", mountPath: "/out" } },
    ],
    [
      { nfs: { server: "nfs.example", path: "/models" } },
      { nfs: { server: "NFS.example", path: "/models/" } },
    ],
    [
      { persistentVolumeClaim: { claimName: "models", subPath: "a/b" } },
      { persistentVolumeClaim: { claimName: "models", subPath: "a//b/" } },
    ],
  ])("is in one place for %j and %j", (one, other) => {
    expect(storageWith(one).location).toBe(storageWith(other).location);
  });

  test("of a claim is another in another namespace", () => {
    const intent = makeExport((each) => {
      each.storage = { persistentVolumeClaim: { claimName: "models" } };
    });
    const elsewhere = trainingStorage(intent, { ...JOB, namespace: "team-b" });
    expect(trainingStorage(intent, JOB).location).not.toBe(elsewhere.location);
  });

  test.each<Storage>([
    {},
    { nfs: { server: "a", path: "/" }, persistentVolumeClaim: { claimName: "b" } },
  ])("of %j is a bug of the caller", (storage) => {
    expect(() => storageWith(storage)).toThrow("the export names no storage, or several");
  });
});

describe("trainingVolume", () => {
  const local = storageWith({ localStorage: { path: "/models/mnist", nodeName: "node-1" } });

  test("has one name and mount at admission and later, when the node is known", () => {
    const early = trainingVolume(local, JOB, LIMITS);
    const late = trainingVolume(local, JOB, LIMITS, "node-1.example");
    expect(early.claimName).toMatch(/^mh-[0-9a-f]{16}$/);
    expect([late.claimName, late.subPath]).toEqual([early.claimName, early.subPath]);
    expect(JSON.stringify(late.make)).toContain('"node-1.example"');
  });

  test("is found by its labels, as ours and of that job", () => {
    const { make } = trainingVolume(local, JOB, LIMITS);
    const labels = {
      "app.kubernetes.io/managed-by": "modelhook",
      "model.kubedl.io/export": "true",
      "model.kubedl.io/job-uid": JOB_UID,
    };
    expect(make?.volume.metadata?.labels).toEqual(labels);
    expect(make?.claim.metadata?.labels).toEqual(labels);
  });

  test("can be bound by no other claim, and is never a disk of a default class", () => {
    const { claimName, make } = trainingVolume(local, JOB, LIMITS);
    expect(make?.volume.spec).toMatchObject({
      claimRef: { namespace: "team-a", name: claimName },
      storageClassName: "",
      persistentVolumeReclaimPolicy: "Retain",
    });
    expect(make?.claim.spec).toMatchObject({ volumeName: claimName, storageClassName: "" });
  });

  test("of a user's claim is that claim, and nothing is made", () => {
    const claim = storageWith({ persistentVolumeClaim: { claimName: "models", subPath: "a" } });
    expect(trainingVolume(claim, JOB, LIMITS)).toEqual({ claimName: "models", subPath: "a" });
  });

  test("is refused outside of what the administrator allows by now", () => {
    expect(() =>
      trainingVolume(
        local,
        JOB,
        makeLimits((each) => void (each.localPrefixes = [])),
      ),
    ).toThrow("no allowed prefix holds /models/mnist");
  });
});
