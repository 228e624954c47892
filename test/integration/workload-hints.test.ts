import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Job, Pod } from "../../src/api/kube-types.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { makeJobKind } from "../make/workload.ts";
import { answer } from "./answer.ts";
import { installKind } from "./exporting.ts";
import { addNode, endBuild, eventually, list, read } from "./kubelet.ts";
import { readMetric } from "./metrics.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  await installKind(plane, makeJobKind("TFJob", "training.kubedl.io/v1alpha1"));
  modelhook = await startModelhook(plane);
  await addNode(plane, "node-1");
  await makeVersion("digits-v1", "node-1");
  await makeVersion("digits-v2", "node-2");
  await build("digits-v1");
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

type Annotations = Readonly<Record<string, string>>;
type SpecOf = (template: object) => object;

const selected: SpecOf = (template) => ({
  selector: { matchLabels: { app: "hints" } },
  template,
});
const ended = (template: object): object => {
  const { spec, ...rest } = template as { readonly spec: object };
  return { ...rest, spec: { ...spec, restartPolicy: "Never" } };
};

/** Each kind, where it has the template of its pods, and how a spec is made of one. */
const KINDS: readonly (readonly [kind: string, apiVersion: string, at: string, specOf: SpecOf])[] =
  [
    ["Deployment", "apps/v1", "spec.template", selected],
    [
      "StatefulSet",
      "apps/v1",
      "spec.template",
      (template) => ({ serviceName: "hints", ...selected(template) }),
    ],
    ["DaemonSet", "apps/v1", "spec.template", selected],
    ["ReplicaSet", "apps/v1", "spec.template", selected],
    ["Job", "batch/v1", "spec.template", (template) => ({ template: ended(template) })],
    [
      "CronJob",
      "batch/v1",
      "spec.jobTemplate.spec.template",
      (template) => ({
        schedule: "@yearly",
        jobTemplate: { spec: { template: ended(template) } },
      }),
    ],
    [
      "TFJob",
      "training.kubedl.io/v1alpha1",
      "spec.tfReplicaSpecs.Worker.template",
      (template) => ({ tfReplicaSpecs: { Worker: { template } } }),
    ],
  ];

/** Those that can export: their own webhook says what has no effect on them. */
const JOBS: ReadonlySet<string> = new Set(["Job", "TFJob"]);
const GATED = "the pod waits behind the scheduling gate model.kubedl.io/build";
let count = 0;

describe.each(KINDS)("whoever applies a %s", (kind, apiVersion, at, specOf) => {
  const make = (annotations: Annotations, own: Annotations = {}) => ({
    apiVersion,
    kind,
    metadata: { name: `hints-${(count += 1)}`, annotations: ours(own) },
    spec: specOf({
      metadata: { labels: { app: "hints" }, annotations: ours(annotations) },
      spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
    }),
  });
  const field = (key: string): string => `${at}.metadata.annotations[model.kubedl.io/${key}]`;

  test.each<[what: string, annotations: Annotations, warning: string]>([
    [
      "a misspelt key",
      { "model-versoin": "digits-v1" },
      `${field("model-versoin")}: is unknown; did you mean model.kubedl.io/model-version? Its pods will be denied`,
    ],
    [
      "a bad value",
      { "model-version": "digits-v1", delivery: "link" },
      `${field("delivery")}: "link" is not allowed; allowed: auto, copy, image-volume; its pods will be denied`,
    ],
    [
      "a version that does not exist, and of the nearest",
      { "model-version": "digits-v11" },
      `${at}: ModelVersion digits-v11 does not exist; ${GATED}; did you mean digits-v1?`,
    ],
    [
      "a version that is not built",
      { "model-version": "digits-v2" },
      `${at}: ModelVersion digits-v2 is not built yet; ${GATED}`,
    ],
  ])("is told of %s, and it is stored", async (_what, annotations, warning) => {
    const object = make(annotations);
    expect(await answer(plane, object)).toBe(`Warning: ${warning}`);
    expect(await read(plane, resourceOf(apiVersion, kind), object.metadata.name)).toBeDefined();
  });

  test("is told nothing of one that is right", async () => {
    const object = make({ "model-version": "digits-v1" });
    expect(await answer(plane, object)).toMatch(/ created$/);
  });

  test("is told of a key that stands where it has no effect, once", async () => {
    const object = make({}, { "model-version": "digits-v1" });
    const where = `${at}.metadata.annotations`;
    expect(await answer(plane, object)).toBe(
      JOBS.has(kind)
        ? `Warning: model.kubedl.io/model-version has no effect on the job itself; set it in ${where}`
        : `Warning: metadata.annotations[model.kubedl.io/model-version]: has no effect on a ${kind}; set it in ${where}`,
    );
  });
});

