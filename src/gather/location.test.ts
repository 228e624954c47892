import { beforeEach, describe, expect, test } from "vitest";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob, type MadeJob } from "../../test/make/job.ts";
import { makeExport } from "../../test/make/export.ts";
import { POD_UID, makeBarePod, makeOwningJob, withRecord } from "../../test/make/exporting.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { makeTrainingPod, type MadePod } from "../../test/make/pod.ts";
import { makePolicy } from "../../test/make/snapshot.ts";
import { LABELS } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { trainingClaimName } from "../api/names.ts";
import { EXPORT_VOLUME } from "../inject/completion-hook.ts";
import { BATCH_JOB, JOB_KINDS } from "../jobs/kinds.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { observeLocation, takeTurn } from "./location.ts";
import { createAdmissionStores } from "./admission-stores.ts";
import { locationOf } from "./export-location.ts";
import { createStores, type Stores } from "./stores.ts";

const POLICY = makePolicy();
const LOCATION = locationOf(owned(makeHeldJob())) ?? "";

let stores: Stores;
beforeEach(() => {
  stores = createStores(createAdmissionStores(), JOB_KINDS);
});

function owned(each: KubeObject): OwningJob {
  return { job: each, kind: BATCH_JOB };
}

/** What the watch of a kind brings. */
function add({ job: each, kind }: OwningJob): void {
  const of = stores.exporters.stores.find((store) => store.kind === kind);
  if (of === undefined) throw new Error(`${kind.kind} has no store`);
  of.store.set(each);
}

function job(name: string, tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return makeHeldJob((each) => {
    Object.assign(each.metadata, { name, uid: `uid-of-${name}` });
    tweak(each);
  });
}

function pod(owner: string, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makeTrainingPod((each) => {
    each.metadata.name = `${owner}-pod`;
    const [reference] = each.metadata.ownerReferences ?? [];
    if (reference !== undefined) reference.uid = `uid-of-${owner}`;
    const claimName = trainingClaimName("team-a", `uid-of-${owner}`, LOCATION);
    each.spec.volumes = [{ name: EXPORT_VOLUME, persistentVolumeClaim: { claimName } }];
    tweak(each);
  });
}

/** What the watch brings once the storage of a job is made. */
function addVolume(owner: MadeJob): void {
  const uid = owner.metadata.uid ?? "";
  const name = trainingClaimName("team-a", uid, LOCATION);
  const labels = { [LABELS.jobUid]: uid };
  const metadata = { name, uid: name, labels };
  stores.volumes.set({ apiVersion: "v1", kind: "PersistentVolume", metadata });
}

describe("of two jobs that write to one location", () => {
  const [first, second] = [job("first"), job("second")];
  beforeEach(() => {
    for (const each of [first, second]) add(owned(each));
  });

  test("the one that asks first is let go, though no watch shows that yet", () => {
    expect(takeTurn(stores, POLICY, LOCATION, pod("first"), owned(first))).toEqual([]);
    expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(second))).toEqual(["Job first"]);
    expect(takeTurn(stores, POLICY, LOCATION, pod("first"), owned(first))).toEqual([]);
  });

  test("the second is let go when the first was seen to begin, and is let off", () => {
    takeTurn(stores, POLICY, LOCATION, pod("first"), owned(first));
    addVolume(first);
    expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(second))).toEqual(["Job first"]);
    add(owned(job("first", letGo)));
    expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(second))).toEqual([]);
  });

  test("the second need not wait for a first that came to nothing before it began", () => {
    takeTurn(stores, POLICY, LOCATION, pod("first"), owned(first));
    add(owned(job("first", letGo)));
    expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(second))).toEqual([]);
  });

  test("a replica that writes to scratch space takes the turn for its job too", () => {
    const replica = pod("first", (each) => void (each.spec.volumes = []));
    expect(takeTurn(stores, POLICY, LOCATION, replica, owned(first))).toEqual([]);
    expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(second))).toEqual(["Job first"]);
  });

  test("the second is let go when the first has its record and is let off, though no storage is seen", () => {
    takeTurn(stores, POLICY, LOCATION, pod("first"), owned(first));
    add(owned(withRecord(job("first", renewed("2")), {})));
    expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(second))).toEqual(["Job first"]);
    add(owned(job("first", letGo)));
    expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(second))).toEqual([]);
  });

  test.each<[string, MadePod, MadeJob]>([
    ["a pod that is being deleted", pod("first", deleting), first],
    ["a job that is being deleted", pod("first"), job("first", deleting)],
    [
      "a job that has ended",
      pod("first"),
      job("first", (each) => {
        each.status = { conditions: [{ type: "Failed", status: "True" }] };
      }),
    ],
  ])("none is kept waiting by %s", (_, asking, owner) => {
    expect(takeTurn(stores, POLICY, LOCATION, asking, owned(owner))).toEqual([]);
    expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(second))).toEqual([]);
  });
});

