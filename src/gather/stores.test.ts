import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeExportingJob, makeHeldJob, makeJob } from "../../test/make/job.ts";
import { DIGEST, makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { JOB_UID, makeGatedPod, makePod, makeTrainingPod } from "../../test/make/pod.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import { trainingClaimName } from "../api/names.ts";
import { printStatus } from "../inject/serving-status.ts";
import { createAdmissionStores } from "./admission-stores.ts";
import { createStores, locationOf, locationOfPod } from "./stores.ts";
import { createVersionStore, uidKey } from "./version-store.ts";

const LOCATION = "local:node-1:/models/mnist";

describe("a version is found", () => {
  const version = makeBuiltVersion((each) => {
    each.metadata.uid = "1";
    each.metadata.labels = { [LABELS.jobUid]: JOB_UID };
  });
  const versions = createVersionStore();
  versions.set(version);

  test.each([
    ["namespace", "team-a"],
    ["uid", "1"],
    ["job", `team-a/${JOB_UID}`],
    ["model", "team-a/mnist"],
    ["location", "claim:team-a/models:"],
    ["image", "registry.example/models/mnist:v1"],
  ] as const)("by its %s %s", (index, key) => {
    expect(versions.by(index, key)).toEqual([version]);
    expect(versions.by(index, "other")).toEqual([]);
  });

  test("by the image that it asks for, before it has one", () => {
    const store = createVersionStore();
    const asked = makeModelVersion((each) => void (each.spec.imageTag = "v7"));
    store.set(asked);
    store.set(makeModelVersion((each) => void (each.metadata.name = "untagged")));
    expect(store.by("image", "registry.example/models/mnist:v7")).toEqual([asked]);
  });

  test.each<[string, object]>([
    ["no spec", { spec: undefined }],
    ["a storage without its path", { spec: { storage: { localStorage: {} } } }],
    ["two storages", { spec: { storage: { localStorage: {}, nfs: {} } } }],
  ])("by its name and namespace, though it was stored with %s", (_, change) => {
    const store = createVersionStore();
    const broken = makeModelVersion((each) => void Object.assign(each, change));
    store.set(broken);
    expect(store.get("team-a", "mnist-v1")).toBe(broken);
    expect(store.by("namespace", "team-a")).toEqual([broken]);
  });
});

describe("the leader finds", () => {
  const stores = createStores(createAdmissionStores());

  test("gated pods by the version that they wait for", () => {
    const pod = makeGatedPod();
    stores.gatedPods.set(pod);
    expect(stores.gatedPods.by("version", "team-a/mnist-v1")).toEqual([pod]);
  });

  test.each([
    ["is of an older form", `{"modelVersion":"mnist-v7","waitsFor":"gate","delivery":"copy"}`],
    ["was spoilt", "x"],
  ])("gated pods whose status %s", (_, status) => {
    const pod = makeGatedPod((each) => {
      each.metadata.name = status;
      each.metadata.annotations = {
        [ANNOTATIONS.modelVersion]: "mnist-v7",
        [ANNOTATIONS.status]: status,
      };
    });
    stores.gatedPods.set(pod);
    expect(stores.gatedPods.by("version", "team-a/mnist-v7")).toContain(pod);
  });

  test("gated pods by the Model of which they wait for a version, whatever other models they have", () => {
    const models = [
      {
        wanted: { modelVersion: "letters-v1" },
        modelVersion: "letters-v1",
        digest: DIGEST,
        mountPath: "/a",
      },
      { wanted: { model: "digits", alias: "production" }, mountPath: "/b" },
    ];
    const pod = makeGatedPod((each) => {
      each.metadata.name = "two";
      each.metadata.annotations = {
        [ANNOTATIONS.status]: printStatus({ models, delivery: "copy" }),
      };
    });
    stores.gatedPods.set(pod);
    expect(stores.gatedPods.by("model", "team-a/digits")).toEqual([pod]);
    expect(stores.gatedPods.by("version", "team-a/production")).toEqual([]);
  });

  test("pods of a job by its UID, and no pods without a job", () => {
    const pod = makeTrainingPod((each) => void (each.metadata.name = "train-1"));
    stores.exportPods.set(pod);
    stores.exportPods.set(makePod());
    expect(stores.exportPods.by("job", uidKey("team-a", JOB_UID))).toEqual([pod]);
  });

  test("jobs by their UID, and by their location as long as they are held", () => {
    const held = makeHeldJob();
    const free = makeExportingJob((each) => {
      each.metadata.name = "free";
      each.metadata.uid = "free";
    });
    stores.exportJobs.set(held);
    stores.exportJobs.set(free);
    expect(stores.exportJobs.by("uid", uidKey("team-a", "free"))).toEqual([free]);
    expect(stores.exportJobs.by("location", LOCATION)).toEqual([held]);
  });

  test("what a build made by the UID of its version", () => {
    const pod = makePod((each) => void (each.metadata.labels = { [LABELS.versionUid]: "1" }));
    stores.buildPods.set(pod);
    expect(stores.buildPods.by("version", uidKey("team-a", "1"))).toEqual([pod]);
    expect(stores.buildPods.by("version", uidKey("team-b", "1"))).toEqual([]);
  });
});

describe("the location of a pod", () => {
  const ours = claimOf(trainingClaimName("team-a", JOB_UID, LOCATION));

  test("is that of the claim which was made for it", () => {
    const pod = makeTrainingPod((each) => void (each.spec.volumes = [ours]));
    expect(locationOfPod(pod)).toBe(LOCATION);
  });

  test("is not what its annotation says when that has been changed since", () => {
    const storage = { localStorage: { path: "/models/theirs", nodeName: "node-1" } };
    const pod = makeTrainingPod((each) => {
      each.spec.volumes = [ours];
      const intent = makeExport((made) => void (made.storage = storage));
      each.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
    });
    expect(locationOfPod(pod)).toBeUndefined();
  });
});

describe("the location of a job", () => {
  test("is where its pods write", () => {
    expect(locationOf(makeHeldJob())).toBe(LOCATION);
  });

  test("is its own directory when that is to be clean", () => {
    const intent = makeExport((each) => void (each.clean = true));
    const job = makeHeldJob((each) => {
      each.spec.template.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
    });
    expect(locationOf(job)).toBe(`${LOCATION}/1111111122`);
  });

  test.each([
    ["exports nothing", makeJob()],
    ["stands on the job alone, where anybody may change it", makeExportingJobByItself()],
    [
      "can not be read",
      makeJob((job) => {
        job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: "{" };
      }),
    ],
    [
      "names no storage",
      makeJob((job) => {
        const intent = makeExport((each) => void (each.storage = {}));
        job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
      }),
    ],
  ])("is unknown when its export %s", (_, job) => {
    expect(locationOf(job)).toBeUndefined();
  });
});

function makeExportingJobByItself() {
  return makeJob((job) => {
    job.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };
  });
}

function claimOf(claimName: string) {
  return { name: "kubedl-export", persistentVolumeClaim: { claimName } };
}
