import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeAdmittedPod, withRecord } from "../../test/make/exporting.ts";
import type { Draft, Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob, type MadeJob } from "../../test/make/job.ts";
import { patched } from "../../test/make/patched.ts";
import type { MadePod } from "../../test/make/pod.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { afterPatches, messageOf, stepsOf } from "../../test/make/steps.ts";
import { ANNOTATIONS, FINALIZERS, LABELS, type ExportIntent } from "../api/annotations.ts";
import { exportRecordOf } from "../api/export-record.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { reconcileExportingPod, type ExportingPodObserved } from "./export-gate.ts";

const WAITS_FOR_MODES =
  "waits: writers: all needs ReadWriteMany among the accessModes of the claim models, which has ReadWriteOnce, ReadOnlyMany";
const LIMITS = makeLimits();

/** A pod of the job as admission left it. */
function admitted(intent: ExportIntent, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makeAdmittedPod({ intent, owners: [jobOf(intent)] }, tweak);
}

function jobOf(intent: ExportIntent, tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return makeHeldJob((job) => {
    job.metadata.resourceVersion = "7";
    job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
    tweak(job);
  });
}

function owned(job: MadeJob): OwningJob {
  return { job, kind: BATCH_JOB };
}

function observe(tweak: Tweak<Draft<ExportingPodObserved>> = () => {}): ExportingPodObserved {
  const observed: Draft<ExportingPodObserved> = {
    pod: admitted(makeExport()),
    owning: owned(jobOf(makeExport())),
    limits: LIMITS,
    hostname: "node-1.example",
    volume: undefined,
    claim: undefined,
    users: [],
    noted: undefined,
  };
  tweak(observed);
  return observed;
}

const replica: Tweak<MadePod> = (pod) => {
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    "batch.kubernetes.io/job-completion-index": "1",
  };
};
const withNode: Tweak<MadePod> = (pod) => void (pod.spec.nodeName = "node-1");

