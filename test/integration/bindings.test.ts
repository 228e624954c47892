import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Pod } from "../../src/api/kube-types.ts";
import type { ModelBinding } from "../../src/api/modelbinding.ts";
import { readStatus } from "../../src/inject/serving-status.ts";
import { answer } from "./answer.ts";
import { builtReport, nextBuild } from "./builds.ts";
import { addNode, becomeReady, eventsOn, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { modelOf, servingPod, versionOf } from "./objects.ts";

/** A binding is looked at every few seconds at most. */
const SOON = { timeout: 20_000 };
const LABEL = "model.kubedl.io/injection";
/** Has the label from the beginning. */
const SHOP = "shop";
/** Gets the label, and loses it. */
const ATTIC = "attic";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  for (const namespace of [SHOP, ATTIC]) await plane.kubectl(["create", "namespace", namespace]);
  await plane.kubectl(["label", "namespace", SHOP, `${LABEL}=enabled`]);
  // Nothing sees these: no webhook is registered yet.
  await run(servingPod("early", "digits-1"), "default");
  const optedOut = { "model.kubedl.io/inject": "false" };
  await run(pod("early-and-opted-out", {}, optedOut), "default");
  modelhook = await startModelhook(plane);
  await addNode(plane, "node-1");
  for (const name of ["digits-1", "digits-2"]) await build("digits", name, SHOP);
  await build("letters", "letters-1", ATTIC);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("a binding in a namespace with the label", () => {
  test("gives its model to the pods of a controller that knows nothing of it, and says what they get", async () => {
    await bind("web", { modelVersion: "digits-1" });
    await answer(plane, deployment("web", 2));
    await expect.poll(async () => given("web"), SOON).toEqual(["digits-1", "digits-1"]);
    for (const each of await podsOf("web")) {
      expect(each.spec?.initContainers?.[0]?.image).toMatch(/^registry\.test\/digits-1@sha256:/);
      expect(readStatus(each)?.binding).toBe("web");
      await becomeReady(plane, each);
    }
    await touch("web");
    await expect
      .poll(async () => (await live("web")).status, SOON)
      .toMatchObject({ injected: 2, notInjected: 0, observedGeneration: 1 });
    expect((await live("web")).status?.image).toMatch(/^registry\.test\/digits-1@sha256:6469/);
    expect(await conditions("web")).toEqual([
      "InEffect=True BindingInEffect: the pods that it selects get the model when they are made",
      "Resolved=True ModelReady: ModelVersion digits-1 is built",
      "Injected=True Injected: 2 running pods have the model",
    ]);
    expect(await plane.kubectl(["get", "--namespace", SHOP, "mb", "web"])).toMatch(
      /^NAME +SERVES-VERSION +SERVES-MODEL +EXPORTS +INJECTED +NOT-INJECTED +AGE\nweb +digits-1 +2 +0 +\w+\n$/,
    );
  });

  test("tells of the running pods that were made before it, and restarts none", async () => {
    await answer(plane, deployment("old", 2));
    await expect.poll(async () => podsOf("old"), SOON).toHaveLength(2);
    const before = await podsOf("old");
    for (const each of before) await becomeReady(plane, each);
    await run(pod("opted-out", { app: "old" }, { "model.kubedl.io/inject": "false" }));
    const own = { "model.kubedl.io/model-version": "digits-2" };
    await run(pod("names-its-own", { app: "old" }, own));
    await answer(plane, pod("not-running", { app: "old" }));

    await bind("old", { modelVersion: "digits-1" });
    const names = before.map(({ metadata }) => metadata?.name ?? "").toSorted();
    const said = `2 running pods were made without the model: ${names.join(", ")}; delete them, or restart their Deployment; modelhook restarts nothing`;
    await expect
      .poll(async () => (await live("old")).status, SOON)
      .toMatchObject({ injected: 0, notInjected: 2 });
    expect((await conditions("old")).at(-1)).toBe(`Injected=False InjectionMissed: ${said}`);
    await expect
      .poll(async () => eventsOn(plane, "old"), SOON)
      .toContain(`InjectionMissed: ${said}`);
    expect(await missedBy("binding")).toBe(2);

    for (const each of before) await remove("pod", each.metadata?.name ?? "");
    await expect.poll(async () => given("old"), SOON).toEqual(["digits-1", "digits-1"]);
    for (const each of await podsOf("old")) await becomeReady(plane, each);
    await touch("old");
    await expect.poll(async () => (await live("old")).status?.notInjected, SOON).toBe(0);
    expect((await conditions("old")).at(-1)).toBe(
      "Injected=True Injected: 2 running pods have the model",
    );
    await expect.poll(async () => missedBy("binding"), SOON).toBe(0);
  });

  test("has the pods that a younger one selects, too", async () => {
    await bind("z-elder", { modelVersion: "digits-1" }, { app: "both" });
    // Times of creation are whole seconds.
    await sleep(1100);
    expect(await bind("a-younger", { modelVersion: "digits-2" }, { app: "both" })).toBe(
      "Warning: spec.selector: can select pods that ModelBinding z-elder selects, too; of two the older one has them",
    );
    await run(pod("of-both", { app: "both" }));
    const made = await read<Pod>(plane, "pod", "of-both", SHOP);
    expect(made === undefined ? undefined : readStatus(made)).toMatchObject({
      binding: "z-elder",
      models: [{ modelVersion: "digits-1" }],
    });
    await touch("z-elder");
    await touch("a-younger");
    await expect.poll(async () => (await live("z-elder")).status?.injected, SOON).toBe(1);
    await expect
      .poll(async () => (await conditions("a-younger")).at(-1), SOON)
      .toBe(
        "Injected=True Injected: no running pod lacks the model; 1 running pod belongs to an older binding",
      );
    await remove("modelbinding", "z-elder");
    await expect.poll(async () => (await live("a-younger")).status?.injected, SOON).toBe(1);
    expect((await conditions("a-younger")).at(-1)).toBe(
      "Injected=True Injected: 1 running pod has the model, 1 of them in another image than new pods get",
    );
  });

  test("follows an alias for new controllers, and leaves those that there are with what they have", async () => {
    await alias("digits-1");
    await bind("aliased", { model: "digits", alias: "production" });
    await answer(plane, deployment("one", 1, "aliased"));
    await expect.poll(async () => given("one"), SOON).toEqual(["digits-1"]);
    await expect.poll(async () => imageOf("aliased"), SOON).toBe("registry.test/digits-1");
    await alias("digits-2");
    await expect.poll(async () => imageOf("aliased"), SOON).toBe("registry.test/digits-2");
    expect((await conditions("aliased"))[1]).toBe(
      "Resolved=True ModelReady: alias production of Model digits is ModelVersion digits-2, which is built",
    );
    await answer(plane, deployment("two", 1, "aliased"));
    await expect.poll(async () => given("two"), SOON).toEqual(["digits-2"]);
    await plane.kubectl(["scale", "--namespace", SHOP, "deployment", "one", "--replicas=3"]);
    await expect.poll(async () => given("one"), SOON).toEqual(["digits-1", "digits-1", "digits-1"]);
  });

  test("says why it does not resolve, until it does", async () => {
    await bind("late", { modelVersion: "digits-3" });
    await expect
      .poll(async () => (await conditions("late"))[1], SOON)
      .toBe("Resolved=False ModelNotFound: ModelVersion digits-3 does not exist");
    await build("digits", "digits-3", SHOP);
    await expect.poll(async () => imageOf("late"), SOON).toBe("registry.test/digits-3");
  });

  test("that exports is in effect, and says how many pods it has; exports.test.ts says what becomes of these", async () => {
    const storage = { persistentVolumeClaim: { claimName: "models" } };
    const spec = {
      selector: { matchLabels: { app: "train" } },
      export: { modelName: "digits", imageRepo: "registry.test/digits", storage },
    };
    expect(await answer(plane, binding("train", spec))).toMatch(/ created$/);
    await expect
      .poll(async () => conditions("train"), SOON)
      .toEqual([
        "InEffect=True BindingInEffect: what the jobs of the pods that it selects write is exported when they succeed",
        "Injected=True Injected: 0 running pods belong to jobs of which the model is exported",
      ]);
    expect((await live("train")).status).toMatchObject({ injected: 0, notInjected: 0 });
    expect(await plane.kubectl(["get", "--namespace", SHOP, "mb", "train"])).toMatch(
      /^NAME +SERVES-VERSION +SERVES-MODEL +EXPORTS +INJECTED +NOT-INJECTED +AGE\ntrain +digits +0 +0 +\w+\n$/,
    );
  });
});

test("a binding is in effect for as long as its namespace has the label", async () => {
  const without = `InEffect=False BindingWithoutEffect: has no effect until namespace ${ATTIC} has the label ${LABEL}=enabled`;
  await bind("attic", { modelVersion: "letters-1" }, { app: "attic" }, ATTIC);
  await run(pod("before", { app: "attic" }), ATTIC);
  await touch("attic", ATTIC);
  await expect
    .poll(async () => (await live("attic", ATTIC)).status, SOON)
    .toMatchObject({ injected: 0, notInjected: 1 });
  expect(await conditions("attic", ATTIC)).toEqual([
    without,
    "Resolved=True ModelReady: ModelVersion letters-1 is built",
  ]);
  expect(await missedBy("binding")).toBe(0);

  await plane.kubectl(["label", "namespace", ATTIC, `${LABEL}=enabled`]);
  await expect
    .poll(async () => (await conditions("attic", ATTIC)).at(-1), SOON)
    .toMatch(/^Injected=False InjectionMissed: 1 running pod was made without the model: before; /);
  expect(await missedBy("binding")).toBe(1);
  expect((await eventsOn(plane, "attic")).join()).toMatch(/^InjectionMissed: 1 running pod /);
  await run(pod("during", { app: "attic" }), ATTIC);
  expect((await read<Pod>(plane, "pod", "during", ATTIC))?.spec?.initContainers).toHaveLength(1);

  await plane.kubectl(["label", "namespace", ATTIC, `${LABEL}-`]);
  await expect
    .poll(async () => conditions("attic", ATTIC), SOON)
    .toEqual([without, "Resolved=True ModelReady: ModelVersion letters-1 is built"]);
  expect((await live("attic", ATTIC)).status).toMatchObject({ injected: 1, notInjected: 1 });
  expect(await missedBy("binding")).toBe(0);
  await run(pod("after", { app: "attic" }), ATTIC);
  expect((await read<Pod>(plane, "pod", "after", ATTIC))?.spec?.initContainers).toBeUndefined();
});

test("a pod that asked before modelhook was there is told what to do, and lives on", async () => {
  await expect.poll(async () => missedBy("annotation"), { timeout: 45_000 }).toBe(1);
  await expect
    .poll(async () => eventsOn(plane, "early"), SOON)
    .toEqual([
      "InjectionMissed: asks for ModelVersion digits-1 and was made without it: delete it and make it anew; modelhook restarts nothing",
    ]);
  expect(await eventsOn(plane, "early-and-opted-out")).toEqual([]);
  const early = await read<Pod>(plane, "pod", "early");
  expect(early?.metadata?.deletionTimestamp).toBeUndefined();
  expect(early?.status?.phase).toBe("Running");
});

function binding(name: string, spec: object, namespace = SHOP): object {
  const apiVersion = "model.kubedl.io/v1alpha1";
  return { apiVersion, kind: "ModelBinding", metadata: { name, namespace }, spec };
}

/** Makes a binding that serves the pods whose label `app` is its name, unless told otherwise. */
async function bind(
  name: string,
  serve: object,
  matchLabels: object = { app: name },
  namespace = SHOP,
): Promise<string> {
  return answer(plane, binding(name, { selector: { matchLabels }, serve }, namespace));
}

/** Changes a binding in a way that says nothing: it is looked at soon. */
async function touch(name: string, namespace = SHOP): Promise<void> {
  const flags = ["--namespace", namespace, "--overwrite"];
  await plane.kubectl(["annotate", "modelbinding", name, ...flags, `touched=at-${Date.now()}`]);
}

async function live(name: string, namespace = SHOP): Promise<ModelBinding> {
  const found = await read<ModelBinding>(plane, "modelbinding", name, namespace);
  if (found === undefined) throw new Error(`there is no binding ${name}`);
  return found;
}

async function conditions(name: string, namespace = SHOP): Promise<readonly string[]> {
  const { status } = await live(name, namespace);
  return (status?.conditions ?? []).map(
    (each) => `${each.type}=${each.status} ${each.reason}: ${each.message}`,
  );
}

/** The image that new pods get, its digest aside. */
async function imageOf(name: string): Promise<string | undefined> {
  return (await live(name)).status?.image?.split("@")[0];
}

function pod(name: string, labels: object, annotations: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels, annotations },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  };
}

