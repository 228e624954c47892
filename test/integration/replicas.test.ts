import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { KubeObject, Pod } from "../../src/api/kube-types.ts";
import { eventually, read } from "./kubelet.ts";
import { readMetric } from "./metrics.ts";
import {
  launchModelhook,
  startModelhook,
  startPlane,
  untilReady,
  type RunningModelhook,
} from "./modelhook.ts";

const NAMESPACE = ["--namespace", "modelhook-system"];
const SOON = { timeout: 20_000 };

describe("replicas on a real API server", () => {
  let plane: ControlPlane;
  let first: RunningModelhook;
  let second: RunningModelhook;
  beforeAll(async () => {
    plane = await startPlane();
  });
  afterAll(async () => {
    await Promise.all([first, second].map(async (each) => each?.kill()));
    await plane?.stop();
  });

  test("the first says what it lacks while it may not tell the API server of itself", async () => {
    await plane.kubectl(["create", "--filename", "-"], strangersLease());
    first = await launchModelhook(plane, { instance: "first" });
    await expect
      .poll(async () => readyz(first), SOON)
      .toEqual({
        status: 503,
        text: "[+]certificate\n[-]configurations: the webhook configurations do not carry our CA yet\n[+]caches\n",
      });
    expect(await readMetric(first, "modelhook_leader")).toBe(0);
    expect(await configuration(plane)).toBeUndefined();
  });

  test("it is ready when it leads and has published both configurations", async () => {
    const free = JSON.stringify({ spec: { holderIdentity: null } });
    await plane.kubectl([...NAMESPACE, "patch", "lease", "modelhook", "--patch", free]);
    await untilReady(first);
    expect(await readyz(first)).toEqual({
      status: 200,
      text: "[+]certificate\n[+]configurations\n[+]caches\n",
    });
    expect(await readMetric(first, "modelhook_leader")).toBe(1);
    expect(await configuration(plane)).toBeDefined();
  });

  test("the second is ready beside it, and does not lead", async () => {
    second = await startModelhook(plane, { instance: "second" });
    expect(await readMetric(second, "modelhook_leader")).toBe(0);
    expect(await readMetric(first, "modelhook_leader")).toBe(1);
  });

  test("the second leads and answers when the first stops", async () => {
    const stopped = first.stop();
    const leads = async (): Promise<number> => readMetric(second, "modelhook_leader");
    await expect.poll(leads, SOON).toBe(1);
    await stopped;
    await eventually("a pod is created", async () =>
      plane.kubectl(["create", "--filename", "-"], servingPod()),
    );
    const pod = await read<Pod>(plane, "pod", "serve");
    expect(pod?.spec?.schedulingGates).toEqual([{ name: "model.kubedl.io/build" }]);
    expect(await readMetric(second, "modelhook_admission_requests_total")).toBeGreaterThan(0);
  });
});

async function readyz({ probeUrl }: RunningModelhook): Promise<{ status: number; text: string }> {
  const response = await fetch(`${probeUrl}/readyz`);
  return { status: response.status, text: await response.text() };
}

async function configuration(plane: ControlPlane): Promise<KubeObject | undefined> {
  return read(plane, "mutatingwebhookconfiguration", "modelhook");
}

/** A lease that nobody renews and that holds for longer than any test. */
function strangersLease(): string {
  return JSON.stringify({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "modelhook", namespace: "modelhook-system" },
    spec: { holderIdentity: "somebody else", leaseDurationSeconds: 3600 },
  });
}

function servingPod(): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "serve", annotations: { "model.kubedl.io/model-version": "digits-v1" } },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  });
}
