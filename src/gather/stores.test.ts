import { describe, expect, test } from "vitest";
import { DIGEST, makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { JOB_UID, makeGatedPod, makePod, makeTrainingPod } from "../../test/make/pod.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import { printStatus } from "../inject/serving-status.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import { createAdmissionStores } from "./admission-stores.ts";
import { createStores } from "./stores.ts";
import { createVersionStore, uidKey } from "./version-store.ts";

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
  const stores = createStores(createAdmissionStores(), JOB_KINDS);

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

  test("what a build made by the UID of its version", () => {
    const pod = makePod((each) => void (each.metadata.labels = { [LABELS.versionUid]: "1" }));
    stores.buildPods.set(pod);
    expect(stores.buildPods.by("version", uidKey("team-a", "1"))).toEqual([pod]);
    expect(stores.buildPods.by("version", uidKey("team-b", "1"))).toEqual([]);
  });
});
