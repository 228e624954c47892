import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { patched } from "../../test/make/patched.ts";
import { makeHeldJob } from "../../test/make/job.ts";
import { JOB_UID, makeTrainingPod, type MadePod } from "../../test/make/pod.ts";
import { makePolicy, makeSnapshot } from "../../test/make/snapshot.ts";
import { LABELS, type ExportIntent } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { trainingClaimName } from "../api/names.ts";
import type { Decision } from "./decision.ts";
import type { Snapshot } from "./snapshot.ts";
import { decideTrainingPod } from "./training-pod.ts";

const CLAIM = trainingClaimName("team-a", JOB_UID, "local:node-1:/models/mnist");

const JOB = makeHeldJob();

function decide(pod: MadePod, intent: ExportIntent = makeExport(), owners = [JOB]): Decision {
  return decideTrainingPod("team-a", pod, { intent }, seeing(owners), []);
}

function seeing(owners: readonly KubeObject[]): Snapshot {
  return makeSnapshot([], (snapshot) => void (snapshot.owners = owners));
}

function hooked(pod: MadePod, intent?: ExportIntent): MadePod {
  const decision = decide(pod, intent);
  if (!decision.allowed) throw new Error(decision.message);
  return patched(pod, decision.operations);
}

function faultsOf(pod: MadePod, intent?: ExportIntent): readonly string[] {
  const decision = decide(pod, intent);
  return decision.allowed
    ? []
    : [decision.reason, ...decision.causes.map(({ field, message }) => `${field}: ${message}`)];
}

function claimOf(pod: MadePod, uid = JOB_UID): string | undefined {
  const owner = makeHeldJob((job) => void (job.metadata.uid = uid));
  const decision = decide(pod, makeExport(), [owner]);
  if (!decision.allowed) throw new Error(decision.message);
  const { spec } = patched(pod, decision.operations);
  return spec.volumes?.[0]?.persistentVolumeClaim?.claimName;
}

const replica: Tweak<MadePod> = (pod) => {
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    "batch.kubernetes.io/job-completion-index": "1",
  };
};

describe("the first pod of a job", () => {
  test("writes to the claim of its job, below the administrator's prefix", () => {
    const { spec } = hooked(makeTrainingPod());
    expect(spec.volumes).toEqual([
      { name: "kubedl-export", persistentVolumeClaim: { claimName: CLAIM } },
    ]);
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: "kubedl-export", mountPath: "/kubedl-model", subPath: "mnist" },
    ]);
    expect(spec.schedulingGates).toEqual([{ name: "model.kubedl.io/export" }]);
  });

  test("has the same claim as its successor, and another than the pod of another job", () => {
    const renamed = makeTrainingPod((pod) => void (pod.metadata.name = "other"));
    expect(claimOf(renamed)).toBe(CLAIM);
    expect(claimOf(makeTrainingPod(), "another")).not.toBe(CLAIM);
  });

  test("writes into the user's claim where that is the storage", () => {
    const intent = makeExport((each) => {
      each.storage = {
        persistentVolumeClaim: { claimName: "models", subPath: "a//b", mountPath: "/out" },
      };
    });
    const { spec } = hooked(makeTrainingPod(), intent);
    expect(spec.volumes).toEqual([
      { name: "kubedl-export", persistentVolumeClaim: { claimName: "models" } },
    ]);
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: "kubedl-export", mountPath: "/out", subPath: "a/b" },
    ]);
  });

  test("gets a directory of the job's own when it is to be clean", () => {
    const intent = makeExport((each) => void (each.clean = true));
    expect(hooked(makeTrainingPod(), intent).spec.containers[0].volumeMounts).toEqual([
      { name: "kubedl-export", mountPath: "/kubedl-model", subPath: "mnist/1111111122" },
    ]);
  });

  test("is not held by a gate when it has its node", () => {
    const pod = makeTrainingPod((each) => void (each.spec.nodeName = "node-1"));
    expect(hooked(pod).spec.schedulingGates).toBeUndefined();
  });

  test("writes in its init containers too", () => {
    const pod = makeTrainingPod((each) => void (each.spec.initContainers = [{ name: "fetch" }]));
    expect(hooked(pod).spec.initContainers?.[0]?.volumeMounts).toHaveLength(1);
  });
});

