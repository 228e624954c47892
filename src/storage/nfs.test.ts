import { describe, expect, test } from "vitest";
import { makeVolumeRequest } from "../../test/make/volume-request.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { nfsProvider } from "./nfs.ts";

describe("NFS storage", () => {
  test.each([
    [{ server: "nfs.example", path: "/" }, []],
    [{ server: "10.0.0.1", path: "/export/models" }, []],
    [
      { server: "nfs.example", path: "models" },
      [{ field: "f.path", message: '"models" must be an absolute path without ".."' }],
    ],
    [
      { server: "nfs/example", path: "/models/../etc" },
      [
        { field: "f.path", message: '"/models/../etc" must be an absolute path without ".."' },
        { field: "f.server", message: '"nfs/example" must be a host name or an address' },
      ],
    ],
  ])("of %j has the faults %j", (storage, faults) => {
    expect(nfsProvider.validate(storage, "f", makeLimits())).toMatchObject(faults);
  });

  test.each([
    ["nfs.example", ["*"], undefined],
    ["nfs.example", ["NFS.example"], undefined],
    ["NFS.example", ["nfs.example"], undefined],
    ["nfs.example", [], "the administrator allows none (nfs.allowedServers)"],
    ["nfs.example", ["a", "b"], "the administrator allows a, b (nfs.allowedServers)"],
  ])("on %s, where %j are allowed: %s", (server, allowed, why) => {
    const limits = makeLimits((each) => void (each.nfsServers = allowed));
    const faults = nfsProvider.validate({ server, path: "/" }, "f", limits);
    const message = `"nfs.example" is not allowed: ${why}`;
    expect(faults).toMatchObject(why === undefined ? [] : [{ field: "f.server", message }]);
  });

  test("is one place, however server and path are written", () => {
    expect(at("NFS.example", "/a//b/")).toBe(at("nfs.example", "/a/b"));
    expect(at("nfs.example", "/a")).not.toBe(at("nfs2.example", "/a"));
  });

  test("is mounted at its root, by a volume that many may write", () => {
    const plan = nfsProvider.plan(
      { server: "nfs.example", path: "/models/a/" },
      makeVolumeRequest(),
    );
    expect(plan.subPath).toBeUndefined();
    expect(plan.make?.volume.spec).toMatchObject({
      accessModes: ["ReadWriteMany"],
      nfs: { server: "nfs.example", path: "/models/a" },
    });
  });
});

function at(server: string, path: string): string {
  return nfsProvider.location({ server, path }, "any");
}
