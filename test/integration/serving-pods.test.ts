import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { BuildReport } from "../../src/api/build-report.ts";
import type { ObjectMeta, Pod } from "../../src/api/kube-types.ts";
import { answer, denial } from "./answer.ts";
import { nextBuild } from "./builds.ts";
import { addNode, eventsOn, eventually, list, read } from "./kubelet.ts";
import { readMetric } from "./metrics.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const NODE = "node-1";
const ZEROS = "0".repeat(64);
const DIGEST = `sha256:${"ab".repeat(32)}`;
const GATED = "the pod waits behind the scheduling gate model.kubedl.io/build";
/** 1.1 times the bytes and a block of 4 KiB for each file, in MiB, are 105.1. */
const BUILT: BuildReport = {
  state: "built",
  image: { digest: DIGEST, size: 100_000_000, files: 50, layers: [] },
};
const EMPTY: BuildReport = { state: "failed", reason: "EmptyModel", message: "nothing is there" };

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, NODE);
  await makeVersion("digits-built", NODE);
  await makeVersion("digits-failed", NODE);
  await makeVersion("digits-begun", "node-2");
  await nextBuild(plane, "digits-built", BUILT);
  await nextBuild(plane, "digits-failed", EMPTY);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("a serving pod", () => {
  test("of a version that is built gets its digest at once, and room for its size", async () => {
    expect(await answer(plane, servingPod("built", "digits-built"))).toBe("pod/built created");
    const { metadata, spec } = await live("built");
    expect(
      spec?.initContainers?.map(({ name, image, resources }) => ({ name, image, resources })),
    ).toEqual([
      {
        name: "kubedl-model-loader",
        image: `registry.test/digits-built@${DIGEST}`,
        resources: {
          requests: { cpu: "50m", memory: "32Mi", "ephemeral-storage": "106Mi" },
          limits: { memory: "256Mi" },
        },
      },
    ]);
    expect(spec?.volumes).toContainEqual({
      name: "kubedl-model",
      emptyDir: { sizeLimit: "106Mi" },
    });
    expect(spec?.containers[0]).toMatchObject({
      env: [{ name: "KUBEDL_MODEL_PATH", value: "/kubedl-model" }],
      volumeMounts: expect.arrayContaining([
        { name: "kubedl-model", mountPath: "/kubedl-model", subPath: "model", readOnly: true },
      ]) as unknown,
    });
    expect(spec?.schedulingGates).toBeUndefined();
    expect(metadata?.labels).toEqual({ "model.kubedl.io/served": "true" });
    expect(statusOf(metadata)).toEqual({
      models: [{ modelVersion: "digits-built", digest: DIGEST, mountPath: "/kubedl-model" }],
      delivery: "copy",
      why: "node node-1 has an unknown version of Kubernetes, 1.35 is needed",
    });
  });

  test.each<[what: string, version: string, warning: string, image: string]>([
    [
      "a version that nobody made",
      "numbers",
      `ModelVersion numbers does not exist; ${GATED}`,
      "modelhook.invalid/pending",
    ],
    [
      "a misspelt version, of which the nearest is named",
      "digits-buitl",
      `ModelVersion digits-buitl does not exist; ${GATED}; did you mean digits-built?`,
      "modelhook.invalid/pending",
    ],
    [
      "a version that is not built",
      "digits-begun",
      `ModelVersion digits-begun is not built yet; ${GATED}`,
      "registry.test/digits-begun",
    ],
  ])("of %s waits behind the gate, and is told so", async (_what, version, warning, image) => {
    expect(await answer(plane, servingPod(`of-${version}`, version))).toBe(`Warning: ${warning}`);
    const { metadata, spec } = await live(`of-${version}`);
    expect(spec?.schedulingGates).toEqual([{ name: "model.kubedl.io/build" }]);
    expect(spec?.initContainers?.[0]?.image).toBe(`${image}@sha256:${ZEROS}`);
    expect(metadata?.labels).toEqual({
      "model.kubedl.io/gated": "true",
      "model.kubedl.io/served": "true",
    });
    expect(statusOf(metadata)).toEqual({
      models: [{ modelVersion: version, mountPath: "/kubedl-model" }],
      waitsFor: "model.kubedl.io/build",
      delivery: "copy",
      why: "the pod waits for a build, and only images of a pod that waits can be changed",
    });
  });

  test("of a version whose build failed is denied, with the reason of the build", async () => {
    expect(await answer(plane, servingPod("failed", "digits-failed"))).toBe(
      denial(
        "pods",
        "metadata.annotations[model.kubedl.io/model-version]: the build of ModelVersion digits-failed failed: EmptyModel: nothing is there",
      ),
    );
  });

  test("that waited when the build failed gets its model when the build is retried", async () => {
    await answer(plane, servingPod("patient", "digits-late"));
    await makeVersion("digits-late", NODE);
    await nextBuild(plane, "digits-late", EMPTY);
    await eventually("the failure is said on the pod", async () => {
      const said = await eventsOn(plane, "patient");
      return said.includes(
        "ModelBuildFailed: waits, but the build of ModelVersion digits-late failed: EmptyModel: nothing is there",
      );
    });
    expect((await live("patient")).spec?.schedulingGates).toHaveLength(1);
    await plane.kubectl(["annotate", "modelversion", "digits-late", "model.kubedl.io/retry=1"]);
    await nextBuild(plane, "digits-late", BUILT);
    await eventually("the gate goes", async () => {
      return (await live("patient")).spec?.schedulingGates === undefined;
    });
    expect((await live("patient")).spec?.initContainers?.[0]?.image).toBe(
      `registry.test/digits-late@${DIGEST}`,
    );
  });

  test("that says it wants no injection is left as it is, and told so", async () => {
    const asks = { "model.kubedl.io/inject": "false" };
    expect(await answer(plane, servingPod("opted-out", "digits-built", asks))).toBe(
      `Warning: model.kubedl.io/inject is "false", so model.kubedl.io/model-version has no effect`,
    );
    const { spec } = await live("opted-out");
    expect(spec?.initContainers).toBeUndefined();
    expect(spec?.schedulingGates).toBeUndefined();
  });

  test("with a key that nobody knows is told so", async () => {
    const asks = { "model.kubedl.io/colour": "red" };
    expect(await answer(plane, servingPod("coloured", "digits-built", asks))).toMatch(
      /^Warning: annotation model\.kubedl\.io\/colour is unknown and has no effect; known: /,
    );
    expect((await live("coloured")).spec?.initContainers).toHaveLength(1);
  });

  test("that asks for nothing costs no call, and neither do a thousand", async () => {
    const before = await readMetric(modelhook, "modelhook_admission_requests_total");
    expect(before).toBeGreaterThan(0);
    const { metadata: _, ...plain } = servingPod("plain", "none");
    const items = Array.from({ length: 1000 }, (_each, index) => ({
      ...plain,
      metadata: { name: `plain-${index}`, labels: { app: "plain" } },
    }));
    await plane.kubectl(
      ["create", "--filename", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    );
    expect(await list(plane, "pods", "app=plain")).toHaveLength(1000);
    expect(await readMetric(modelhook, "modelhook_admission_requests_total")).toBe(before);
  });
});

async function makeVersion(name: string, nodeName: string): Promise<void> {
  const storage = { localStorage: { path: `/models/${name}`, nodeName } };
  const version = {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name },
    spec: { modelName: "digits", imageRepo: `registry.test/${name}`, storage },
  };
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(version));
}

async function live(name: string): Promise<Pod> {
  const found = await read<Pod>(plane, "pod", name);
  if (found === undefined) throw new Error(`there is no pod ${name}`);
  return found;
}

/** What the webhook says that it did. */
function statusOf(metadata: ObjectMeta | undefined): unknown {
  return JSON.parse(metadata?.annotations?.["model.kubedl.io/status"] ?? "{}");
}

function servingPod(name: string, modelVersion: string, annotations: object = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      annotations: { "model.kubedl.io/model-version": modelVersion, ...annotations },
    },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  };
}
