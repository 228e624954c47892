import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LABELS } from "../../../src/api/annotations.ts";
import type { Job, Pod } from "../../../src/api/kube-types.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import {
  apply,
  eventually,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  read,
  whenBuilt,
  type TestNode,
} from "../node.ts";
import { builtOnce, resultOf } from "./builds.ts";
import { hashesIn, localStorage, modelVersion, onHost, writeModel } from "./models.ts";
import { CATCHABLE_BYTES, holdPush } from "./push.ts";
import { freeze, leave, lose, whenAnotherLeads, whenReplicasAreReady } from "./replicas.ts";
import { exportingJob, servingPod } from "./workloads.ts";

const NAMESPACE = "faults-leader";

describe("exactly one image comes of a build", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
  });
  afterEach(async () => whenReplicasAreReady(node));
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test("whose leader is killed while it pushes, before it is recorded, or before its job has ended", async () => {
    const job = await startTraining("trained");
    await startBuild("pushing", CATCHABLE_BYTES);
    const push = await holdPush(node, NAMESPACE, "pushing");
    await startBuild("pushed");
    await whenBuildPodIs("pushed", "Pending", "Running", "Succeeded");
    const leader = await whenAnotherLeads(node);
    // From now on nobody can record what the build pod says.
    await freeze(leader);
    await whenBuildPodIs("pushed", "Succeeded");
    await lose(node, leader);
    push.resume();
    await writeFile(join(await directoryOf("trained"), "go"), "");
    await whenAnotherLeads(node, leader);

    for (const name of ["pushing", "pushed"]) {
      const [result, wanted] = await resultsOf(name);
      expect(result).toEqual(wanted);
    }
    const selector = `${LABELS.jobUid}=${job.metadata?.uid}`;
    const exported = await eventually("the version of the job", async () => {
      const versions = await list<ModelVersion>(node, NAMESPACE, "modelversions", selector);
      return versions.length > 0 ? versions : undefined;
    });
    expect(exported.length).toBe(1);
    const [result, wanted] = await resultsOf(exported[0]?.metadata.name ?? "", "trained");
    expect(result).toEqual(wanted);
    expect(await read(node, NAMESPACE, "job", "trained")).toBeUndefined();
  });

  test("whose leader leaves while it pushes, and the next one is killed as soon as it leads", async () => {
    await startBuild("handed-over", CATCHABLE_BYTES);
    const push = await holdPush(node, NAMESPACE, "handed-over");
    const leader = await whenAnotherLeads(node);
    await leave(node, leader);
    const next = await whenAnotherLeads(node, leader);
    await lose(node, next);
    push.resume();
    // Nobody leads: the pod can only wait. Nor may anybody be ready yet who could admit it.
    await eventually("an answer to a pod", async () => {
      await apply(node, NAMESPACE, servingPod(node, "waiting", "handed-over"));
      return true;
    });
    await whenAnotherLeads(node, next);
    const [result, wanted] = await resultsOf("handed-over");
    expect(result).toEqual(wanted);
    await kubectl(node, NAMESPACE, "wait", "--for=condition=Ready", "pod/waiting", "--timeout=60s");
  });

  test("whose leader freezes while it pushes, and wakes up when another leads", async () => {
    await startBuild("frozen", CATCHABLE_BYTES);
    const push = await holdPush(node, NAMESPACE, "frozen");
    const leader = await whenAnotherLeads(node);
    const frozen = await freeze(leader);
    await whenAnotherLeads(node, leader);
    push.resume();
    frozen.thaw();
    const [result, wanted] = await resultsOf("frozen");
    expect(result).toEqual(wanted);
  });

  async function startBuild(name: string, bytes = 0): Promise<void> {
    const path = `/models/${NAMESPACE}/${name}`;
    await writeModel(node, path, bytes);
    await apply(node, NAMESPACE, modelVersion(node, name, path));
  }

  /** Starts a job that is collected as soon as it has ended, which it does when there is a file `go` in its directory. */
  async function startTraining(name: string): Promise<Job> {
    const intent = {
      modelName: name,
      storage: localStorage(node, `/models/${NAMESPACE}/${name}`),
    };
    const script = "echo weights >weights.bin; until [ -e go ]; do sleep 0.1; done";
    const job = exportingJob(node, name, intent, script) as { readonly spec: object };
    const spec = { ...job.spec, ttlSecondsAfterFinished: 0 };
    await apply(node, NAMESPACE, { ...job, spec });
    return eventually("the training", async () => {
      const live = await read<Job>(node, NAMESPACE, "job", name);
      return live?.status?.ready === 1 ? live : undefined;
    });
  }

  async function whenBuildPodIs(name: string, ...phases: readonly string[]): Promise<void> {
    await eventually(`the build pod of ${name}`, async () => {
      const version = await read<ModelVersion>(node, NAMESPACE, "modelversion", name);
      const selector = `${LABELS.versionUid}=${version?.metadata.uid}`;
      const [pod] = await list<Pod>(node, NAMESPACE, "pods", selector);
      return phases.includes(pod?.status?.phase ?? "");
    });
  }

  /** What came of a build, and what should come of it: one image, by one attempt. */
  async function resultsOf(name: string, directory = name): Promise<readonly [object, object]> {
    const version = await whenBuilt(node, NAMESPACE, name);
    const hashes = await hashesIn(await directoryOf(directory));
    const attempts = version.status?.startedAttempts;
    const result = await resultOf(node, version);
    return [
      { ...result, attempts },
      { ...builtOnce(version, hashes), attempts: 1 },
    ];
  }

  async function directoryOf(name: string): Promise<string> {
    return onHost(node, `/models/${NAMESPACE}/${name}`);
  }
});
