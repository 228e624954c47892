import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../../deploy/local/command.ts";
import { LABELS } from "../../../src/api/annotations.ts";
import type { Job, KubeObject, Pod } from "../../../src/api/kube-types.ts";
import { ENGINES, type ModelVersion } from "../../../src/api/modelversion.ts";
import {
  apply,
  eventsOn,
  eventually,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  read,
  whenBuilt,
  whenSaid,
  type TestNode,
} from "../node.ts";
import { tracesOf, whenNothingIsLeft } from "./builds.ts";
import { hashesIn, hashesOfImage, localStorage, onHost } from "./models.ts";
import { exportingJob, logsByPod, servingPod } from "./workloads.ts";

const NAMESPACE = "faults-jobs";

/** Writes a file, and after a while another, then prints the hashes of both. */
const TRAIN = `
  for shard in a b; do
    head -c 100000 /dev/urandom >$shard
    sleep 0.5
  done
  find . -type f -print0 | sort -z | xargs -0 sha256sum`;

/** Writes until it is killed, as a training that does not hear signals. */
const WRITE_TO_THE_END = "trap '' TERM; while true; do date >log; sleep 0.1; done";

describe("an exporting job", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test.concurrent("that fails is let go without a version, and says so", async () => {
    const job = await start("failing", "echo half >weights.bin; exit 3");
    await eventually("the end of its finalizer", async () => !(await isHeld("failing")));
    await whenSaid(
      node,
      NAMESPACE,
      { kind: "Job", name: "failing" },
      "Warning ExportSkipped: the job failed; its model is not exported",
    );
    // Its pod, ended as it is, protects the claim.
    await kubectl(node, NAMESPACE, "delete", "job/failing", "--timeout=30s");
    await whenNothingIsLeftOf(job);
    expect(await versionsOf(job)).toEqual([]);
  });

  test.concurrent("that is deleted while it runs, or before it may run, goes at once", async () => {
    const running = await start("running", "sleep 3600");
    await whenRunning(running);
    // The same location: it has to wait.
    const waiting = await start("waiting", "sleep 3600", { modelName: "running" });
    await eventually("its wait", async () => (await saidTo(waiting)).includes("LocationBusy"));
    const jobs = ["job/waiting", "job/running"];
    await kubectl(node, NAMESPACE, "delete", ...jobs, "--timeout=30s");
    for (const job of [running, waiting]) {
      await whenNothingIsLeftOf(job);
      expect(await versionsOf(job)).toEqual([]);
    }
  });

  test.concurrent("that replaces another waits until the pod of that has ended", async () => {
    const before = await start("replaced", WRITE_TO_THE_END, { modelName: "replaced" }, 6);
    await whenRunning(before);
    await kubectl(node, NAMESPACE, "delete", "job/replaced", "--timeout=30s");
    const after = await start("replaced", "rm -f log; sleep 1; [ ! -e log ]; echo done >weights");
    await eventually("its wait", async () =>
      /LocationBusy: .* is used by Pod replaced-/.test(await saidTo(after)),
    );
    const built = await whenBuilt(node, NAMESPACE, await exportedBy(after));
    const directory = await onHost(node, `/models/${NAMESPACE}/replaced`);
    expect(await hashesOf(built)).toBe(await hashesIn(directory));
  });

  test.concurrent("of which a pod has failed exports what the next one leaves", async () => {
    const script = "[ -e tried ] || { echo >tried; exit 1; }; echo weights >weights.bin";
    const path = `/models/${NAMESPACE}/retried`;
    const intent = { modelName: "retried", storage: localStorage(node, path) };
    const job = exportingJob(node, "retried", intent, script) as { readonly spec: object };
    await apply(node, NAMESPACE, { ...job, spec: { ...job.spec, backoffLimit: 1 } });
    const version = await whenBuilt(
      node,
      NAMESPACE,
      await exportedBy(await whenComplete("retried")),
    );
    expect(await hashesOf(version)).toBe(await hashesIn(await onHost(node, path)));
  });

  test.concurrent("that is collected as soon as it has succeeded leaves exactly one version", async () => {
    const path = `/models/${NAMESPACE}/collected`;
    const intent = { modelName: "collected", storage: localStorage(node, path) };
    const job = exportingJob(node, "collected", intent, TRAIN) as { spec: object };
    await apply(node, NAMESPACE, {
      ...job,
      spec: { ...job.spec, ttlSecondsAfterFinished: 0 },
    });
    const started = await read<Job>(node, NAMESPACE, "job", "collected");
    if (started === undefined) throw new Error("it went before it was read");
    await eventually("its end", async () => {
      return (await read<Job>(node, NAMESPACE, "job", "collected")) === undefined;
    });
    const [version, ...others] = await versionsOf(started);
    expect(others).toEqual([]);
    const built = await whenBuilt(node, NAMESPACE, version?.metadata.name ?? "");
    expect(await hashesOf(built)).toBe(await hashesIn(await onHost(node, path)));
    await whenNothingIsLeftOf(started);
  });

  test.concurrent.for(ENGINES)(
    "waits while another writes to its location, and while that is built by %s: nothing is mixed",
    async (engine) => {
      const shared = { modelName: `shared-${engine}`, builder: { engine } };
      const jobs = await Promise.all(
        ["one", "two"].map((name) => start(`${name}-${engine}`, TRAIN, shared)),
      );
      const built = await Promise.all(
        jobs.map(async (job) => whenBuilt(node, NAMESPACE, await exportedBy(job))),
      );
      for (const [index, job] of jobs.entries()) {
        const printed = await logsByPod(node, NAMESPACE, `job-name=${job.metadata?.name}`);
        const images = built.slice(index, index + 1).map(async (version) => hashesOf(version));
        expect(await Promise.all(images)).toEqual(Object.values(printed));
      }
      const said = (await Promise.all(jobs.map(async (job) => saidTo(job)))).join("\n");
      expect(said).toMatch(
        /Warning LocationBusy: waits: the location that this job writes to is used by the build of ModelVersion shared-/,
      );
    },
  );

  test.concurrent("exports from a claim of the user's, which stays as it is", async () => {
    const directory = await onHost(node, "/foo/claimed");
    await mkdir(join(directory, "others"), { recursive: true });
    await chmod(directory, 0o777);
    await apply(node, NAMESPACE, ...userClaim("claimed", "/foo/claimed"));
    const bound = ["--for=jsonpath={.status.phase}=Bound", "pvc/claimed", "--timeout=60s"];
    await kubectl(node, NAMESPACE, "wait", ...bound);
    const before = await identities("claimed");
    const storage = { persistentVolumeClaim: { claimName: "claimed", subPath: "run-1" } };
    const intent = { modelName: "claimed", storage };
    await apply(node, NAMESPACE, exportingJob(node, "claimed", intent, TRAIN));
    const job = await whenComplete("claimed");
    const trained = await statesIn(directory);

    const version = await whenBuilt(node, NAMESPACE, await exportedBy(job));
    expect(version.spec.storage).toEqual(storage);
    await apply(node, NAMESPACE, servingPod(node, "serving", version.metadata.name ?? ""));
    const ready = ["--for=condition=Ready", "pod/serving", "--timeout=60s"];
    await kubectl(node, NAMESPACE, "wait", ...ready);
    const served = await logsByPod(node, NAMESPACE, "app=serving");
    expect(served["serving"]).toBe(await hashesIn(join(directory, "run-1")));

    await whenNothingIsLeft(node, version);
    const deletion = ["delete", "modelversion", version.metadata.name ?? ""];
    await expect(kubectl(node, NAMESPACE, ...deletion)).rejects.toThrow("1 pod uses");
    await kubectl(node, NAMESPACE, "delete", "pod/serving");
    await kubectl(node, NAMESPACE, ...deletion);
    await kubectl(node, NAMESPACE, "delete", "job/claimed", "--timeout=30s");
    expect(await identities("claimed")).toEqual(before);
    expect(await statesIn(directory)).toBe(trained);
    // No namespace has it.
    await kubectl(node, NAMESPACE, "delete", "pvc/claimed", "pv/claimed");
  });

  /** Starts a job that exports a model of its own, or to the location of another. */
  async function start(
    name: string,
    script: string,
    wanted: { readonly modelName: string; readonly builder?: object } = { modelName: name },
    graceSeconds = 0,
  ): Promise<Job> {
    const storage = localStorage(node, `/models/${NAMESPACE}/${wanted.modelName}`);
    const intent = { ...wanted, storage };
    await apply(node, NAMESPACE, exportingJob(node, name, intent, script, graceSeconds));
    const job = await read<Job>(node, NAMESPACE, "job", name);
    if (job === undefined) throw new Error(`job ${name} is not there`);
    return job;
  }

  async function isHeld(name: string): Promise<boolean> {
    const job = await read<Job>(node, NAMESPACE, "job", name);
    return job?.metadata?.finalizers?.includes("model.kubedl.io/export") === true;
  }

  async function whenComplete(name: string): Promise<Job> {
    const complete = ["--for=condition=Complete", `job/${name}`, "--timeout=120s"];
    await kubectl(node, NAMESPACE, "wait", ...complete);
    const job = await read<Job>(node, NAMESPACE, "job", name);
    if (job === undefined) throw new Error(`job ${name} is not there`);
    return job;
  }

  /** The one pod of a job. */
  async function podOf({ metadata }: Job): Promise<Pod | undefined> {
    const selector = `batch.kubernetes.io/controller-uid=${metadata?.uid}`;
    return (await list<Pod>(node, NAMESPACE, "pods", selector))[0];
  }

  async function whenRunning(job: Job): Promise<void> {
    await eventually(`the pod of ${job.metadata?.name}`, async () => {
      return (await podOf(job))?.status?.phase === "Running";
    });
  }

  /** The events on the pod of a job. */
  async function saidTo(job: Job): Promise<string> {
    const pod = (await podOf(job))?.metadata?.name ?? "";
    return (await eventsOn(node, NAMESPACE, "Pod", pod)).join("\n");
  }

  async function versionsOf(job: Job): Promise<readonly ModelVersion[]> {
    const selector = `${LABELS.jobUid}=${job.metadata?.uid}`;
    return list<ModelVersion>(node, NAMESPACE, "modelversions", selector);
  }

  async function exportedBy(job: Job): Promise<string> {
    return eventually(
      `the version of ${job.metadata?.name}`,
      async () => (await versionsOf(job))[0]?.metadata.name,
      { seconds: 120 },
    );
  }

  async function hashesOf({ spec, status }: ModelVersion): Promise<string> {
    return hashesOfImage(node, `${spec.imageRepo}@${status?.digest}`);
  }

  /** Waits until what was made for the pods of a job is gone. */
  async function whenNothingIsLeftOf(job: Job): Promise<void> {
    await eventually(`the end of the volume of ${job.metadata?.name}`, async () => {
      const traces = await tracesOf(node, NAMESPACE, `${LABELS.jobUid}=${job.metadata?.uid}`);
      return traces.length === 0;
    });
  }

  async function identities(name: string): Promise<object> {
    const claim = await read<KubeObject>(node, NAMESPACE, "pvc", name);
    const volume = await read<KubeObject>(node, NAMESPACE, "pv", name);
    return [claim, volume].map((object) => {
      const { uid, deletionTimestamp, finalizers, labels, ownerReferences } =
        object?.metadata ?? {};
      return { uid, deletionTimestamp, finalizers, labels, ownerReferences };
    });
  }
});

/** Names, owners, modes, sizes and times of everything in a directory. */
async function statesIn(directory: string): Promise<string> {
  const lines = await run("find", [directory, "-printf", "%P %y %U:%G %m %s %T@\n"]);
  return lines.split("\n").toSorted().join("\n");
}

/** A claim as a user makes it, and its volume: a directory of the node. */
function userClaim(name: string, path: string): readonly object[] {
  const spec = {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "",
    volumeMode: "Filesystem",
  };
  return [
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name },
      spec: {
        ...spec,
        capacity: { storage: "1Gi" },
        claimRef: { namespace: NAMESPACE, name },
        hostPath: { path },
        // What is at stake when something of the user's is deleted.
        persistentVolumeReclaimPolicy: "Delete",
      },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name },
      spec: { ...spec, resources: { requests: { storage: "1Gi" } }, volumeName: name },
    },
  ];
}
