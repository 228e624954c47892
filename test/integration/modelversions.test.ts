import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { answer } from "./answer.ts";
import { addNode, eventually, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

/** Whom the API server takes the tests for. */
const ME = "admin";
const LOCAL = { localStorage: { path: "/models/a", nodeName: "node-1" } };
const TWO = { ...LOCAL, nfs: { server: "files.test", path: "/models" } };
const TYPES = "localStorage, nfs, AWSEfs, persistentVolumeClaim";
const IMMUTABLE =
  "the spec is immutable once the build has begun, createdBy aside; make a new ModelVersion, or delete this one and make it anew";
const JOB_UID = "model.kubedl.io/job-uid";
const REQUESTED_BY = "model.kubedl.io/requested-by";
const SOON = { timeout: 10_000 };

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  await addNode(plane, "node-1");
  modelhook = await startModelhook(plane);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("a ModelVersion", () => {
  test("gets who made it, as a text and as the verified user, and the label of its model", async () => {
    expect(await answer(plane, version("plain"))).toBe(created("plain"));
    const { metadata, spec } = await live("plain");
    expect(spec.createdBy).toBe(ME);
    expect(metadata.annotations).toMatchObject({ [REQUESTED_BY]: ME });
    expect(metadata.labels).toEqual({ "model.kubedl.io/model-name": "digits" });
  });

  test("keeps who made it, but not who is said to have asked for it", async () => {
    const said = { annotations: { [REQUESTED_BY]: "bob" } };
    expect(await answer(plane, version("said", { createdBy: "a robot" }, said))).toBe(
      created("said"),
    );
    expect(await live("said")).toMatchObject({
      metadata: { annotations: { [REQUESTED_BY]: ME } },
      spec: { createdBy: "a robot" },
    });
    await change("said", { metadata: { annotations: { [REQUESTED_BY]: "bob" } } });
    expect((await live("said")).metadata.annotations).toMatchObject({ [REQUESTED_BY]: ME });
  });

  test("whose manifest is applied again and again stays as it is", async () => {
    const manifest = version("applied", { createdBy: undefined });
    expect(await answer(plane, manifest, ["apply"])).toBe(created("applied"));
    await begun("applied");
    expect(await answer(plane, manifest, ["apply"])).toBe(done("applied", "unchanged"));
    const serverSide = ["apply", "--server-side", "--force-conflicts"];
    expect(await answer(plane, manifest, serverSide)).toBe(done("applied", "serverside-applied"));
    expect(await answer(plane, manifest, ["replace"])).toBe(done("applied", "replaced"));
    expect(await live("applied")).toMatchObject({
      metadata: { generation: 1, annotations: { [REQUESTED_BY]: ME } },
      spec: { createdBy: ME },
    });
  });

  test("can change who made it for ever, and loses it never", async () => {
    await answer(plane, version("renamed"));
    await begun("renamed");
    await change("renamed", { spec: { createdBy: "somebody else" } });
    expect((await live("renamed")).spec.createdBy).toBe("somebody else");
    await change("renamed", { spec: { createdBy: null } });
    expect((await live("renamed")).spec.createdBy).toBe("somebody else");
  });

  test("can not change once its build has begun", async () => {
    await answer(plane, version("begun"), ["apply"]);
    await begun("begun");
    const other = version("begun", { imageRepo: "registry.test/other" });
    expect(await answer(plane, other, ["apply"])).toBe(
      invalid(
        "begun",
        `spec.imageRepo: "registry.test/begun" can not become "registry.test/other": ${IMMUTABLE}`,
      ),
    );
  });

  test("is shown as it would be, and not made, by a dry run", async () => {
    const dry = ["apply", "--dry-run=server", "--output=json"];
    const shown = JSON.parse(await answer(plane, version("dry"), dry)) as ModelVersion;
    expect(shown.spec.createdBy).toBe(ME);
    expect(await read(plane, "modelversion", "dry")).toBeUndefined();
  });

  test("gets the label of its model back", async () => {
    await answer(plane, version("labelled"));
    await change("labelled", { metadata: { labels: { "model.kubedl.io/model-name": "other" } } });
    await expect
      .poll(async () => (await live("labelled")).metadata.labels, SOON)
      .toEqual({ "model.kubedl.io/model-name": "digits" });
  });
});

describe("a ModelVersion is refused", () => {
  const forged = "says which job a version comes from; only modelhook sets it";
  test.each<[why: string, object: ReturnType<typeof version>, because: string]>([
    [
      "with two storages, which are named",
      version("bad", { storage: TWO }),
      `spec.storage: exactly one storage type is allowed, found localStorage and nfs; allowed: ${TYPES}`,
    ],
    [
      "with a storage of no type",
      version("bad", { storage: {} }),
      `spec.storage: exactly one storage type is allowed, found none; allowed: ${TYPES}`,
    ],
    [
      "without storage",
      version("bad", { storage: undefined }),
      `spec.storage: exactly one storage type is allowed, found none; allowed: ${TYPES}`,
    ],
    [
      "with a path outside of what the administrator allows",
      version("bad", { storage: { localStorage: { path: "/root", nodeName: "node-1" } } }),
      `spec.storage.localStorage.path: "/root" is not allowed: allowed are directories below /models`,
    ],
    [
      "with a job's provenance that a user made up",
      version("bad", {}, { annotations: { [JOB_UID]: "1" }, labels: { [JOB_UID]: "1" } }),
      `\n* metadata.annotations[${JOB_UID}]: ${forged}\n* metadata.labels[${JOB_UID}]: ${forged}`,
    ],
    [
      "with all that is wrong",
      version("bad", {
        modelName: "Digits",
        imageRepo: "registry.test/digits:1",
        imageTag: "!",
        builder: { engine: "docker" },
      }),
      [
        "",
        `spec.modelName: "Digits" must be lower case letters, digits and "-", beginning and ending with a letter or digit`,
        `spec.builder.engine: "docker" is not allowed; allowed: kaniko, direct`,
        `spec.imageRepo: "registry.test/digits:1" has a tag; put it into imageTag`,
        `spec.imageTag: "!" is not a tag: at most 128 letters, digits, "_", "." and "-", not beginning with "." or "-"`,
      ].join("\n* "),
    ],
  ])("%s", async (_why, object, because) => {
    expect(await answer(plane, object)).toBe(invalid("bad", because));
    expect(await answer(plane, object, ["create", "--dry-run=server"])).toBe(
      invalid("bad", because),
    );
  });

  test.each<[what: string, metadata: object, field: string]>([
    ["an annotation", { annotations: { [JOB_UID]: "1" } }, `metadata.annotations[${JOB_UID}]`],
    ["the label", { labels: { [JOB_UID]: "1" } }, `metadata.labels[${JOB_UID}]`],
  ])("%s of a job that it does not come from, later, too", async (what, metadata, field) => {
    const name = what.replace(" ", "-");
    await answer(plane, version(name));
    await expect(change(name, { metadata })).rejects.toThrow(invalid(name, `${field}: ${forged}`));
  });
});

describe("a ModelVersion is refused while no webhook runs", () => {
  beforeAll(async () => {
    await answer(plane, version("before"));
    await begun("before");
    await modelhook.kill();
    const kinds = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
    await plane.kubectl(["delete", kinds, "modelhook"]);
  });

  test.each<[why: string, object: ReturnType<typeof version>, because: string]>([
    [
      "with two storages, which are named",
      version("bad", { storage: TWO }),
      `spec.storage: Invalid value: exactly one storage type is allowed, found localStorage and nfs; allowed: ${TYPES}`,
    ],
    [
      "with a storage of no type",
      version("bad", { storage: {} }),
      `spec.storage: Invalid value: exactly one storage type is allowed, found none; allowed: ${TYPES}`,
    ],
    [
      "another image once its build has begun",
      version("before", { imageRepo: "registry.test/other" }),
      `spec: Invalid value: imageRepo can not change: ${IMMUTABLE}`,
    ],
  ])("%s", async (_why, object, because) => {
    const said = await answer(plane, object, ["apply", "--server-side", "--force-conflicts"]);
    expect(said).toBe(invalid(object.metadata.name, because));
  });
});

function version(name: string, spec: object = {}, metadata: object = {}) {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name, ...metadata },
    spec: { modelName: "digits", imageRepo: `registry.test/${name}`, storage: LOCAL, ...spec },
  };
}

async function live(name: string): Promise<ModelVersion> {
  const found = await read<ModelVersion>(plane, "modelversion", name);
  if (found === undefined) throw new Error(`there is no ModelVersion ${name}`);
  return found;
}

/** Its node runs no pods, so the build waits. */
async function begun(name: string): Promise<void> {
  await eventually(`the build of ${name} begins`, async () => {
    return (await live(name)).status?.imageBuildPhase === "ImageBuilding";
  });
}

async function change(name: string, patch: object): Promise<void> {
  const flags = ["--type=merge", "--patch", JSON.stringify(patch)];
  await plane.kubectl(["patch", "modelversion", name, ...flags]);
}

function done(name: string, what: string): string {
  return `modelversion.model.kubedl.io/${name} ${what}`;
}

function created(name: string): string {
  return done(name, "created");
}

function invalid(name: string, because: string): string {
  return `The ModelVersion "${name}" is invalid: ${because}`;
}
