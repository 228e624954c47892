import { describe, expect, test } from "vitest";
import type { Tweak } from "../../test/make/frozen.ts";
import { makePod, type MadePod } from "../../test/make/pod.ts";
import type { ResourceRequirements } from "../api/kube-types.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { copyBytes, inMebibytes, loaderResources } from "./loader-resources.ts";

const MIB = 2 ** 20;
const DEFAULTS = deepFreeze({ requests: { cpu: "50m" }, limits: { memory: "256Mi" } });

function resourcesOf(
  tweak: Tweak<MadePod>,
  copies?: number,
  wanted?: ResourceRequirements,
): ResourceRequirements {
  return loaderResources(makePod(tweak), wanted && deepFreeze(wanted), DEFAULTS, copies);
}

describe("a loader's resources", () => {
  test("are the administrator's", () => {
    expect(resourcesOf(() => {})).toEqual(DEFAULTS);
  });

  test("are those that the pod asks for", () => {
    const wanted = { requests: { cpu: "1" } };
    expect(resourcesOf(() => {}, undefined, wanted)).toEqual(wanted);
  });

  test("are the largest of a Guaranteed pod, which stays one", () => {
    const limits = { cpu: "2", memory: "1Gi" };
    expect(resourcesOf((pod) => void (pod.spec.containers[0].resources = { limits }))).toEqual({
      requests: limits,
      limits,
    });
  });

  test.each([
    [{ cpu: "2" }, { cpu: "50m" }, { cpu: "2", memory: "256Mi" }],
    [{ cpu: "20m" }, { cpu: "20m" }, { cpu: "20m", memory: "256Mi" }],
    [{ memory: "64Mi" }, { cpu: "50m" }, { memory: "64Mi" }],
  ])("have the limits %j of containers that all have them", (given, requests, limits) => {
    expect(
      resourcesOf((pod) => {
        pod.spec.containers[0].resources = { requests: { cpu: "1m" }, limits: given };
      }),
    ).toEqual({ requests, limits });
  });

  test("have no limit that a container does without", () => {
    expect(
      resourcesOf((pod) => {
        pod.spec.containers[0].resources = { limits: { cpu: "2" } };
        pod.spec.containers.push({ name: "sidecar" });
      }),
    ).toEqual(DEFAULTS);
  });

  test.each(["limits", "requests"] as const)("are none below %s of the whole pod", (list) => {
    expect(
      resourcesOf((pod) => {
        pod.spec.resources = { [list]: { memory: "128Mi" } };
      }),
    ).toEqual({});
  });

  test("request room for the copy", () => {
    expect(resourcesOf(() => {}, 110 * MIB)).toEqual({
      requests: { cpu: "50m", "ephemeral-storage": "110Mi" },
      limits: { memory: "256Mi" },
    });
  });

  test("request room below what the whole pod may use, too", () => {
    expect(
      resourcesOf((pod) => void (pod.spec.resources = { limits: { memory: "1Gi" } }), MIB),
    ).toEqual({ requests: { "ephemeral-storage": "1Mi" } });
  });

  test("limit the pod to its own storage and the copy, where its containers have a limit", () => {
    const limits = { "ephemeral-storage": "10Mi" };
    const resources = resourcesOf(
      (pod) => void (pod.spec.containers[0].resources = { limits }),
      110 * MIB,
    );
    expect(resources.limits).toEqual({ memory: "256Mi", "ephemeral-storage": "120Mi" });
    expect(resources.requests).toEqual({ cpu: "50m", "ephemeral-storage": "110Mi" });
  });

  test("limit the pod to the storage of a sidecar that lasts, its containers' and the copy", () => {
    const limits = { "ephemeral-storage": "10Mi" };
    const resources = resourcesOf((pod) => {
      pod.spec.containers[0].resources = { limits };
      pod.spec.initContainers = [{ name: "proxy", restartPolicy: "Always", resources: { limits } }];
    }, 110 * MIB);
    expect(resources.limits?.["ephemeral-storage"]).toBe("130Mi");
  });

  test.each(["requests", "limits"] as const)(
    "keep the storage %s that the pod asks for",
    (list) => {
      const wanted = { [list]: { "ephemeral-storage": "1Gi" } };
      const tweak: Tweak<MadePod> = (each) => void (each.spec.containers[0].resources = wanted);
      expect(resourcesOf(tweak, 110 * MIB, wanted)).toEqual(wanted);
    },
  );
});

test.each([
  [undefined, 0, undefined],
  [undefined, 256_000, undefined],
  [0, 0, "1Mi"],
  [1, 1, "1Mi"],
  [MIB, 1, "2Mi"],
  [100 * MIB, 0, "110Mi"],
  [100 * MIB, 256_000, "2110Mi"],
  [2 ** 40, 1, "1153434Mi"],
])("a copy of %s bytes in %s files takes %s", (bytes, files, quantity) => {
  const copy = copyBytes(bytes, files);
  expect(copy === undefined ? undefined : inMebibytes(copy)).toBe(quantity);
});

test("the room of several copies is the sum of theirs, since each is whole mebibytes", () => {
  const copies = [1, MIB, 3.5 * MIB].map((bytes) => copyBytes(bytes, 1) ?? 0);
  expect(copies.map((copy) => copy % MIB)).toEqual([0, 0, 0]);
  expect(inMebibytes(copies.reduce((sum, copy) => sum + copy, 0))).toBe("7Mi");
});