test("a change is told of too, and by every way to apply it", async () => {
  const bad = deployment("changed", { modelversion: "digits-v1" });
  await answer(plane, deployment("changed", { "model-version": "digits-v1" }));
  for (const command of [
    ["apply", "--server-side", "--force-conflicts", "--dry-run=server"],
    ["replace", "--dry-run=server"],
    ["replace"],
  ]) {
    expect(await answer(plane, bad, command)).toBe(
      "Warning: spec.template.metadata.annotations[model.kubedl.io/modelversion]: is unknown; did you mean model.kubedl.io/model-version? Its pods will be denied",
    );
  }
});

describe("a TFJob that exports", () => {
  const text = JSON.stringify({
    modelName: "digits",
    imageRepo: "registry.test/digits",
    storage: { localStorage: { path: "/models/a", nodeName: "node-1" } },
  });
  const exporting = "model.kubedl.io/export";

  test("by what it says itself is held, and its pods get the annotation", async () => {
    const object = tfJob("exports-itself", { export: text }, {});
    expect(await answer(plane, object)).toMatch(/ created$/);
    const stored = await read<Job>(plane, "tfjob", "exports-itself");
    expect(stored).toMatchObject({
      metadata: { finalizers: [exporting], labels: { [exporting]: "true" } },
      spec: {
        tfReplicaSpecs: {
          Worker: { template: { metadata: { annotations: ours({ export: text }) } } },
        },
      },
    });
  });

  test("by what its pods say is held, and told who writes", async () => {
    expect(await answer(plane, tfJob("exports-by-pods", {}, { export: text }, 2))).toBe(
      "Warning: 1 of 2 pods writes the model (worker 0, localStorage); what the others write to the same path is dropped, and may be no more than 10Gi",
    );
    const stored = await read<Job>(plane, "tfjob", "exports-by-pods");
    expect(stored?.metadata?.finalizers).toEqual([exporting]);
  });

  test("what can not be is denied", async () => {
    const bad = JSON.stringify({ ...(JSON.parse(text) as object), storage: {} });
    expect(await answer(plane, tfJob("exports-nowhere", { export: bad }, {}))).toBe(
      `Error from server (Forbidden): error when creating "STDIN": admission webhook "training-jobs.modelhook.kubedl.io" denied the request: metadata.annotations[${exporting}].storage: exactly one storage type is allowed, found none; allowed: localStorage, nfs, AWSEfs, persistentVolumeClaim`,
    );
  });
});

describe("while nobody answers", () => {
  const misspelt = { "model-versoin": "digits-v1" };

  test("a workload is stored after the two seconds that the API server waits", async () => {
    const before = await readMetric(modelhook, "modelhook_admission_requests_total");
    expect(before).toBeGreaterThan(0);
    modelhook.pause();
    const began = performance.now();
    try {
      expect(await answer(plane, deployment("paused", misspelt))).toBe(
        "deployment.apps/paused created",
      );
    } finally {
      modelhook.resume();
    }
    const seconds = (performance.now() - began) / 1000;
    expect(seconds).toBeGreaterThan(1.5);
    expect(seconds).toBeLessThan(10);
  });

  test("a workload is stored at once when the process is gone", async () => {
    await modelhook.kill();
    expect(await answer(plane, deployment("alone", misspelt))).toBe(
      "deployment.apps/alone created",
    );
  });
});

/** Annotations of ours, by their names. */
function ours(annotations: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`model.kubedl.io/${name}`, value]),
  );
}

/** A TFJob of KubeDL with one template. */
function tfJob(name: string, own: Annotations, ofPods: Annotations, replicas = 1) {
  const template = {
    metadata: { annotations: ours(ofPods) },
    spec: { containers: [{ name: "tensorflow", image: "registry.test/train:1" }] },
  };
  return {
    apiVersion: "training.kubedl.io/v1alpha1",
    kind: "TFJob",
    metadata: { name, annotations: ours(own) },
    spec: { tfReplicaSpecs: { Worker: { replicas, template } } },
  };
}

function deployment(name: string, annotations: Annotations) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: selected({
      metadata: { labels: { app: "hints" }, annotations: ours(annotations) },
      spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
    }),
  };
}

function resourceOf(apiVersion: string, kind: string): string {
  const [group, version] = apiVersion.split("/");
  return `${kind.toLowerCase()}s.${version}.${group}`;
}

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

/** Plays the kubelet of a version's build, and waits until the version is built. */
async function build(name: string): Promise<void> {
  const version = async (): Promise<ModelVersion | undefined> => read(plane, "modelversion", name);
  const uid = (await version())?.metadata.uid;
  const pod = await eventually(`the build pod of ${name}`, async () => {
    const [found] = await list<Pod>(plane, "pods", `model.kubedl.io/modelversion-uid=${uid}`);
    return found;
  });
  const image = { digest: `sha256:${"ab".repeat(32)}`, size: 1, files: 1, layers: [] };
  await endBuild(plane, pod, { state: "built", image });
  await eventually(`${name} is built`, async () => {
    return (await version())?.status?.imageBuildPhase === "ImageBuildSucceeded";
  });
}
