import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Pod } from "../../src/api/kube-types.ts";
import type { Model } from "../../src/api/model.ts";
import { readStatus, type ServingStatus } from "../../src/inject/serving-status.ts";
import { answer } from "./answer.ts";
import { builtReport, nextBuild } from "./builds.ts";
import { addNode, eventually, list, read, runsOn } from "./kubelet.ts";
import { readMetric } from "./metrics.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { modelOf, versionOf } from "./objects.ts";

const SOON = { timeout: 15_000 };
const GATE = "model.kubedl.io/build";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, "node-1");
  for (const name of ["digits-1", "letters-1"]) {
    const modelName = name.replace("-1", "");
    await answer(plane, versionOf(modelName, name));
    await nextBuild(plane, name, builtReport(name));
    await eventually(`${name} is the latest`, async () => (await latestOf(modelName)) === name);
  }
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("a Deployment that serves", () => {
  test("the latest version keeps the one that its first pod got, until it is rolled out anew", async () => {
    await answer(plane, deployment("latest", { model: "digits" }, 3));
    await expect.poll(async () => versionsOf("latest"), SOON).toEqual(["digits-1 x 3"]);
    await answer(plane, versionOf("digits", "digits-2"));
    await nextBuild(plane, "digits-2", builtReport("digits-2"));
    await expect.poll(async () => latestOf("digits"), SOON).toBe("digits-2");

    await plane.kubectl(["scale", "deployment", "latest", "--replicas=6"]);
    await expect.poll(async () => versionsOf("latest"), SOON).toEqual(["digits-1 x 6"]);
    // A replica that has just started knows it from its cache no less.
    await modelhook.stop();
    modelhook = await startModelhook(plane);
    await plane.kubectl(["scale", "deployment", "latest", "--replicas=8"]);
    await expect.poll(async () => versionsOf("latest"), SOON).toEqual(["digits-1 x 8"]);

    await plane.kubectl(["rollout", "restart", "deployment", "latest"]);
    await expect
      .poll(async () => (await versionsOf("latest")).join(), SOON)
      .toMatch(/^digits-1 x 6,digits-2 x \d$/);
  });

  test("an alias that does not exist yet waits, and all of its pods get one version", async () => {
    const asked = { model: "letters", alias: "production" };
    await answer(plane, deployment("aliased", asked, 3));
    await expect.poll(async () => podsOf("aliased"), SOON).toHaveLength(3);
    for (const { spec, metadata } of await podsOf("aliased")) {
      expect(spec?.schedulingGates).toEqual([{ name: GATE }]);
      expect(spec?.initContainers?.[0]?.image).toContain("modelhook.invalid/pending@");
      expect(metadata?.labels).toMatchObject({ "model.kubedl.io/gated": "true" });
    }
    const alias = modelOf("letters", { aliases: { production: "letters-1" } });
    await answer(plane, alias, ["apply", "--server-side", "--force-conflicts"]);
    await expect.poll(async () => versionsOf("aliased"), SOON).toEqual(["letters-1 x 3"]);
    for (const { spec, metadata } of await podsOf("aliased")) {
      expect(spec?.schedulingGates).toBeUndefined();
      expect(spec?.initContainers?.[0]?.image).toMatch(/^registry\.test\/letters-1@sha256:6c65/);
      expect(metadata?.labels).not.toHaveProperty(["model.kubedl.io/gated"]);
    }
  });
});