describe("a pod starts", () => {
  test("when its volume and claim are made", () => {
    const observed = observe();
    const actions = reconcileExportingPod(observed);
    expect(stepsOf(actions)).toEqual([
      "create PersistentVolume",
      "create PersistentVolumeClaim",
      "patch Job",
      "patch Pod",
    ]);
    const [volume, claim, , lift] = actions;
    expect(volume).toMatchObject({
      object: {
        spec: {
          local: { path: "/models" },
          persistentVolumeReclaimPolicy: "Retain",
          storageClassName: "",
        },
      },
    });
    expect(JSON.stringify(volume)).toContain("node-1.example");
    const mounted = observed.pod.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName;
    expect(claim).toMatchObject({
      object: { metadata: { name: mounted, ownerReferences: [{ kind: "Job", name: "train" }] } },
    });
    if (lift?.type !== "patch") throw new Error("the last action is no patch");
    expect(patched(observed.pod, lift.operations).spec?.schedulingGates).toEqual([]);
  });

  test("when they are there already", () => {
    const [volume, claim] = reconcileExportingPod(observe()).flatMap((action) =>
      action.type === "create" ? [action.object] : [],
    );
    const actions = reconcileExportingPod(
      observe((each) => void Object.assign(each, { volume, claim })),
    );
    expect(stepsOf(actions)).toEqual(["patch Job", "patch Pod"]);
  });

  test("when the user's claim is there", () => {
    const intent = makeExport((each) => {
      each.storage = { persistentVolumeClaim: { claimName: "models" } };
    });
    const mine = observe((each) => {
      each.pod = admitted(intent);
      each.owning = owned(jobOf(intent));
    });
    expect(
      stepsOf(reconcileExportingPod({ ...mine, claim: { metadata: { name: "models" } } })),
    ).toEqual(["patch Job", "patch Pod"]);
    const waiting = reconcileExportingPod(mine);
    expect(stepsOf(waiting)).toEqual(["Warning ClaimNotFound on Pod", "again after 10000 ms"]);
    expect(messageOf(waiting)).toBe(
      "waits for the claim models, which does not exist in this namespace",
    );
  });

  test.each<[string, number, readonly string[], string | undefined]>([
    ["in turn to a claim for one node", 1, ["ReadWriteOnce"], undefined],
    ["at once to a claim for many", 2, ["ReadOnlyMany", "ReadWriteMany"], undefined],
    ["at once to a claim for one node", 2, ["ReadWriteOnce", "ReadOnlyMany"], WAITS_FOR_MODES],
  ])("%s, of pods that all write, %i at a time: %j", (_, parallelism, accessModes, message) => {
    const intent = makeExport((each) => {
      each.storage = { persistentVolumeClaim: { claimName: "models" } };
      each.writers = "all";
    });
    const actions = reconcileExportingPod(
      observe((each) => {
        each.pod = admitted(intent);
        each.owning = owned(jobOf(intent, (job) => void (job.spec.parallelism = parallelism)));
        each.claim = { metadata: { name: "models" }, spec: { accessModes: [...accessModes] } };
      }),
    );
    expect(messageOf(actions)).toBe(message);
    expect(stepsOf(actions)).toEqual(
      message === undefined
        ? ["patch Job", "patch Pod"]
        : ["Warning InvalidAnnotation on Pod", "again after 10000 ms"],
    );
  });

  test("after its job is held, when nobody held it yet", () => {
    const job = jobOf(makeExport(), (each) => {
      delete each.metadata.finalizers;
      delete each.metadata.labels;
    });
    const [hold, ...others] = reconcileExportingPod(
      observe((each) => void (each.owning = owned(job))),
    );
    expect(stepsOf(others)).toEqual([
      "create PersistentVolume",
      "create PersistentVolumeClaim",
      "patch Job",
      "patch Pod",
    ]);
    if (hold?.type !== "patch") throw new Error("the first action is no patch");
    expect(patched(job, hold.operations).metadata).toMatchObject({
      finalizers: [FINALIZERS.export],
      labels: { [LABELS.export]: "true" },
    });
  });

  test("and the finalizers and labels that its job has stay", () => {
    const job = jobOf(makeExport(), (each) => {
      each.metadata.finalizers = ["other"];
      each.metadata.labels = { app: "train" };
    });
    const [hold] = reconcileExportingPod(observe((each) => void (each.owning = owned(job))));
    if (hold?.type !== "patch") throw new Error("the first action is no patch");
    expect(patched(job, hold.operations).metadata).toMatchObject({
      finalizers: ["other", FINALIZERS.export],
      labels: { app: "train", [LABELS.export]: "true" },
    });
  });

  test("and the user is told when it is one of several", () => {
    const job = jobOf(makeExport(), (each) => {
      Object.assign(each.spec, { completionMode: "Indexed", completions: 4 });
    });
    const actions = reconcileExportingPod(observe((each) => void (each.owning = owned(job))));
    expect(stepsOf(actions).at(-1)).toBe("Warning WriterSubset on Job");
    expect(messageOf(actions)).toBe(
      "1 of 4 pods writes the model (completion index 0); what the others write to the same path is dropped, and may be no more than 10Gi",
    );
  });
});

describe("the first pod that comes, a replica that does not write too", () => {
  const first = admitted(makeExport(), replica);

  test("lets the whole job go: it is held, its storage is made, that is noted, the gate goes", () => {
    const job = jobOf(makeExport(), (each) => {
      each.metadata.finalizers = [];
      each.metadata.annotations = {};
      Object.assign(each.spec, { completionMode: "Indexed", completions: 4 });
    });
    const observed = observe(
      (each) => void Object.assign(each, { pod: first, owning: owned(job) }),
    );
    const actions = reconcileExportingPod(observed);
    expect(stepsOf(actions)).toEqual([
      "patch Job",
      "create PersistentVolume",
      "create PersistentVolumeClaim",
      "patch Job",
      "patch Pod",
      "Warning WriterSubset on Job",
    ]);
    const after = afterPatches(job, actions);
    expect(after.metadata.finalizers).toEqual([FINALIZERS.export]);
    const claim = actions.find(
      (action) => action.type === "create" && action.object.kind === "PersistentVolumeClaim",
    );
    expect(exportRecordOf(after)).toEqual({
      uid: job.metadata.uid,
      claim: claim?.type === "create" && claim.object.metadata?.name,
      intent: makeExport(),
    });
  });

  test("waits while the location is in use", () => {
    const actions = reconcileExportingPod(
      observe((each) => void Object.assign(each, { pod: first, users: ["Job team-b/b"] })),
    );
    expect(stepsOf(actions)).toEqual(["Warning LocationBusy on Pod", "again after 10000 ms"]);
  });
});

