import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Job, Pod } from "../../src/api/kube-types.ts";
import type { ModelBinding } from "../../src/api/modelbinding.ts";
import { answer } from "./answer.ts";
import { builtReport, nextBuild } from "./builds.ts";
import {
  NODE,
  asking,
  exportOf,
  exportedBy,
  gatesOf,
  isKept,
  jobOf,
  placeOf,
  podOf,
  recordOf,
  trainingTemplate,
  variableOf,
  versionNameOf,
  versionsOf,
} from "./exporting.ts";
import { addNode, becomeReady, eventsOn, eventually, read, succeed } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const SOON = { timeout: 20_000 };
const FINALIZER = "model.kubedl.io/export";
const CLAIM = expect.stringMatching(/^mh-[0-9a-f]{16}$/) as string;
/** Has the label that puts bindings into effect. */
const LAB = "lab";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, NODE);
  await plane.kubectl(["create", "namespace", LAB]);
  await plane.kubectl(["label", "namespace", LAB, "model.kubedl.io/injection=enabled"]);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("a Job whose pods a binding selects", () => {
  const intent = exportOf("bound");
  const labels = { app: "train" };

  beforeAll(async () => {
    await answer(plane, {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelBinding",
      metadata: { name: "trainings", namespace: LAB },
      spec: { selector: { matchLabels: labels }, export: intent },
    });
    await answer(plane, jobOf("bound", { namespace: LAB }, trainingTemplate({ labels })));
  });

  test("has pods that write to the volume of the export, and wait until it is there", async () => {
    const job = await liveJob("bound");
    const pod = await podOf(plane, "bound");
    expect(pod.metadata?.labels).toMatchObject({
      [FINALIZER]: "true",
      "model.kubedl.io/job-uid": job?.metadata?.uid,
    });
    expect(JSON.parse(pod.metadata?.annotations?.[FINALIZER] ?? "")).toEqual(intent);
    expect(pod.metadata?.finalizers).not.toContain(FINALIZER);
    expect(placeOf(pod)).toEqual(CLAIM);
    expect(variableOf(pod, "KUBEDL_MODEL_WRITER")).toBe("true");
    await expect.poll(async () => gatesOf(await podOf(plane, "bound")), SOON).toEqual([]);
  });

  test("is held like one that asks by itself, and its record says what for", async () => {
    const job = await liveJob("bound");
    expect(isKept(job)).toBe(true);
    expect(job?.metadata?.labels).toMatchObject({ [FINALIZER]: "true" });
    expect(recordOf(job)).toMatchObject({
      uid: job?.metadata?.uid,
      claim: CLAIM,
      binding: "trainings",
      intent,
    });
  });

  test("is counted in the binding's status while its pod runs", async () => {
    await becomeReady(plane, await podOf(plane, "bound"));
    const binding = ["modelbinding", "trainings", "--namespace", LAB];
    await plane.kubectl(["annotate", ...binding, `touched=at-${Date.now()}`]);
    const said = async (): Promise<ModelBinding["status"]> =>
      (await read<ModelBinding>(plane, "modelbinding", "trainings", LAB))?.status;
    await expect.poll(said, SOON).toMatchObject({ injected: 1, notInjected: 0 });
    expect((await said())?.conditions?.map(({ message }) => message)).toEqual([
      "what the jobs of the pods that it selects write is exported when they succeed",
      "1 running pod belongs to a job of which the model is exported",
    ]);
  });

  test("becomes one version when it succeeds, though the binding has gone", async () => {
    const job = await liveJob("bound");
    const pod = await podOf(plane, "bound");
    await plane.kubectl(["delete", "modelbinding", "trainings", "--namespace", LAB]);
    await succeed(plane, pod);
    const version = await exportedBy(plane, job, async () => liveJob("bound"));
    expect(version.metadata).toMatchObject({ namespace: LAB, name: versionNameOf("bound", job) });
    expect(version.metadata.annotations).toMatchObject({
      "model.kubedl.io/job-kind": "Job",
      "model.kubedl.io/job-name": "bound",
      "model.kubedl.io/pod": pod.metadata?.name,
    });
    expect(version.spec).toEqual({ ...intent, createdBy: "Job/bound" });
  });
});

