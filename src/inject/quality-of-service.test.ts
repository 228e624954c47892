import { describe, expect, test } from "vitest";
import { makePod } from "../../test/make/pod.ts";
import type { ResourceRequirements } from "../api/kube-types.ts";
import { commonLimits, isGuaranteed, largestLimits } from "./quality-of-service.ts";

const FULL = { cpu: "1", memory: "1Gi" };

function podWith(...resources: readonly ResourceRequirements[]) {
  return makePod((pod) => {
    Object.assign(pod.spec, {
      containers: resources.map((each, index) => ({ name: `c${index}`, resources: each })),
    });
  });
}

describe("a pod is Guaranteed", () => {
  test.each<[string, ResourceRequirements[]]>([
    ["limits alone, which requests default to", [{ limits: FULL }]],
    ["requests equal to limits", [{ requests: FULL, limits: FULL }]],
    [
      "the same amounts written differently",
      [{ requests: { cpu: "1000m", memory: "1024Mi" }, limits: FULL }],
    ],
    ["limits in every container", [{ limits: FULL }, { limits: { cpu: "700m", memory: "1G" } }]],
  ])("with %s", (_, resources) => {
    expect(isGuaranteed(podWith(...resources))).toBe(true);
  });
});

describe("a pod is not Guaranteed", () => {
  test.each<[string, ResourceRequirements[]]>([
    ["no resources", [{}]],
    ["requests alone", [{ requests: FULL }]],
    ["a limit of CPU alone", [{ limits: { cpu: "1" } }]],
    ["smaller requests", [{ requests: { cpu: "500m" }, limits: FULL }]],
    ["limits of zero, which Kubernetes takes for none", [{ limits: { cpu: "0", memory: "0" } }]],
    ["a container without limits", [{ limits: FULL }, {}]],
    ["no containers", []],
    ["limits that are no quantities", [{ limits: { cpu: "much", memory: "1Gi" } }]],
  ])("with %s", (_, resources) => {
    expect(isGuaranteed(podWith(...resources))).toBe(false);
  });

  test("with an init container without limits", () => {
    const pod = makePod((each) => {
      each.spec.initContainers = [{ name: "init" }];
      each.spec.containers[0].resources = { limits: FULL };
    });
    expect(isGuaranteed(pod)).toBe(false);
  });
});

test("the largest limits are taken one by one from all containers", () => {
  const pod = podWith(
    { limits: { cpu: "1", memory: "512Mi" } },
    { limits: { cpu: "500m", memory: "1Gi", "nvidia.com/gpu": "1" } },
  );
  expect(largestLimits(pod)).toEqual({ requests: FULL, limits: FULL });
});

test("common limits are those that every container sets, the largest of each", () => {
  const pod = podWith(
    { limits: { cpu: "1", memory: "1Gi" } },
    { limits: { cpu: "1500m", "nvidia.com/gpu": "1" } },
  );
  expect(commonLimits(pod)).toEqual({ cpu: "1500m" });
  expect(commonLimits(podWith({ limits: FULL }, {}))).toEqual({});
});