describe("a pod of a job that has been let go", () => {
  const [volume, claim] = reconcileExportingPod(observe()).flatMap((action) =>
    action.type === "create" ? [action.object] : [],
  );
  const job = withRecord(
    jobOf(makeExport(), (each) => {
      Object.assign(each.spec, { completionMode: "Indexed", completions: 4 });
    }),
    { claim: claim?.metadata?.name ?? "" },
  );
  const users = ["the build of ModelVersion team-a/other"];

  test.each([
    ["a writer's", admitted(makeExport())],
    ["a replica's", admitted(makeExport(), replica)],
  ])("is let go at once though the location is in use, and no more is said: %s", (_, pod) => {
    const actions = reconcileExportingPod(
      observe((each) => {
        Object.assign(each, { pod, owning: owned(job), volume, claim, users });
      }),
    );
    expect(stepsOf(actions)).toEqual(["patch Pod"]);
  });

  test("gets a claim again that somebody deleted, and nothing is noted or said twice", () => {
    const actions = reconcileExportingPod(
      observe((each) => void Object.assign(each, { owning: owned(job), volume })),
    );
    expect(stepsOf(actions)).toEqual(["create PersistentVolumeClaim", "patch Pod"]);
  });

  test("waits for its turn again when what it exports lies elsewhere now", () => {
    const elsewhere = withRecord(job, { claim: "mh-of-another-directory" });
    const observed = observe(
      (each) => void Object.assign(each, { owning: owned(elsewhere), volume, claim }),
    );
    expect(stepsOf(reconcileExportingPod({ ...observed, users }))).toEqual([
      "Warning LocationBusy on Pod",
      "again after 10000 ms",
    ]);
    const actions = reconcileExportingPod(observed);
    expect(exportRecordOf(afterPatches(elsewhere, actions))).toMatchObject({
      claim: claim?.metadata?.name,
    });
  });

  test("waits when the record is of a job of another UID, of which this is a copy", () => {
    const copy = withRecord(job, { uid: "another", claim: claim?.metadata?.name ?? "" });
    const actions = reconcileExportingPod(
      observe((each) => void Object.assign(each, { owning: owned(copy), volume, claim, users })),
    );
    expect(stepsOf(actions)).toEqual(["Warning LocationBusy on Pod", "again after 10000 ms"]);
  });
});

describe("a pod waits, and says for what", () => {
  test("while the location is in use", () => {
    const actions = reconcileExportingPod(
      observe((each) => void (each.users = ["the build of ModelVersion team-a/a", "Job team-b/b"])),
    );
    expect(stepsOf(actions)).toEqual(["Warning LocationBusy on Pod", "again after 10000 ms"]);
    expect(messageOf(actions)).toBe(
      "waits: the location that this job writes to is used by the build of ModelVersion team-a/a, Job team-b/b",
    );
  });

  test("while its node is not there", () => {
    const actions = reconcileExportingPod(observe((each) => void (each.hostname = undefined)));
    expect(stepsOf(actions)).toEqual(["Warning StorageNotBound on Pod", "again after 10000 ms"]);
    expect(messageOf(actions)).toBe(
      "waits for the node node-1, which does not exist or has no label kubernetes.io/hostname",
    );
  });

  test("while the administrator does not allow its path any more", () => {
    const actions = reconcileExportingPod(
      observe(
        (observed) => void (observed.limits = makeLimits((each) => void (each.localPrefixes = []))),
      ),
    );
    expect(stepsOf(actions)).toEqual(["Warning PathNotAllowed on Pod"]);
    expect(messageOf(actions)).toContain(
      'storage.localStorage.path: "/models/mnist" is not allowed',
    );
  });

  test("for ever, when no pod of its job is the first", () => {
    const job = jobOf(makeExport(), (each) => void (each.spec.parallelism = 2));
    const actions = reconcileExportingPod(observe((each) => void (each.owning = owned(job))));
    expect(stepsOf(actions)).toEqual(["Warning AllWritersRequired on Pod"]);
  });

  test.each<[string, Tweak<MadeJob>]>([
    ["no export", (job) => void (job.spec.template.metadata.annotations = {})],
    [
      "an export that can not be read",
      (job) => {
        job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: "{" };
      },
    ],
    [
      "an export of no storage",
      (job) => {
        const text = JSON.stringify(makeExport((each) => void (each.storage = {})));
        job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: text };
      },
    ],
  ])("for ever, when its job has %s, and itself has none any more", (_, tweak) => {
    const { metadata, ...rest } = admitted(makeExport());
    const actions = reconcileExportingPod(
      observe((each) => {
        each.owning = owned(jobOf(makeExport(), tweak));
        each.pod = { ...rest, metadata: { ...metadata, annotations: {} } };
      }),
    );
    expect(stepsOf(actions)).toEqual(["Warning InvalidAnnotation on Pod"]);
    expect(messageOf(actions)).toBe(
      "waits for ever: neither it nor Job train has a readable annotation model.kubedl.io/export, so its model could not be exported",
    );
  });

  test("for ever, when it writes to another claim than its job's export lies in now", () => {
    const intent = makeExport((each) => {
      each.storage = { persistentVolumeClaim: { claimName: "elsewhere" } };
    });
    const observed = observe((each) => void (each.owning = owned(jobOf(intent))));
    const mounted = observed.pod.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName;
    const actions = reconcileExportingPod(observed);
    expect(stepsOf(actions)).toEqual(["Warning InvalidAnnotation on Pod"]);
    expect(messageOf(actions)).toBe(
      `waits for ever: it writes to the claim ${mounted}, and what its job exports now lies in elsewhere; delete the pod, so that its job makes it anew`,
    );
  });

  test.each(["claim", "volume"] as const)("while its %s is being deleted", (field) => {
    const going = {
      metadata: { name: "mh-1", deletionTimestamp: "2024-01-01T00:00:00Z" },
    };
    const observed = observe((each) => void (each[field] = going));
    const actions = reconcileExportingPod(observed);
    expect(stepsOf(actions)).toEqual(["Warning StorageNotBound on Pod", "again after 10000 ms"]);
    expect(messageOf(actions)).toMatch(
      new RegExp(
        `^waits for the ${field} mh-[0-9a-f]{16} to be gone, which is being deleted; pods that have ended keep it, too$`,
        "v",
      ),
    );
  });
});

