import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import type { Model } from "../../src/api/model.ts";
import { REASONS } from "../../src/api/reasons.ts";
import { answer } from "./answer.ts";
import { builtReport, nextBuild } from "./builds.ts";
import { addNode, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { modelOf, servingPod, versionOf } from "./objects.ts";

const SOON = { timeout: 10_000 };
/** What refers to versions is looked at every few seconds at most. */
const LATER = { timeout: 30_000 };

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, "node-1");
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("the latest version of a Model", () => {
  test("only moves forward while builds end in any order, and back when it is deleted", async () => {
    for (const name of ["digits-1", "digits-2", "digits-3"]) await make("digits", name);
    await expect.poll(async () => (await live("digits"))?.metadata.name, SOON).toBe("digits");
    expect((await live("digits"))?.status?.latestVersion).toBeUndefined();

    await build("digits-2");
    await expect.poll(async () => latestOf("digits"), SOON).toBe("digits-2");
    await build("digits-1");
    await build("digits-3");
    await expect.poll(async () => latestOf("digits"), SOON).toBe("digits-3");

    await remove("modelversion", "digits-3");
    await expect.poll(async () => latestOf("digits"), SOON).toBe("digits-2");
    await remove("modelversion", "digits-2");
    await expect.poll(async () => latestOf("digits"), SOON).toBe("digits-1");
    await remove("modelversion", "digits-1");
    await expect.poll(async () => latestOf("digits"), SOON).toBeUndefined();
    expect((await live("digits"))?.status?.conditions).toMatchObject([
      { type: "Built", status: "False", reason: "ModelNotBuilt", message: "no version is built" },
    ]);
  });
});

describe("the aliases of a Model", () => {
  beforeAll(async () => {
    await make("words", "words-1");
    await make("letters", "letters-1");
  });

  test("wait for versions that come later, and point to them once they are built", async () => {
    const aliases = { production: "words-1", canary: "words-9", next: "words-2" };
    expect(await answer(plane, modelOf("words", { aliases }), ["apply", "--server-side"])).toBe(
      [
        "Warning: spec.aliases[canary]: waits for ModelVersion words-9, which does not exist; did you mean words-1?",
        "Warning: spec.aliases[next]: waits for ModelVersion words-2, which does not exist; did you mean words-1?",
      ].join("\n"),
    );
    await expect
      .poll(async () => condition("words", "AliasesResolved"), SOON)
      .toMatchObject({
        status: "False",
        reason: "AliasPending",
        message:
          "canary waits for ModelVersion words-9, which does not exist; next waits for ModelVersion words-2, which does not exist; production waits for ModelVersion words-1, which is not built yet",
      });
    expect((await live("words"))?.status?.aliases).toBeUndefined();

    await build("words-1");
    await expect
      .poll(async () => (await live("words"))?.status?.aliases, SOON)
      .toEqual([pointer("production", "words-1")]);
    // Its owner mistook the model: nobody can know that when the alias is set.
    await make("letters", "words-9");
    await make("words", "words-2");
    await build("words-2");
    await expect
      .poll(async () => (await live("words"))?.status?.aliases, SOON)
      .toEqual([pointer("next", "words-2"), pointer("production", "words-1")]);
    expect(await condition("words", "AliasesResolved")).toMatchObject({
      status: "False",
      message: "canary waits for ModelVersion words-9, which is a version of model letters",
    });

    const fewer = modelOf("words", { aliases: { production: "words-1", next: "words-2" } });
    expect(await answer(plane, fewer, ["apply", "--server-side"])).toBe(
      "model.model.kubedl.io/words serverside-applied",
    );
    await expect
      .poll(async () => condition("words", "AliasesResolved"), SOON)
      .toMatchObject({ status: "True", reason: "AliasesResolved" });
    expect(await plane.kubectl(["get", "models", "words"])).toMatch(
      /^NAME +LATEST-VERSION +LATEST-IMAGE +ALIASES-RESOLVED +AGE\nwords +words-2 +registry.test\/words-2:v1 +True +\w+\n$/,
    );
  });
});

