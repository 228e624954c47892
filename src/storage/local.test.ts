import { describe, expect, test } from "vitest";
import { makeVolumeRequest } from "../../test/make/volume-request.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { localProvider } from "./local.ts";

const LIMITS = makeLimits((each) => {
  each.localPrefixes = ["/models", "/models/team-a"];
});

describe("local storage", () => {
  test.each(["/models", "/models/mnist", "/models//mnist/", "/models/team-a/x"])(
    "may lie at %s, below an allowed prefix",
    (path) => {
      expect(localProvider.validate({ path, nodeName: "node-1" }, "f", LIMITS)).toEqual([]);
    },
  );

  test.each([
    ["models", '"models" must be an absolute path below / without ".."'],
    ["/models/../etc", '"/models/../etc" must be an absolute path below / without ".."'],
    ["/", '"/" must be an absolute path below / without ".."'],
    ["/etc", '"/etc" is not allowed: allowed are directories below /models, /models/team-a'],
    [
      "/modelsx",
      '"/modelsx" is not allowed: allowed are directories below /models, /models/team-a',
    ],
  ])("may not lie at %s", (path, message) => {
    const faults = localProvider.validate(
      { path, nodeName: "node-1" },
      "spec.storage.localStorage",
      LIMITS,
    );
    expect(faults).toMatchObject([{ field: "spec.storage.localStorage.path", message }]);
  });

  test("may lie nowhere where the administrator allows nothing", () => {
    const [fault] = localProvider.validate(
      { path: "/models", nodeName: "n" },
      "f",
      makeLimits((each) => void (each.localPrefixes = [])),
    );
    expect(fault?.message).toBe(
      '"/models" is not allowed: the administrator allows this namespace no path on a node (localStorage.allowedPrefixes)',
    );
  });

  test("is one place on one node, however its path is written", () => {
    expect(at("/models//a/./b/")).toBe(at("/models/a/b"));
    expect(at("/models/a", "node-2")).not.toBe(at("/models/a"));
  });

  test.each([
    ["/models/mnist/run-1", "/models", "mnist/run-1"],
    ["/models/team-a/run-1", "/models/team-a", "run-1"],
    ["/models/", "/models", undefined],
  ])(
    "at %s is a volume on the longest prefix, and the rest a directory in it",
    (path, prefix, subPath) => {
      const plan = localProvider.plan({ path, nodeName: "node-1" }, makeVolumeRequest());
      expect(plan.make?.volume.spec?.local).toEqual({ path: prefix });
      expect([plan.claimName, plan.subPath]).toEqual(["mh-1", subPath]);
    },
  );

  test("binds its pods to the node by the label that the node has", () => {
    const { make } = localProvider.plan(
      { path: "/models", nodeName: "node-1" },
      makeVolumeRequest(),
    );
    expect(make?.volume.spec?.nodeAffinity?.required?.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["host-1"] }] },
    ]);
    expect(make?.volume.spec?.hostPath).toBeUndefined();
  });

  test("that is no longer allowed is not made into a volume", () => {
    const request = {
      ...makeVolumeRequest(),
      limits: makeLimits((each) => void (each.localPrefixes = [])),
    };
    expect(() => localProvider.plan({ path: "/models", nodeName: "n" }, request)).toThrow(
      new RangeError("no allowed prefix holds /models"),
    );
  });
});

function at(path: string, nodeName = "node-1"): string {
  return localProvider.location({ path, nodeName }, "any");
}
