import { describe, expect, test } from "vitest";
import { makeVolumeRequest } from "../../test/make/volume-request.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { STORAGE_TYPES, type Storage } from "../api/storage.ts";
import { storageOf, storageTypes } from "./bound.ts";

/** One valid storage of each type. */
const STORAGES: Readonly<Record<keyof Storage, Storage>> = {
  localStorage: { localStorage: { path: "/models/a", nodeName: "node-1", mountPath: "/out" } },
  nfs: { nfs: { server: "nfs.example", path: "/a", mountPath: "/out" } },
  AWSEfs: { AWSEfs: { volumeHandle: "fs-1::", mountPath: "/out" } },
  persistentVolumeClaim: { persistentVolumeClaim: { claimName: "models", mountPath: "/out" } },
};

describe.each(STORAGE_TYPES)("a storage of type %s", (type) => {
  const bound = storageOf(STORAGES[type]);

  test("is found, and valid", () => {
    expect(bound).toMatchObject({ type, mountPath: "/out" });
    expect(bound?.validate("spec.storage", makeVolumeRequest().limits)).toEqual([]);
  });

  test("has its faults below its own field", () => {
    const broken = {
      localStorage: { path: "", nodeName: "" },
      nfs: { server: "", path: "" },
      AWSEfs: { volumeHandle: "" },
      persistentVolumeClaim: { claimName: "" },
    };
    const faults = storageOf({ [type]: broken[type] })?.validate(
      "spec.storage",
      makeLimits((each) => void (each.localPrefixes = [])),
    );
    expect(faults?.[0]?.field).toMatch(new RegExp(`^spec\\.storage\\.${type}\\.`));
  });

  test("has a directory of any name below it, which lies elsewhere", () => {
    const below = bound?.below("run-1");
    expect(storageTypes(below)).toEqual([type]);
    expect(storageOf(below)?.location("team-a")).not.toBe(bound?.location("team-a"));
    expect(storageOf(below)?.mountPath).toBe("/out");
  });

  test("is made, where it is, as a pair that only binds each other and keeps the data", () => {
    const make = bound?.plan(makeVolumeRequest()).make;
    const isOurs = type !== "persistentVolumeClaim";
    expect(make?.volume.spec?.claimRef).toEqual(
      isOurs
        ? { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "team-a", name: "mh-1" }
        : undefined,
    );
    expect(make?.volume.spec?.persistentVolumeReclaimPolicy).toBe(isOurs ? "Retain" : undefined);
    expect(make?.volume.spec?.storageClassName).toBe(isOurs ? "" : undefined);
    expect(make?.claim.spec?.storageClassName).toBe(isOurs ? "" : undefined);
    expect(make?.claim.spec?.volumeName).toBe(isOurs ? "mh-1" : undefined);
    expect(make?.claim.metadata?.namespace).toBe(isOurs ? "team-a" : undefined);
  });
});

describe("a storage", () => {
  test.each([
    [undefined, []],
    [{}, []],
    [{ nfs: undefined }, []],
    [{ ...STORAGES.AWSEfs, ...STORAGES.localStorage }, ["localStorage", "AWSEfs"]],
  ])("of %j is none, or several: %j", (storage, types) => {
    expect(storageTypes(storage)).toEqual(types);
    expect(storageOf(storage)).toBeUndefined();
  });

  test("that an old manifest sets to null counts as absent", () => {
    const storage = { nfs: null, ...STORAGES.persistentVolumeClaim } as unknown as Storage;
    expect(storageOf(storage)?.type).toBe("persistentVolumeClaim");
  });
});
