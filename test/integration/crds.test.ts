import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { startControlPlane, type ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Draft, Tweak } from "../make/frozen.ts";
import { makeModelVersion } from "../make/modelversion.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import type { Storage } from "../../src/api/storage.ts";
import { established, storeWithoutSchema, type StoredVersion } from "./stored.ts";

const root = join(import.meta.dirname, "../..");
const CRDS = join(root, "deploy/crds");

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: false });
  await plane.kubectl(["create", "namespace", "team-a"]);
  await storeWithoutSchema(plane, "team-a", OLD);
  await plane.kubectl(["apply", "--validate=strict", "--filename", CRDS]);
  await established(plane);
});
afterAll(async () => plane?.stop());

let count = 0;

/** A version of a name of its own. */
function versionWith(tweak: Tweak<Draft<ModelVersion>>): ModelVersion {
  count += 1;
  return makeModelVersion((version) => {
    version.metadata.name = `version-${count}`;
    tweak(version);
  });
}

function versionIn(storage: Storage): ModelVersion {
  return versionWith((version) => void (version.spec.storage = storage));
}

async function create(object: object): Promise<string> {
  return plane.kubectl(["create", "--validate=strict", "--filename", "-"], JSON.stringify(object));
}

async function patch(name: string, change: object, ...flags: readonly string[]): Promise<string> {
  const text = JSON.stringify(change);
  return plane.kubectl(["-n", "team-a", "patch", "mv", name, "--type=merge", "-p", text, ...flags]);
}

const STORAGES: readonly (readonly [string, Storage])[] = [
  ["localStorage", { localStorage: { path: "/models", nodeName: "node-1", mountPath: "/m" } }],
  ["nfs", { nfs: { server: "nfs.example", path: "/models" } }],
  [
    "AWSEfs",
    { AWSEfs: { volumeHandle: "fs-1::fsap-1", attributes: { encryptInTransit: "true" } } },
  ],
  ["persistentVolumeClaim", { persistentVolumeClaim: { claimName: "models", subPath: "a" } }],
];

describe("storage", () => {
  test.each(STORAGES)("may be %s", async (_, storage) => {
    await expect(create(versionIn(storage))).resolves.toContain("created");
  });

  test("of two types is refused, and both are named", async () => {
    const file = join(root, "deploy/demo/manifests/two-storages.yaml");
    await expect(plane.kubectl(["apply", "--filename", file])).rejects.toThrow(
      "exactly one storage type is allowed, found localStorage and nfs; allowed: localStorage, nfs, AWSEfs, persistentVolumeClaim",
    );
  });

  test("of four types is refused, and all are named", async () => {
    const all: Storage = Object.assign({}, ...STORAGES.map(([, storage]) => storage));
    await expect(create(versionIn(all))).rejects.toThrow(
      "found localStorage and nfs and AWSEfs and persistentVolumeClaim; allowed",
    );
  });

  test("of no type is refused", async () => {
    await expect(create(versionIn({}))).rejects.toThrow(
      "exactly one storage type is allowed, found none; allowed: localStorage, nfs, AWSEfs, persistentVolumeClaim",
    );
  });

  test("is required", async () => {
    const version = versionWith((each) => void Object.assign(each.spec, { storage: undefined }));
    await expect(create(version)).rejects.toThrow("spec.storage: Required value");
  });
});

test("a version without a spec is refused", async () => {
  const version = versionWith((each) => void Object.assign(each, { spec: undefined }));
  await expect(create(version)).rejects.toThrow("spec: Required value: is required");
});

test("a field that nobody knows is refused where the user asks for strictness", async () => {
  const version = versionWith((each) => void Object.assign(each.spec, { imageRepository: "x" }));
  await expect(create(version)).rejects.toThrow('unknown field "spec.imageRepository"');
});