test("a location is observed with all that is known of it", () => {
  const [held, running] = [
    job("held"),
    pod("deleted", (each) => void (each.status = { phase: "Running" })),
  ];
  const version = makeModelVersion((each) => {
    each.spec.storage = makeExport().storage;
  });
  add(owned(held));
  stores.exportPods.set(running);
  stores.versions.set(version);
  addVolume(held);
  expect(observeLocation(stores, POLICY, LOCATION)).toMatchObject({
    versions: [version],
    exporters: [{ job: held, pods: [], storage: { kind: "PersistentVolume" } }],
    pods: [running],
    turn: undefined,
  });
});

function letGo(each: MadeJob): void {
  Object.assign(each.metadata, { finalizers: [], resourceVersion: "3" });
}

function renewed(resourceVersion: string): Tweak<MadeJob> {
  return (each) => void (each.metadata.resourceVersion = resourceVersion);
}

function trainOf(name: "TFJob" | "PyTorchJob"): OwningJob {
  return makeOwningJob(name, (each) => void (each.metadata.uid = `uid-of-${name}`));
}

describe("of two jobs of one name and of two kinds", () => {
  test("one waits for the other", () => {
    const [first, second] = [trainOf("TFJob"), trainOf("PyTorchJob")];
    for (const each of [first, second]) add(each);
    expect(takeTurn(stores, POLICY, LOCATION, pod("TFJob"), first)).toEqual([]);
    expect(takeTurn(stores, POLICY, LOCATION, pod("PyTorchJob"), second)).toEqual(["TFJob train"]);
    expect(
      observeLocation(stores, POLICY, LOCATION).exporters.map(({ kind }) => kind.kind),
    ).toEqual(["TFJob", "PyTorchJob"]);
  });
});

test("a pod that is its own job has the turn too, and is among those who export", () => {
  const owning = makeBarePod();
  stores.exportPods.set(owning.job);
  expect(takeTurn(stores, POLICY, LOCATION, owning.job, owning)).toEqual([]);
  expect(takeTurn(stores, POLICY, LOCATION, pod("second"), owned(job("second")))).toEqual([
    "Pod alone",
  ]);
  expect(observeLocation(stores, POLICY, LOCATION).exporters).toMatchObject([
    { job: owning.job, pods: [owning.job] },
  ]);
});

describe("where a namespace may not write, and no volume was made for it,", () => {
  const elsewhere = makePolicy((policy) => void (policy.localPrefixes = { "*": ["/other"] }));
  const held = job("held");
  const running = pod("held", (each) => void (each.status = { phase: "Running" }));
  beforeEach(() => {
    add(owned(held));
    stores.exportPods.set(running);
  });

  test("jobs and pods that name it count for nothing: anybody may have written our marks on them", () => {
    expect(observeLocation(stores, elsewhere, LOCATION)).toMatchObject({ exporters: [], pods: [] });
  });

  test("but they do where a volume was made while it might, or its limits were loosened", () => {
    const all = { exporters: [{ job: held }], pods: [running] };
    expect(observeLocation(stores, POLICY, LOCATION)).toMatchObject(all);
    addVolume(held);
    expect(observeLocation(stores, elsewhere, LOCATION)).toMatchObject(all);
  });
});

/** A job of that kind, with this status and the UID by which the pods of `ray` know it. */
function keptOf(name: "RayJob" | "TFJob", status: object): OwningJob {
  return makeOwningJob(name, (each) => {
    each.metadata.uid = "uid-of-ray";
    each.status = status;
  });
}

describe("the pod of a job that goes on after the job", () => {
  const head = pod("ray", (each) => {
    each.metadata.labels = { [LABELS.jobUid]: "uid-of-ray" };
    each.status = { phase: "Running" };
  });
  const succeeded = {
    jobStatus: "SUCCEEDED",
    jobDeploymentStatus: "Complete",
    conditions: [{ type: "Succeeded", status: "True" }],
  };

  test.each<[string, OwningJob, readonly MadePod[]]>([
    ["writes no more: the head of a Ray cluster that is kept", keptOf("RayJob", succeeded), []],
    ["may write as long as the job runs", keptOf("RayJob", { jobStatus: "RUNNING" }), [head]],
    ["may write where its kind ends its pods", keptOf("TFJob", succeeded), [head]],
  ])("%s", (_, owning, pods) => {
    add(owning);
    stores.exportPods.set(head);
    expect(observeLocation(stores, POLICY, LOCATION).pods).toEqual(pods);
  });
});

test.each([
  ["has its own claim has begun", POD_UID, []],
  ["finds the claim of the one before it waits for its turn", "the-one-before", ["Job first"]],
])("a pod that is its own job and %s", (_, ownerUid, users) => {
  const owning = makeBarePod();
  const name = trainingClaimName("team-a", "", LOCATION);
  const owner = { apiVersion: "v1", kind: "Pod", name: "alone", uid: ownerUid };
  stores.exportPods.set(owning.job);
  stores.claims.set({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "team-a", ownerReferences: [owner] },
  });
  const first = job("first");
  add(owned(first));
  addVolume(first);
  expect(takeTurn(stores, POLICY, LOCATION, owning.job, owning)).toEqual(users);
});

function deleting(object: MadeJob | MadePod): void {
  object.metadata.deletionTimestamp = "2024-01-01T00:00:00Z";
}