describe("a pod that a binding would export", () => {
  const labels = { app: "other" };
  const make = async (name: string, annotations: object): Promise<Pod> => {
    const template = trainingTemplate({ labels, annotations });
    await answer(plane, jobOf(name, { namespace: LAB }, template));
    return podOf(plane, name);
  };

  beforeAll(async () => {
    await answer(plane, {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelBinding",
      metadata: { name: "others", namespace: LAB },
      spec: { selector: { matchLabels: labels }, export: exportOf("of-the-binding") },
    });
  });

  test("exports what its own annotation says instead", async () => {
    const pod = await make("says-itself", asking(exportOf("of-the-pod")));
    await expect.poll(async () => gatesOf(await podOf(plane, "says-itself")), SOON).toEqual([]);
    const job = await liveJob("says-itself");
    expect(recordOf(job)).toMatchObject({ claim: placeOf(pod) });
    expect(recordOf(job)).not.toHaveProperty("binding");
    await succeed(plane, pod);
    expect((await exportedBy(plane, job, async () => liveJob("says-itself"))).spec?.modelName).toBe(
      "of-the-pod",
    );
  });

  test("is left alone when it says inject: false", async () => {
    const pod = await make("opted-out", { "model.kubedl.io/inject": "false" });
    expect([placeOf(pod), gatesOf(pod), pod.metadata?.annotations?.[FINALIZER]]).toEqual([
      undefined,
      [],
      undefined,
    ]);
    await succeed(plane, pod);
    await eventually(
      "it is complete",
      async () => (await liveJob("opted-out"))?.status?.succeeded === 1,
    );
    const job = await liveJob("opted-out");
    expect(isKept(job)).toBe(false);
    expect(await versionsOf(plane, job)).toEqual([]);
  });

  test("is left alone when it is a Deployment's, which is told in a warning", async () => {
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "1" };
    const ownerReferences = [{ ...owner, controller: true }];
    const { spec } = trainingTemplate();
    const metadata = { name: "web-0", namespace: LAB, labels, ownerReferences };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec };
    expect(await answer(plane, pod, ["create", "--dry-run=server"])).toBe(
      "Warning: ModelBinding others: spec.export: exports what jobs write; the pod belongs to a ReplicaSet (apps/v1), whose success is not known; left as it is, its model is not exported",
    );
    const created = ["create", "--dry-run=server", "--output=json", "--filename", "-"];
    const stored = JSON.parse(await plane.kubectl(created, JSON.stringify(pod))) as Pod;
    expect([placeOf(stored), gatesOf(stored)]).toEqual([undefined, []]);
  });
});

describe("a pod that exports and belongs to nobody", () => {
  const intent = exportOf("bare");
  const make = async (name: string): Promise<string> =>
    answer(plane, {
      apiVersion: "v1",
      kind: "Pod",
      ...trainingTemplate({ name, annotations: asking(intent) }),
    });

  test("is its own job: it is held by the finalizer, and starts when its volume is there", async () => {
    expect(await make("first")).toBe("pod/first created");
    const pod = await livePod("first");
    expect(pod?.metadata?.finalizers).toContain(FINALIZER);
    expect(pod === undefined ? undefined : placeOf(pod)).toEqual(CLAIM);
    await expect.poll(async () => gatesOf(await livePod("first")), SOON).toEqual([]);
    expect(recordOf(await livePod("first"))).toMatchObject({
      uid: pod?.metadata?.uid,
      claim: CLAIM,
    });
  });

  test("waits while another one writes to the same directory", async () => {
    const first = await livePod("first");
    if (first !== undefined) await becomeReady(plane, first);
    await make("second");
    await expect
      .poll(async () => eventsOn(plane, "second"), SOON)
      .toEqual(["LocationBusy: waits: the location that this job writes to is used by Pod first"]);
    expect(gatesOf(await livePod("second"))).toEqual([FINALIZER]);
  });

  test("becomes one version when it succeeds, and is let go", async () => {
    const first = await livePod("first");
    if (first === undefined) throw new Error("it is gone");
    await succeed(plane, first);
    const version = await exportedBy(plane, first, async () => livePod("first"));
    expect(version.metadata.name).toBe(versionNameOf("bare", first));
    expect(version.spec).toEqual({ ...intent, createdBy: "Pod/first" });
  });

  test("starts when the model of the one before is built, and becomes a version of its own", async () => {
    expect(gatesOf(await livePod("second"))).toEqual([FINALIZER]);
    const first = versionNameOf("bare", await livePod("first"));
    await nextBuild(plane, first, builtReport(first));
    await expect.poll(async () => gatesOf(await livePod("second")), SOON).toEqual([]);
    const second = await livePod("second");
    if (second === undefined) throw new Error("it is gone");
    await succeed(plane, second);
    const version = await exportedBy(plane, second, async () => livePod("second"));
    expect(version.spec?.createdBy).toBe("Pod/second");
  });

  test("is let go without a version when it is deleted before it has succeeded", async () => {
    const other = trainingTemplate({ name: "third", annotations: asking(exportOf("third")) });
    await answer(plane, { apiVersion: "v1", kind: "Pod", ...other });
    const third = await livePod("third");
    expect(isKept(third)).toBe(true);
    await plane.kubectl(["delete", "pod", "third", "--wait=false", "--grace-period=0", "--force"]);
    await expect.poll(async () => livePod("third"), SOON).toBeUndefined();
    expect(await versionsOf(plane, third)).toEqual([]);
    expect(await eventsOn(plane, "third")).toContain(
      "ExportSkipped: the job was deleted before it succeeded; its model is not exported",
    );
  });
});

/** A Job of the namespace with bindings. */
async function liveJob(name: string): Promise<Job | undefined> {
  return read(plane, "job", name, LAB);
}

/** A pod of the namespace without. */
async function livePod(name: string): Promise<Pod | undefined> {
  return read(plane, "pod", name);
}