describe("a version", () => {
  test("can be changed until its build has begun", async () => {
    const { metadata } = await created();
    await expect(patch(metadata.name ?? "", { spec: { imageTag: "v2" } })).resolves.toContain(
      "patched",
    );
  });

  const CHANGES: readonly (readonly [string, object])[] = [
    ["modelName", { modelName: "other" }],
    ["imageRepo", { imageRepo: "registry.example/other" }],
    ["imageTag, which it had not", { imageTag: "v2" }],
    ["storage", { storage: { persistentVolumeClaim: { claimName: "other" } } }],
    ["builder, which it had not", { builder: { baseImage: "busybox" } }],
  ];
  test.each(CHANGES)("is refused another %s once its build has begun", async (_, spec) => {
    const name = await createdInWork();
    await expect(patch(name, { spec })).rejects.toThrow(
      "spec is immutable once the build has begun, createdBy aside; make a new ModelVersion",
    );
  });

  test("can lose no part of its spec once its build has begun", async () => {
    const { metadata } = await created((each) => void (each.spec.imageTag = "v1"));
    await setStatus(metadata.name ?? "", { imageBuildPhase: "ImageBuilding" });
    await expect(patch(metadata.name ?? "", { spec: { imageTag: null } })).rejects.toThrow(
      "spec is immutable",
    );
  });

  test.each<[string, object]>([
    ["createdBy", { spec: { createdBy: "bob" } }],
    ["labels", { metadata: { labels: { mine: "yes" } } }],
    ["annotations", { metadata: { annotations: { "model.kubedl.io/retry": "1" } } }],
    ["finalizers", { metadata: { finalizers: ["example.com/mine"] } }],
  ])("can get other %s for ever", async (_, change) => {
    const name = await createdInWork();
    await expect(patch(name, change)).resolves.toContain("patched");
  });

  test("has the four fields of its status that KubeDL writes", async () => {
    const { metadata } = await created();
    const status = {
      image: "registry.example/models/mnist:v1",
      imageBuildPhase: "ImageBuildSucceeded",
      finishTime: "2024-01-01T00:00:00Z",
      message: "Image build succeeded",
    };
    await setStatus(metadata.name ?? "", status);
    const live = await plane.kubectl([
      "-n",
      "team-a",
      "get",
      "mv",
      metadata.name ?? "",
      "-o",
      "json",
    ]);
    expect(JSON.parse(live)).toMatchObject({ status });
  });

  test("has no phase that KubeDL does not know", async () => {
    const name = await createdInWork();
    await expect(setStatus(name, { imageBuildPhase: "Done" })).rejects.toThrow("Unsupported value");
  });
});

async function created(tweak: Tweak<Draft<ModelVersion>> = () => {}): Promise<ModelVersion> {
  const version = versionWith(tweak);
  await create(version);
  return version;
}

async function createdInWork(): Promise<string> {
  const { metadata } = await created();
  const name = metadata.name ?? "";
  await setStatus(name, { imageBuildPhase: "ImageBuilding" });
  return name;
}

async function setStatus(name: string, status: object): Promise<void> {
  await patch(name, { status }, "--subresource=status");
}

describe("kubectl", () => {
  test("explains the fields", async () => {
    const text = await plane.kubectl(["explain", "mv.spec.storage"]);
    expect(text).toContain("Where the trained model lies: exactly one storage type.");
    for (const [type] of STORAGES) expect(text).toContain(type);
    expect(await plane.kubectl(["explain", "mo.status.latestVersion"])).toContain(
      "The newest version that is built.",
    );
  });

  test.each([
    ["mv", [], "NAME MODEL PHASE IMAGE CREATED-BY FINISH-TIME AGE"],
    ["mv", ["-o", "wide"], "NAME MODEL PHASE IMAGE DIGEST CREATED-BY MESSAGE FINISH-TIME AGE"],
    ["mo", [], "NAME LATEST-VERSION LATEST-IMAGE ALIASES-RESOLVED AGE"],
  ] as const)("shows %s %j in columns", async (kind, flags, columns) => {
    await plane.kubectl(
      ["apply", "--filename", "-"],
      stringify({
        apiVersion: "model.kubedl.io/v1alpha1",
        kind: "Model",
        metadata: { name: "mnist", namespace: "team-a" },
      }),
    );
    const [head = ""] = (await plane.kubectl(["-n", "team-a", "get", kind, ...flags])).split("\n");
    expect(head.trim().split(/ +/).join(" ")).toBe(columns);
  });

  test("lists all our kinds by their category", async () => {
    const names = await plane.kubectl(["-n", "team-a", "get", "kubedl", "-o", "name"]);
    expect(names).toContain("model.model.kubedl.io/mnist");
    expect(names).toContain("modelversion.model.kubedl.io/version-1");
  });
});

const TWO_STORAGES = {
  spec: {
    modelName: "My Model",
    imageRepo: "modelhub/resnet",
    storage: { localStorage: { path: "/foo" }, nfs: { server: "nfs.example", path: "/foo" } },
  },
};
const OLD: Readonly<Record<string, StoredVersion>> = {
  "two-storages": TWO_STORAGES,
  "no-storage": { spec: { modelName: "mnist", imageRepo: "a/b" } },
  "no-spec": {},
  "half-built": { ...TWO_STORAGES, status: { imageBuildPhase: "ImageBuilding" } },
};

describe("what was stored before our rules", () => {
  test.each(Object.keys(OLD))("%s can get a status and lose its finalizer", async (name) => {
    await setStatus(name, { imageBuildPhase: "ImageBuildFailed", message: "breaks a rule" });
    await patch(name, { metadata: { labels: { seen: "yes" } } });
    await patch(name, { metadata: { finalizers: null } });
    const deletion = plane.kubectl(["-n", "team-a", "delete", "mv", name, "--timeout=20s"]);
    await expect(deletion).resolves.toContain("deleted");
  });
});
