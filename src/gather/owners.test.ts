import { describe, expect, test } from "vitest";
import type { KubeObject, OwnerReference } from "../api/kube-types.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import type { ApiServer } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import { readOwners } from "./owners.ts";

const { signal } = new AbortController();
const JOB = "/apis/batch/v1/namespaces/team-a/jobs/";
const JOBSET = "/apis/jobset.x-k8s.io/v1alpha2/namespaces/team-a/jobsets/";
const TRAINJOB = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/team-a/trainjobs/";
const RAYJOB = "/apis/ray.io/v1/namespaces/team-a/rayjobs/";
const RAYCLUSTER = "/apis/ray.io/v1/namespaces/team-a/rayclusters/";

/** An object as one read gives it, of that name and UID, below these owners. */
function object(name: string, ...ownerReferences: readonly OwnerReference[]): KubeObject {
  return {
    metadata: {
      name,
      namespace: "team-a",
      uid: `uid-of-${name}`,
      ownerReferences: [...ownerReferences],
    },
  };
}

function by(apiVersion: string, kind: string, name: string, parts: object = {}): OwnerReference {
  return { apiVersion, kind, name, uid: `uid-of-${name}`, controller: true, ...parts };
}

const JOB_REF = by("batch/v1", "Job", "job");
const JOBSET_REF = by("jobset.x-k8s.io/v1alpha2", "JobSet", "set");
const TRAINJOB_REF = by("trainer.kubeflow.org/v1alpha1", "TrainJob", "train");

/** An API server that has these objects, and refuses all else with this status. */
function serverWith(objects: Readonly<Record<string, KubeObject>>, status = 404) {
  const asked: string[] = [];
  const api: ApiServer = {
    url: "https://test",
    async request<T>(_method: string, path: string): Promise<T> {
      asked.push(path);
      await Promise.resolve();
      const found = objects[path];
      if (found !== undefined) return found as T;
      const reason = status === 404 ? "NotFound" : "Forbidden";
      throw new ApiError({ status, reason, message: `no ${path}`, details: {}, request: path });
    },
    stream: async () => Promise.reject(new Error("nothing is watched")),
    close: async () => {},
  };
  const read = async (owner: OwnerReference) => readOwners(api, "team-a", owner, JOB_KINDS, signal);
  return { asked, read };
}

function namesOf(owners: readonly KubeObject[]): readonly string[] {
  return owners.map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
}

describe("what stands above a pod is read to the top", () => {
  test("a Job, its JobSet and the TrainJob of that, each with its type and by one read", async () => {
    const { read, asked } = serverWith({
      [`${JOB}job`]: object("job", JOBSET_REF),
      [`${JOBSET}set`]: object("set", TRAINJOB_REF),
      [`${TRAINJOB}train`]: object("train"),
    });
    const owners = await read(JOB_REF);
    expect(namesOf(owners)).toEqual(["Job job", "JobSet set", "TrainJob train"]);
    expect(owners.map(({ apiVersion }) => apiVersion)).toEqual([
      "batch/v1",
      "jobset.x-k8s.io/v1alpha2",
      "trainer.kubeflow.org/v1alpha1",
    ]);
    expect(asked).toEqual([`${JOB}job`, `${JOBSET}set`, `${TRAINJOB}train`]);
  });

  test("by way of a RayCluster, which is no job", async () => {
    const { read } = serverWith({
      [`${RAYCLUSTER}ray`]: object("ray", by("ray.io/v1", "RayJob", "train")),
      [`${RAYJOB}train`]: object("train"),
    });
    expect(namesOf(await read(by("ray.io/v1", "RayCluster", "ray")))).toEqual([
      "RayCluster ray",
      "RayJob train",
    ]);
  });

  test("and past owners that control nothing", async () => {
    const { read } = serverWith({
      [`${JOB}job`]: object(
        "job",
        by("v1", "ConfigMap", "other", { controller: false }),
        JOBSET_REF,
      ),
      [`${JOBSET}set`]: object("set"),
    });
    expect(namesOf(await read(JOB_REF))).toEqual(["Job job", "JobSet set"]);
  });
});

describe("what stands above a pod is read as far as", () => {
  test("its kinds are known: nobody asks for others", async () => {
    const workflow = by("argoproj.io/v1alpha1", "Workflow", "flow");
    const { read, asked } = serverWith({ [`${JOB}job`]: object("job", workflow) });
    expect(namesOf(await read(JOB_REF))).toEqual(["Job job"]);
    expect(await read(workflow)).toEqual([]);
    expect(asked).toEqual([`${JOB}job`]);
  });

  test("its versions are known: another group's or version's kind of that name is another", async () => {
    const { read, asked } = serverWith({});
    expect(await read(by("jobset.x-k8s.io/v1", "JobSet", "set"))).toEqual([]);
    expect(await read(by("example.com/v1", "TFJob", "train"))).toEqual([]);
    expect(asked).toEqual([]);
  });

  test("it is the one that is meant, not another that has its name now", async () => {
    const { read } = serverWith({
      [`${JOB}job`]: object("job", { ...JOBSET_REF, uid: "of-the-one-before" }),
      [`${JOBSET}set`]: object("set", TRAINJOB_REF),
    });
    expect(namesOf(await read(JOB_REF))).toEqual(["Job job"]);
  });

  test("it exists", async () => {
    const { read } = serverWith({ [`${JOB}job`]: object("job", JOBSET_REF) });
    expect(namesOf(await read(JOB_REF))).toEqual(["Job job"]);
    expect(await read(by("batch/v1", "Job", "gone"))).toEqual([]);
  });

  test("five steps, so that owners in a ring end", async () => {
    const { read, asked } = serverWith({
      [`${JOB}job`]: object("job", JOBSET_REF),
      [`${JOBSET}set`]: object("set", JOB_REF),
    });
    expect(await read(JOB_REF)).toHaveLength(5);
    expect(asked).toHaveLength(5);
  });
});

test("nothing is known when the API server refuses to tell, since whoever stands at the top decides", async () => {
  const { read } = serverWith({ [`${JOB}job`]: object("job", JOBSET_REF) }, 403);
  await expect(read(JOB_REF)).rejects.toThrow(`no ${JOBSET}set`);
});
