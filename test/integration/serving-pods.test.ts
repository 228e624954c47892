import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

describe("a serving pod on a real API server", () => {
  let plane: ControlPlane;
  let modelhook: RunningModelhook;

  beforeAll(async () => {
    plane = await startPlane();
    modelhook = await startModelhook(plane);
  });
  afterAll(async () => {
    await modelhook?.stop();
    await plane?.stop();
  });

  test("of an unknown version is admitted with a warning and waits behind the gate", async () => {
    await plane.kubectl(["apply", "-f", "-"], pod("early", "not-there"));
    const live = JSON.parse(await plane.kubectl(["get", "pod", "early", "-o", "json"])) as {
      spec: { schedulingGates: unknown; initContainers: { image: string }[] };
    };
    expect(live.spec.schedulingGates).toEqual([{ name: "model.kubedl.io/build" }]);
    expect(live.spec.initContainers[0]?.image).toMatch(/^modelhook\.invalid\/pending@sha256:0+$/);
  });
});

function pod(name: string, modelVersion: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations: { "model.kubedl.io/model-version": modelVersion } },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  });
}
