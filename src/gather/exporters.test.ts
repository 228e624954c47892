import { beforeEach, describe, expect, test } from "vitest";
import { makeAdmittedPod, makeBarePod, makeOwningJob } from "../../test/make/exporting.ts";
import { makeExport } from "../../test/make/export.ts";
import { JOB_UID } from "../../test/make/pod.ts";
import { makeJobKind } from "../../test/make/workload.ts";
import { FINALIZERS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import { BARE_POD, JOB_KINDS } from "../jobs/kinds.ts";
import type { OwningJob } from "../jobs/owner.ts";
import type { WritableStore } from "../kube/store.ts";
import { createAdmissionStores } from "./admission-stores.ts";
import type { Exporters } from "./exporters.ts";
import { createStores } from "./stores.ts";
import { uidKey } from "./version-store.ts";

const LOCATION = "local:node-1:/models/mnist";

let exporters: Exporters;
let exportPods: WritableStore<Pod, "job" | "location">;
beforeEach(() => {
  ({ exporters, exportPods } = createStores(createAdmissionStores(), JOB_KINDS));
});

function add(owning: OwningJob): OwningJob {
  storeOf(owning).set(owning.job);
  return owning;
}

function storeOf({ kind }: Pick<OwningJob, "kind">) {
  const of = exporters.stores.find((each) => each.kind === kind);
  if (of === undefined) throw new Error(`${kind.kind} has no store`);
  return of.store;
}

function named(name: "TFJob" | "PyTorchJob"): OwningJob {
  return makeOwningJob(name, (job) => void (job.metadata.uid = `uid-of-${name}`));
}

test("every kind has a store of its own, those of one name in two groups or versions too", () => {
  expect(exporters.stores.map(({ kind }) => kind)).toEqual(JOB_KINDS);
  expect(new Set(exporters.stores.map(({ store }) => store)).size).toBe(JOB_KINDS.length);
});

describe("two kinds that have objects of one name", () => {
  test("are found each by its kind", () => {
    const [first, second] = [add(named("TFJob")), add(named("PyTorchJob"))];
    expect(exporters.get(first.kind, "team-a", "train")).toEqual(first);
    expect(exporters.get(second.kind, "team-a", "train")).toEqual(second);
    expect(exporters.get(makeJobKind("JobSet"), "team-a", "train")).toBeUndefined();
  });

  test("stay when the other goes", () => {
    const [first, second] = [add(named("TFJob")), add(named("PyTorchJob"))];
    storeOf(first).replace([]);
    expect(exporters.by("location", LOCATION)).toEqual([second]);
    expect(exporters.by("uid", uidKey("team-a", "uid-of-TFJob"))).toEqual([]);
  });
});

describe("a job is found", () => {
  test("by its UID and its location, with its kind", () => {
    const owning = add(makeOwningJob("JobSet"));
    expect(exporters.by("uid", uidKey("team-a", JOB_UID))).toEqual([owning]);
    expect(exporters.by("uid", uidKey("team-b", JOB_UID))).toEqual([]);
    expect(exporters.by("location", LOCATION)).toEqual([owning]);
  });

  test("by its location only as long as it is held", () => {
    const free = add(makeOwningJob("TFJob", (job) => void (job.metadata.finalizers = [])));
    expect(exporters.by("location", LOCATION)).toEqual([]);
    expect(exporters.by("uid", uidKey("team-a", JOB_UID))).toEqual([free]);
  });
});

describe("a pod that is its own job", () => {
  test("is found where all exporting pods are", () => {
    const owning = makeBarePod();
    exportPods.set(owning.job);
    expect(exporters.get(BARE_POD, "team-a", "alone")).toEqual(owning);
    expect(exporters.by("uid", uidKey("team-a", owning.job.metadata.uid))).toEqual([owning]);
    expect(exporters.by("location", LOCATION)).toEqual([owning]);
  });

  test("is none any more when it was let go", () => {
    const owning = makeBarePod((pod) => void (pod.metadata.finalizers = []));
    exportPods.set(owning.job);
    expect(exporters.by("uid", uidKey("team-a", owning.job.metadata.uid))).toEqual([]);
    expect(exporters.by("location", LOCATION)).toEqual([]);
  });

  test("is no pod that a job controls, though somebody gave it our finalizer", () => {
    const { job } = makeOwningJob("TFJob");
    const pod = makeAdmittedPod({ intent: makeExport(), owners: [job] }, (each) => {
      each.metadata.finalizers = [FINALIZERS.export];
    });
    exportPods.set(pod);
    expect(exporters.by("location", LOCATION)).toEqual([]);
    expect(exporters.by("uid", uidKey("team-a", JOB_UID))).toEqual([]);
  });
});