describe("a Model is refused", () => {
  const foreign = `"letters-1" is a version of model letters; allowed are versions of words, such as words-1, words-2`;
  test.each<[why: string, spec: object, because: string]>([
    [
      "whose alias names a version of another model",
      { aliases: { production: "letters-1" } },
      `spec.aliases[production]: ${foreign}`,
    ],
    [
      "that keeps no version",
      { retention: { keepLast: 0 } },
      "spec.retention.keepLast: 0 must be at least 1",
    ],
    [
      "whose alias is called like nothing",
      { aliases: { Production: "words-1" } },
      `spec.aliases[Production]: "Production" is no name of an alias: lower case letters, digits and "-", beginning and ending with a letter or digit`,
    ],
    [
      "with all that is wrong",
      { aliases: { canary: "letters-1", old: "a_b" }, retention: { keepLast: -1 } },
      [
        "",
        `spec.aliases[old]: "a_b" is no name of a ModelVersion: lower case letters, digits, "-" and ".", such as digits-3f2a1`,
        "spec.retention.keepLast: -1 must be at least 1",
        `spec.aliases[canary]: ${foreign}`,
      ].join("\n* "),
    ],
  ])("%s", async (_why, spec, because) => {
    const text = `The Model "words" is invalid: ${because}`;
    for (const how of [["apply", "--server-side", "--force-conflicts"], ["replace"]]) {
      expect(await answer(plane, modelOf("words", spec), how)).toBe(text);
      expect(await answer(plane, modelOf("words", spec), [...how, "--dry-run=server"])).toBe(text);
    }
  });
});

describe("the retention of a Model", () => {
  test("deletes versions that are old and that nothing refers to, and only those", async () => {
    const names = [1, 2, 3, 4, 5].map((index) => `kept-${index}`);
    for (const name of names) {
      await make("kept", name);
      await build(name);
    }
    await plane.kubectl(["create", "--filename", "-"], JSON.stringify(deployment("kept-2")));
    expect(await answer(plane, servingPod("kept-3", "kept-3"))).toBe("pod/kept-3 created");
    const aliases = { stable: "kept-1" };
    await applyKept({ aliases, retention: { keepLast: 1 } });

    await expect.poll(versionsOfKept, LATER).toEqual(["kept-1", "kept-2", "kept-3", "kept-5"]);
    await expect
      .poll(async () => eventsOn("kept"), LATER)
      .toContain(
        "VersionRetired: ModelVersion kept-4 is deleted: spec.retention.keepLast is 1, newer versions are built, and nothing refers to it",
      );

    await remove("deployment", "idle");
    await applyKept({ retention: { keepLast: 1 } });
    await expect.poll(versionsOfKept, LATER).toEqual(["kept-3", "kept-5"]);
    expect(await latestOf("kept")).toBe("kept-5");
  });
});

test("a Model that is deleted says which versions stay, and comes back for them", async () => {
  await make("gone", "gone-1");
  await expect.poll(async () => (await live("gone"))?.metadata.name, SOON).toBe("gone");
  const uid = (await live("gone"))?.metadata.uid;
  expect(await answer(plane, modelOf("gone", {}), ["delete"])).toBe(
    "Warning: 1 version of Model gone stays: gone-1; modelhook makes the Model anew for them, without aliases and retention, until they are deleted",
  );
  await expect
    .poll(async () => (await live("gone"))?.metadata.uid, SOON)
    .toSatisfy((next) => next !== undefined && next !== uid);
});

