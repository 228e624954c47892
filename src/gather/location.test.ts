import { beforeEach, describe, expect, test } from "vitest";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob, type MadeJob } from "../../test/make/job.ts";
import { makeExport } from "../../test/make/export.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { makeTrainingPod, type MadePod } from "../../test/make/pod.ts";
import { trainingClaimName } from "../api/names.ts";
import { EXPORT_VOLUME } from "../inject/completion-hook.ts";
import { observeLocation, takeTurn } from "./location.ts";
import { createAdmissionStores } from "./admission-stores.ts";
import { createStores, locationOf, type Stores } from "./stores.ts";

const LOCATION = locationOf(makeHeldJob()) ?? "";

let stores: Stores;
beforeEach(() => {
  stores = createStores(createAdmissionStores());
});

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
  stores.volumes.set({ apiVersion: "v1", kind: "PersistentVolume", metadata: { name, uid: name } });
}

describe("of two jobs that write to one location", () => {
  const [first, second] = [job("first"), job("second")];
  beforeEach(() => {
    for (const each of [first, second]) stores.exportJobs.set(each);
  });

  test("the one that asks first is let go, though no watch shows that yet", () => {
    expect(takeTurn(stores, LOCATION, pod("first"), first)).toEqual([]);
    expect(takeTurn(stores, LOCATION, pod("second"), second)).toEqual(["Job first"]);
    expect(takeTurn(stores, LOCATION, pod("first"), first)).toEqual([]);
  });

  test("the second is let go when the first was seen to begin, and is let off", () => {
    takeTurn(stores, LOCATION, pod("first"), first);
    addVolume(first);
    expect(takeTurn(stores, LOCATION, pod("second"), second)).toEqual(["Job first"]);
    stores.exportJobs.set(job("first", letGo));
    expect(takeTurn(stores, LOCATION, pod("second"), second)).toEqual([]);
  });

  test("the second need not wait for a first that came to nothing before it began", () => {
    takeTurn(stores, LOCATION, pod("first"), first);
    stores.exportJobs.set(job("first", letGo));
    expect(takeTurn(stores, LOCATION, pod("second"), second)).toEqual([]);
  });

  test.each<[string, MadePod, MadeJob]>([
    [
      "a replica that writes to scratch space",
      pod("first", (each) => void (each.spec.volumes = [])),
      first,
    ],
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
    expect(takeTurn(stores, LOCATION, asking, owner)).toEqual([]);
    expect(takeTurn(stores, LOCATION, pod("second"), second)).toEqual([]);
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
  stores.exportJobs.set(held);
  stores.exportPods.set(running);
  stores.versions.set(version);
  addVolume(held);
  expect(observeLocation(stores, LOCATION)).toMatchObject({
    versions: [version],
    exporters: [{ job: held, pods: [], storage: { kind: "PersistentVolume" } }],
    pods: [running],
    turn: undefined,
  });
});

function letGo(each: MadeJob): void {
  Object.assign(each.metadata, { finalizers: [], resourceVersion: "2" });
}

function deleting(object: MadeJob | MadePod): void {
  object.metadata.deletionTimestamp = "2024-01-01T00:00:00Z";
}