/** Makes a pod, and says that it runs. */
async function run(object: object, namespace = SHOP): Promise<void> {
  const { metadata } = object as Pod;
  await answer(plane, { ...object, metadata: { ...metadata, namespace } });
  const made = await read<Pod>(plane, "pod", metadata?.name ?? "", namespace);
  if (made === undefined) throw new Error(`there is no pod ${metadata?.name}`);
  await becomeReady(plane, made);
}

/** A Deployment whose pods say nothing of models. */
function deployment(name: string, replicas: number, app = name): object {
  const labels = { app, of: name };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: SHOP },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

async function podsOf(name: string): Promise<readonly Pod[]> {
  const pods = await list<Pod>(plane, "pods", `of=${name}`);
  return pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

/** The versions that the pods of a Deployment have, by the word of the webhook. */
async function given(name: string): Promise<readonly (string | undefined)[]> {
  return (await podsOf(name)).map((each) => readStatus(each)?.models[0]?.modelVersion);
}

async function build(model: string, name: string, namespace: string): Promise<void> {
  await answer(plane, versionOf(model, name, { namespace }));
  await nextBuild(plane, name, builtReport(name), namespace);
}

async function alias(version: string): Promise<void> {
  const model = modelOf("digits", { aliases: { production: version } }, { namespace: SHOP });
  await answer(plane, model, ["apply", "--server-side", "--force-conflicts"]);
}

async function remove(kind: string, name: string): Promise<void> {
  await plane.kubectl(["delete", kind, name, "--namespace", SHOP, "--wait=false"]);
}

/** Running pods that lack what a binding, or their own annotations, ask for, as the leader tells Prometheus. */
async function missedBy(asked: "binding" | "annotation"): Promise<number | undefined> {
  const text = await (await fetch(`${modelhook.probeUrl}/metrics`)).text();
  const start = `modelhook_pods_not_injected{asked_by="${asked}"} `;
  const line = text.split("\n").find((each) => each.startsWith(start));
  return line === undefined ? undefined : Number(line.slice(start.length));
}