describe("every reason that is given is one of the table", () => {
  test("in metrics of answers and warnings", async () => {
    const text = await (await fetch(`${modelhook.probeUrl}/metrics`)).text();
    const given = [...text.matchAll(/^modelhook_admission\w*\{.*reason="(\w+)"/gm)];
    const reasons = new Set(given.map(([, reason = ""]) => reason));
    expect([...reasons]).toContain("AliasPending");
    expect([...reasons].filter((reason) => !Object.hasOwn(REASONS, reason))).toEqual([]);
  });

  test("in events and conditions", async () => {
    const events = await plane.kubectl([
      "get",
      "events.v1.events.k8s.io",
      "--output=jsonpath={range .items[*]}{.reportingController} {.reason}{'\\n'}{end}",
    ]);
    const ours = events.split("\n").filter((line) => line.startsWith("modelhook "));
    const conditions = await plane.kubectl([
      "get",
      "models,modelversions",
      "--output=jsonpath={range .items[*]}{range .status.conditions[*]}{.reason}{'\\n'}{end}{end}",
    ]);
    const reasons = new Set([
      ...ours.map((line) => line.split(" ")[1] ?? ""),
      ...conditions.trim().split("\n"),
    ]);
    expect([...reasons]).toEqual(expect.arrayContaining(["BuildSucceeded", "VersionRetired"]));
    expect([...reasons].filter((reason) => !Object.hasOwn(REASONS, reason))).toEqual([]);
  });
});

describe("a Model is refused while no webhook runs", () => {
  beforeAll(async () => {
    await modelhook.kill();
    const kinds = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
    await plane.kubectl(["delete", kinds, "modelhook"]);
  });

  test.each<[why: string, spec: object, because: string]>([
    [
      "that keeps no version",
      { retention: { keepLast: 0 } },
      "spec.retention.keepLast: Invalid value: 0: must be at least 1",
    ],
    [
      "whose aliases are called like nothing",
      { aliases: { Production: "words-1", "b.c": "words-1" } },
      'spec.aliases: Invalid value: the name of an alias must be a DNS label, found ["Production", "b.c"]',
    ],
    [
      "whose alias names what can be no version",
      { aliases: { production: "a_b" } },
      'spec.aliases[production]: Invalid value: "a_b": is no name of a ModelVersion: lower case letters, digits, "-" and ".", such as digits-3f2a1',
    ],
  ])("%s", async (_why, spec, because) => {
    const said = await answer(plane, modelOf("new", spec), ["apply", "--server-side"]);
    // The order of a map is nobody's.
    const text = said.replace('["b.c", "Production"]', '["Production", "b.c"]');
    expect(text).toBe(`The Model "new" is invalid: ${because}`);
  });
});

async function applyKept(spec: object): Promise<void> {
  const how = ["apply", "--server-side", "--force-conflicts"];
  expect(await answer(plane, modelOf("kept", spec), how)).toBe(
    "model.model.kubedl.io/kept serverside-applied",
  );
}

async function versionsOfKept(): Promise<readonly (string | undefined)[]> {
  const versions = await list(plane, "modelversions", "model.kubedl.io/model-name=kept");
  return versions.map(({ metadata }) => metadata?.name);
}

async function make(model: string, name: string): Promise<void> {
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(versionOf(model, name)));
}

async function build(name: string): Promise<void> {
  await nextBuild(plane, name, builtReport(name));
}

async function remove(kind: string, name: string): Promise<void> {
  await plane.kubectl(["delete", kind, name]);
}

async function live(name: string): Promise<Model | undefined> {
  return read<Model>(plane, "model", name);
}

async function latestOf(name: string): Promise<string | undefined> {
  return (await live(name))?.status?.latestVersion?.modelVersion;
}

async function condition(name: string, type: string): Promise<object | undefined> {
  return (await live(name))?.status?.conditions?.find((each) => each.type === type);
}

function pointer(name: string, modelVersion: string): object {
  const report = builtReport(modelVersion);
  const digest = report.state === "built" ? report.image.digest : "";
  return { name, modelVersion, image: `registry.test/${modelVersion}:v1`, digest };
}

/** A Deployment scaled to zero whose pods would serve the version. */
function deployment(version: string): object {
  const labels = { app: "idle" };
  const { metadata, spec } = servingPod("idle", version);
  const template = { metadata: { labels, annotations: metadata.annotations }, spec };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "idle" },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  };
}

/** Reason and words of our Events on an object. */
async function eventsOn(name: string): Promise<readonly string[]> {
  interface Event extends KubeObject {
    readonly reason: string;
    readonly note: string;
    readonly regarding: { readonly name: string };
  }
  const events = await list<Event>(plane, "events.events.k8s.io", "");
  return events
    .filter(({ regarding }) => regarding.name === name)
    .map(({ reason, note }) => `${reason}: ${note}`);
}