describe("another pod of the job", () => {
  test("writes to scratch space", () => {
    expect(hooked(makeTrainingPod(replica)).spec.volumes).toEqual([
      { name: "kubedl-export", emptyDir: { sizeLimit: "10Gi" } },
    ]);
  });

  test("writes to the claim when all do", () => {
    const intent = makeExport((each) => {
      each.writers = "all";
      each.storage = { persistentVolumeClaim: { claimName: "models" } };
    });
    expect(hooked(makeTrainingPod(replica), intent).spec.volumes).toEqual([
      { name: "kubedl-export", persistentVolumeClaim: { claimName: "models" } },
    ]);
  });
});

describe("a pod that is hooked already", () => {
  test.each([
    ["as a writer", makeTrainingPod()],
    ["as a replica", makeTrainingPod(replica)],
  ])("%s is not hooked again", (_, pod) => {
    expect(decide(hooked(pod))).toMatchObject({ reason: "AlreadyInjected", operations: [] });
  });

  test("gets the storage in a container that another webhook added", () => {
    const before = hooked(makeTrainingPod());
    const after = hooked({
      ...before,
      spec: { ...before.spec, initContainers: [{ name: "late" }] },
    });
    expect(after.spec.initContainers?.[0]).toMatchObject({
      volumeMounts: [{ name: "kubedl-export", mountPath: "/kubedl-model", subPath: "mnist" }],
      env: [{ name: "KUBEDL_MODEL_PATH" }, { name: "KUBEDL_MODEL_WRITER", value: "true" }],
    });
    expect(after.spec.volumes).toEqual(before.spec.volumes);
  });
});

test("a pod that was made from a hooked template gets the UID of its own job", () => {
  const intent = makeExport((each) => {
    each.storage = { persistentVolumeClaim: { claimName: "models" } };
  });
  const before = hooked(makeTrainingPod(), intent);
  const metadata = { ...before.metadata, labels: { [LABELS.jobUid]: "another", app: "train" } };
  expect(hooked({ ...before, metadata }, intent).metadata.labels).toEqual({
    [LABELS.jobUid]: JOB_UID,
    app: "train",
  });
});

describe("a pod is denied", () => {
  test("whose path the administrator does not allow", () => {
    const intent = makeExport((each) => {
      each.storage = { localStorage: { path: "/etc", nodeName: "node-1" } };
    });
    expect(faultsOf(makeTrainingPod(), intent)).toEqual([
      "InvalidAnnotation",
      'metadata.annotations[model.kubedl.io/export].storage.localStorage.path: "/etc" is not allowed: allowed are directories below /models',
    ]);
    const none = makeSnapshot([], (each) => {
      each.policy = makePolicy((policy) => void (policy.localPrefixes = {}));
    });
    const asked = { intent: makeExport() };
    expect(decideTrainingPod("team-a", makeTrainingPod(), asked, none, [])).toMatchObject({
      message:
        'metadata.annotations[model.kubedl.io/export].storage.localStorage.path: "/models/mnist" is not allowed: the administrator allows this namespace no path on a node (localStorage.allowedPrefixes)',
    });
  });

  test("that uses our volume for something else", () => {
    const pod = makeTrainingPod((each) => {
      each.spec.volumes = [{ name: "kubedl-export", emptyDir: {} }];
    });
    expect(faultsOf(pod)).toEqual([
      "NameConflict",
      'spec.volumes[0].name: "kubedl-export" is reserved for the model; name the volume differently',
    ]);
  });

  test("that mounts something else at the path", () => {
    const pod = makeTrainingPod((each) => {
      each.spec.containers[0].volumeMounts = [{ name: "data", mountPath: "kubedl-model" }];
    });
    expect(faultsOf(pod)).toEqual([
      "MountConflict",
      'spec.containers[0].volumeMounts[0].mountPath: container server already mounts "data" at /kubedl-model; remove that mount or choose another path for the model',
    ]);
  });
});