describe("nothing is done", () => {
  test.each<[string, Tweak<Draft<ExportingPodObserved>>]>([
    [
      "for a pod that runs",
      (each) => {
        each.pod = admitted(makeExport(), (pod) => {
          withNode(pod);
          pod.status = { phase: "Running" };
        });
      },
    ],
    [
      "for a pod that is being deleted",
      (each) => {
        each.pod = admitted(makeExport(), (pod) => {
          pod.metadata.deletionTimestamp = "2024-01-01T00:00:00Z";
        });
      },
    ],
    ["when the job is gone", (each) => void (each.owning = undefined)],
    [
      "when the job is being deleted",
      (each) => {
        each.owning = owned(
          jobOf(makeExport(), (job) => {
            job.metadata.deletionTimestamp = "2024-01-01T00:00:00Z";
          }),
        );
      },
    ],
    ...["Complete", "Failed"].map((type): [string, Tweak<Draft<ExportingPodObserved>>] => [
      `when the job is ${type}, and let go of`,
      (each) => {
        each.owning = owned(
          jobOf(makeExport(), (job) => {
            job.metadata.finalizers = [];
            job.status = { conditions: [{ type, status: "True" }] };
          }),
        );
      },
    ]),
  ])("%s", (_, tweak) => {
    expect(reconcileExportingPod(observe(tweak))).toEqual([]);
  });
});

describe("a pod that came with its node, which the kubelet holds back until its claim is there", () => {
  const pod = admitted(makeExport(), withNode);

  test("gets its volume and claim", () => {
    const actions = reconcileExportingPod(observe((each) => void (each.pod = pod)));
    expect(stepsOf(actions)).toEqual([
      "create PersistentVolume",
      "create PersistentVolumeClaim",
      "patch Job",
    ]);
  });

  test("waits while the location is in use", () => {
    const actions = reconcileExportingPod(
      observe((each) => void Object.assign(each, { pod, users: ["Job team-b/b"] })),
    );
    expect(stepsOf(actions)).toEqual(["Warning LocationBusy on Pod", "again after 10000 ms"]);
  });

  test("needs nothing more when they are there", () => {
    const [volume, claim] = reconcileExportingPod(observe()).flatMap((action) =>
      action.type === "create" ? [action.object] : [],
    );
    const job = withRecord(jobOf(makeExport()), { claim: claim?.metadata?.name ?? "" });
    const observed = observe(
      (each) => void Object.assign(each, { pod, owning: owned(job), volume, claim }),
    );
    expect(reconcileExportingPod({ ...observed, users: ["Job team-b/b"] })).toEqual([]);
  });
});

test("the patch that lifts the gate does not fit another pod of the name", () => {
  const observed = observe();
  const lift = reconcileExportingPod(observed).findLast((action) => action.type === "patch");
  const other = admitted(makeExport(), (pod) => void (pod.metadata.uid = "another"));
  expect(() => patched(other, lift?.operations ?? [])).toThrow(/Test operation failed/);
});