describe("a pod", () => {
  test("of an unknown Model or alias is told the nearest name", async () => {
    expect(await answer(plane, pod("of-digit", { model: "digit" }))).toBe(
      `Warning: Model digit does not exist; the pod waits behind the scheduling gate ${GATE}; did you mean digits?`,
    );
    expect(await answer(plane, pod("of-prod", { model: "letters", alias: "productoin" }))).toBe(
      `Warning: Model letters has no alias productoin; the pod waits behind the scheduling gate ${GATE}; did you mean production?`,
    );
  });

  test("gets several models, each at its own path, from one volume", async () => {
    const models = JSON.stringify([
      { modelVersion: "digits-1", mountPath: "/models/digits" },
      { model: "letters", alias: "production", mountPath: "/models/letters" },
    ]);
    expect(await answer(plane, pod("several", { models }))).toBe("pod/several created");
    const { spec } = await live("several");
    expect(spec?.initContainers?.map(({ name }) => name)).toEqual([
      "kubedl-model-loader",
      "kubedl-model-loader-2",
    ]);
    expect(spec?.containers[0]).toMatchObject({
      env: [
        { name: "KUBEDL_MODEL_PATH", value: "/models/digits" },
        { name: "KUBEDL_MODEL_PATHS", value: "/models/digits:/models/letters" },
      ],
      volumeMounts: expect.arrayContaining([
        { name: "kubedl-model", mountPath: "/models/digits", subPath: "model", readOnly: true },
        { name: "kubedl-model", mountPath: "/models/letters", subPath: "model-2", readOnly: true },
      ]) as unknown,
    });
  });

  test("of which one model of two is missing waits for both", async () => {
    const models = JSON.stringify([
      { modelVersion: "digits-1", mountPath: "/a" },
      { modelVersion: "words-1", mountPath: "/b" },
    ]);
    await answer(plane, pod("half", { models }));
    expect((await live("half")).spec?.schedulingGates).toEqual([{ name: GATE }]);
    await answer(plane, versionOf("words", "words-1"));
    await nextBuild(plane, "words-1", builtReport("words-1"));
    await expect.poll(async () => (await live("half")).spec?.schedulingGates, SOON).toBeUndefined();
    expect((await live("half")).spec?.initContainers?.map(({ image }) => image)).toEqual([
      expect.stringMatching(/^registry\.test\/digits-1@/),
      expect.stringMatching(/^registry\.test\/words-1@/),
    ]);
  });

  test("that is only tried out is shown with its model, and nothing is kept", async () => {
    const tried = pod("tried", { "model-version": "digits-1" });
    const shown = await answer(plane, tried, ["create", "--dry-run=server", "--output=json"]);
    expect((JSON.parse(shown) as Pod).spec?.initContainers).toHaveLength(1);
    expect(await read(plane, "pod", "tried")).toBeUndefined();
  });

  test("of Windows is left as it is, and told so", async () => {
    const windows = pod("windows", { "model-version": "digits-1" });
    const spec = { ...windows.spec, os: { name: "windows" } };
    expect(await answer(plane, { ...windows, spec })).toContain("Windows");
    expect((await live("windows")).spec?.initContainers).toBeUndefined();
  });

  test("gets a container for debugging, an eviction and a status without a call of ours", async () => {
    await answer(plane, pod("debugged", { "model-version": "digits-1" }));
    const before = await readMetric(modelhook, "modelhook_admission_requests_total");
    const target = "/api/v1/namespaces/default/pods/debugged";
    const debug = { name: "debug", image: "registry.test/debug:1" };
    const body = { spec: { ephemeralContainers: [debug] } };
    await plane.kubectl([
      "patch",
      "pod",
      "debugged",
      "--subresource=ephemeralcontainers",
      "--patch",
      JSON.stringify(body),
    ]);
    const { spec } = await live("debugged");
    expect(spec?.ephemeralContainers).toMatchObject([debug]);
    expect(spec?.ephemeralContainers?.[0]?.volumeMounts).toBeUndefined();
    const eviction = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: "debugged", namespace: "default" },
    };
    await plane.kubectl(
      ["create", "--raw", `${target}/eviction`, "--filename", "-"],
      JSON.stringify(eviction),
    );
    expect(await readMetric(modelhook, "modelhook_admission_requests_total")).toBe(before);
  });
});

