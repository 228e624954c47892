import { describe, expect, test } from "vitest";
import { makeVolumeRequest } from "../../test/make/volume-request.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { efsProvider } from "./efs.ts";

describe("Amazon EFS storage", () => {
  test.each([
    "fs-0123",
    "fs-0123::",
    "fs-0123:/models:",
    "fs-0123::fsap-4567",
    "fs-0123:models:fsap-4567",
  ])("may have the handle %s", (volumeHandle) => {
    expect(efsProvider.validate({ volumeHandle }, "f", makeLimits())).toEqual([]);
  });

  test.each([
    "0123",
    "fs-",
    "FS-0123",
    "fs-0123:/a/../b:",
    "fs-0123::4567",
    "fs-0123:a:fsap-1:b",
    "",
  ])("may not have the handle %j", (volumeHandle) => {
    expect(efsProvider.validate({ volumeHandle }, "f", makeLimits())).toMatchObject([
      {
        field: "f.volumeHandle",
        message: `${JSON.stringify(volumeHandle)} must be [FileSystemId]:[Subpath]:[AccessPointId], such as fs-0123::fsap-4567`,
      },
    ]);
  });

  test.each([
    ["fs-1", ["*"], undefined],
    ["fs-1:/a:fsap-2", ["fs-1"], undefined],
    ["fs-1::", [], "the administrator allows none (AWSEfs.allowedFileSystems)"],
    ["fs-1::", ["fs-12"], "the administrator allows fs-12 (AWSEfs.allowedFileSystems)"],
  ])("of %s, where %j are allowed: %s", (volumeHandle, allowed, why) => {
    const limits = makeLimits((each) => void (each.efsFileSystems = allowed));
    const faults = efsProvider.validate({ volumeHandle }, "f", limits);
    const message = `"fs-1" is not allowed: ${why}`;
    expect(faults).toMatchObject(why === undefined ? [] : [{ field: "f.volumeHandle", message }]);
  });

  test.each([
    ["fs-1", "fs-1::"],
    ["fs-1:/models:", "fs-1:models/"],
    ["fs-1:/a//b:fsap-2", "fs-1:a/b:fsap-2"],
  ])("is in one place for %s and %s", (one, other) => {
    expect(at(one)).toBe(at(other));
  });

  test.each([
    ["fs-1:/a:", "fs-2:/a:"],
    ["fs-1:/a:", "fs-1:/b:"],
    ["fs-1:/a:", "fs-1:/a:fsap-1"],
  ])("is in two places for %s and %s", (one, other) => {
    expect(at(one)).not.toBe(at(other));
  });

  test("is a volume of the CSI driver, with the attributes as given", () => {
    const storage = { volumeHandle: "fs-1:/models:", attributes: { encryptInTransit: "true" } };
    const { make } = efsProvider.plan(storage, makeVolumeRequest());
    expect(make?.volume.spec).toMatchObject({
      accessModes: ["ReadWriteMany"],
      csi: {
        driver: "efs.csi.aws.com",
        volumeHandle: "fs-1:/models:",
        volumeAttributes: { encryptInTransit: "true" },
      },
    });
  });
});

function at(volumeHandle: string): string {
  return efsProvider.location({ volumeHandle }, "any");
}