describe("where every node mounts image volumes", () => {
  beforeAll(async () => {
    await runsOn(plane, "node-1", "v1.36.3", "containerd://2.2.1");
  });

  test("a pod gets its model as one, and says why", async () => {
    await expect
      .poll(async () => {
        await plane.kubectl(["delete", "pod", "volume", "--ignore-not-found", "--now"]);
        await answer(plane, pod("volume", { "model-version": "digits-1" }));
        return statusOf(await live("volume"))?.delivery;
      }, SOON)
      .toBe("image-volume");
    const stored = await live("volume");
    expect(statusOf(stored)?.why).toBe("every node that the pod can go to mounts it");
    expect(stored.spec?.initContainers).toBeUndefined();
    const reference = `registry.test/digits-1@${digestOf("digits-1")}`;
    expect(stored.spec?.volumes).toContainEqual({
      name: "kubedl-model",
      image: { reference, pullPolicy: "IfNotPresent" },
    });
    expect(stored.spec?.containers[0]?.volumeMounts).toContainEqual({
      name: "kubedl-model",
      mountPath: "/kubedl-model",
      subPath: "kubedl-model",
      readOnly: true,
    });
  });

  test("a pod gets a copy that asks for one", async () => {
    await answer(plane, pod("copy", { "model-version": "digits-1", delivery: "copy" }));
    expect(statusOf(await live("copy"))).toMatchObject({ delivery: "copy" });
  });

  test("a pod of an older node among them is denied an image volume, and given a copy", async () => {
    await addNode(plane, "node-2");
    await runsOn(plane, "node-2", "v1.36.3", "containerd://2.1.4");
    const asked = { "model-version": "digits-1", delivery: "image-volume" };
    await expect
      .poll(async () => answer(plane, pod("asks", asked), ["create", "--dry-run=server"]), SOON)
      .toContain(
        '"image-volume" is not possible: node node-2 has containerd 2.1.4, 2.2 is needed; use copy, or keep the pod from such nodes',
      );
    const kept = pod("kept", asked);
    const nodeSelector = { "kubernetes.io/hostname": "node-1" };
    expect(await answer(plane, { ...kept, spec: { ...kept.spec, nodeSelector } })).toBe(
      "pod/kept created",
    );
    await answer(plane, pod("any", { "model-version": "digits-1" }));
    expect(statusOf(await live("any"))).toMatchObject({
      delivery: "copy",
      why: "node node-2 has containerd 2.1.4, 2.2 is needed",
    });
  });
});

function pod(name: string, asked: Readonly<Record<string, string>>) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations: annotationsOf(asked) },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  };
}

function deployment(name: string, asked: Readonly<Record<string, string>>, replicas: number) {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: annotationsOf(asked) },
        spec: pod(name, asked).spec,
      },
    },
  };
}

function annotationsOf(asked: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(asked).map(([key, value]) => [`model.kubedl.io/${key}`, value]),
  );
}

async function latestOf(model: string): Promise<string | undefined> {
  const found = await read<Model>(plane, "model", model);
  return found?.status?.latestVersion?.modelVersion;
}

async function live(name: string): Promise<Pod> {
  const found = await read<Pod>(plane, "pod", name);
  if (found === undefined) throw new Error(`there is no pod ${name}`);
  return found;
}

async function podsOf(app: string): Promise<readonly Pod[]> {
  return list<Pod>(plane, "pods", `app=${app}`);
}

function statusOf(stored: Pod): ServingStatus | undefined {
  return readStatus(stored);
}

function digestOf(name: string): string {
  const report = builtReport(name);
  return report.state === "failed" ? "" : report.image.digest;
}

/** How many pods of a Deployment have which version, such as `digits-1 x 3`. */
async function versionsOf(app: string): Promise<readonly string[]> {
  const counts = new Map<string, number>();
  for (const each of await podsOf(app)) {
    const [model] = statusOf(each)?.models ?? [];
    const version = model?.digest === undefined ? "none" : (model.modelVersion ?? "none");
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  return [...counts].map(([version, count]) => `${version} x ${count}`).toSorted();
}
