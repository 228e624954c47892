import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Job, Pod } from "../../src/api/kube-types.ts";
import { JOB_KINDS, kindNames } from "../../src/jobs/kinds.ts";
import { answer, denial } from "./answer.ts";
import { eventually, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

const LOCAL = { localStorage: { path: "/models/a", nodeName: "node-1" } };
const NFS = { nfs: { server: "files.test", path: "/models" } };
const TYPES = "localStorage, nfs, AWSEfs, persistentVolumeClaim";
/** Where an annotation of ours stands. */
const at = (name: string): string => `metadata.annotations[model.kubedl.io/${name}]`;

describe("a serving pod is denied when", () => {
  const asks = { "model-version": "digits-v1" };
  type Case = [
    when: string,
    annotations: Readonly<Record<string, string>>,
    because: string,
    spec?: object,
  ];
  test.each<Case>([
    [
      "its annotation is misspelt",
      { "model-versoin": "digits-v1" },
      `${at("model-versoin")}: is unknown; did you mean model.kubedl.io/model-version?`,
    ],
    [
      "it names a version as none can be named",
      { "model-version": "Digits_v1" },
      `${at("model-version")}: "Digits_v1" is not the name of a ModelVersion (lower case letters, digits, "-" and ".", at most 253)`,
    ],
    [
      "it names a model in two ways",
      { ...asks, model: "digits" },
      `${at("model")}: excludes model.kubedl.io/model-version: one of them says which model is wanted`,
    ],
    ...["model", "/a/../b", "/", "/a:b"].map((path): Case => [
      `its mount path is ${path}`,
      { ...asks, "mount-path": path },
      `${at("mount-path")}: "${path}" must be an absolute path without ".." and ":", and not /`,
    ]),
    [
      "it wants a delivery that there is not",
      { ...asks, delivery: "link" },
      `${at("delivery")}: "link" is not allowed; allowed: auto, copy, image-volume`,
    ],
    [
      "the resources of its loader are none",
      { ...asks, "loader-resources": `{"limits":{"memory":"much"}}` },
      `${at("loader-resources")}.limits.memory: "much" must be a quantity, such as 100m or 64Mi`,
    ],
    [
      "it names a container that it has not",
      { ...asks, containers: "server,sidecar" },
      `${at("containers")}: the pod has no container "sidecar"; it has server`,
    ],
    [
      "it says neither yes nor no to injection",
      { ...asks, inject: "no" },
      `${at("inject")}: "no" is not allowed; allowed: "false", "true"`,
    ],
    [
      "it exports, too",
      { ...asks, export: exported({ storage: LOCAL }) },
      `${at("export")}: excludes model.kubedl.io/model-version: a pod exports or serves`,
    ],
    [
      "a volume of its own has a name of ours",
      asks,
      `spec.volumes[0].name: "kubedl-model" is reserved for the model; name the volume differently`,
      { volumes: [{ name: "kubedl-model", emptyDir: {} }] },
    ],
    [
      "a container of its own has the loader's name",
      asks,
      `spec.containers[0].name: "kubedl-model-loader" is reserved for the model's loader; name the container differently`,
      { containers: [{ name: "kubedl-model-loader", image: "registry.test/mine:1" }] },
    ],
    [
      "something else is mounted where the model goes",
      asks,
      `spec.containers[0].volumeMounts[0].mountPath: container server already mounts "data" at /kubedl-model; remove that mount or choose another path for the model`,
      {
        volumes: [{ name: "data", emptyDir: {} }],
        containers: [
          {
            name: "server",
            image: "registry.test/server:1",
            volumeMounts: [{ name: "data", mountPath: "/kubedl-model/" }],
          },
        ],
      },
    ],
    [
      "it has its node already and its version is not built",
      asks,
      `spec.nodeName: "node-1" is set while the model is not built; a pod that has its node already can not wait: build ModelVersion digits-v1 first, or use nodeSelector or affinity`,
      { nodeName: "node-1" },
    ],
    [
      "much is wrong with it, and all of that is said",
      { ...asks, "mount-path": "here", delivery: "image", incject: "true" },
      [
        `${at("incject")}: is unknown; did you mean model.kubedl.io/inject?`,
        `${at("mount-path")}: "here" must be an absolute path without ".." and ":", and not /`,
        `${at("delivery")}: "image" is not allowed; allowed: auto, copy, image-volume`,
      ].join("; "),
    ],
  ])("%s", async (_when, annotations, because, spec) => {
    expect(await answer(plane, servingPod(annotations, spec))).toBe(denial("pods", because));
  });
});

describe("a training pod is denied when", () => {
  type Case = [
    when: string,
    owner: object | undefined,
    because: string,
    spec?: object,
    parts?: object,
  ];
  test.each<Case>([
    [
      "its owner is of a kind that never succeeds",
      { apiVersion: "apps/v1", kind: "ReplicaSet" },
      `${at("export")}: the pod belongs to a ReplicaSet (apps/v1), whose success is not known; it must belong to one of ${kindNames(JOB_KINDS)}, or to nothing`,
    ],
    [
      "its job is gone",
      { apiVersion: "batch/v1", kind: "Job" },
      `${at("export")}: the pod belongs to the Job owner, which does not exist`,
    ],
    [
      "its job is of a kind that is not installed",
      { apiVersion: "kubeflow.org/v1", kind: "TFJob" },
      `${at("export")}: the pod belongs to the TFJob owner, which does not exist`,
    ],
    [
      "it has no job, and wants a directory that is named by one",
      undefined,
      `${at("export")}.clean: true is not allowed on a pod without a job: its directory is named by the job`,
      {},
      { clean: true },
    ],
    [
      "a volume of its own has a name of ours",
      undefined,
      `spec.volumes[0].name: "kubedl-export" is reserved for the model; name the volume differently`,
      { restartPolicy: "Never", volumes: [{ name: "kubedl-export", emptyDir: {} }] },
    ],
    [
      "it has no job, and starts again whenever it ends",
      undefined,
      `${at("export")}: the pod has no job, and restartPolicy Always, so that it never succeeds; use Never or OnFailure`,
    ],
  ])("%s", async (_when, owner, because, spec, parts) => {
    const exporting = servingPod({ export: exported({ storage: LOCAL, ...parts }) }, spec);
    const uid = "7b2f6f3c-0000-4000-8000-000000000000";
    const ownerReferences =
      owner === undefined ? [] : [{ ...owner, name: "owner", uid, controller: true }];
    const owned = { ...exporting, metadata: { ...exporting.metadata, ownerReferences } };
    expect(await answer(plane, owned)).toBe(denial("pods", because));
  });
});

describe("an exporting job is denied when", () => {
  test.each<[when: string, annotation: string, because: string, spec?: object]>([
    ["it names no storage", exported({}), `${at("export")}.storage: is required`],
    [
      "its storage is of no type",
      exported({ storage: {} }),
      `${at("export")}.storage: exactly one storage type is allowed, found none; allowed: ${TYPES}`,
    ],
    [
      "it names two storages",
      exported({ storage: { ...LOCAL, ...NFS } }),
      `${at("export")}.storage: exactly one storage type is allowed, found localStorage and nfs; allowed: ${TYPES}`,
    ],
    [
      "its path is outside of what the administrator allows",
      exported({ storage: { localStorage: { path: "/etc", nodeName: "node-1" } } }),
      `${at("export")}.storage.localStorage.path: "/etc" is not allowed: allowed are directories below /models`,
    ],
    [
      "its path climbs out of what the administrator allows",
      exported({ storage: { localStorage: { path: "/models/../etc", nodeName: "node-1" } } }),
      `${at("export")}.storage.localStorage.path: "/models/../etc" must be an absolute path below / without ".."`,
    ],
    [
      "its server is none that the administrator allows",
      exported({ storage: NFS }),
      `${at("export")}.storage.nfs.server: "files.test" is not allowed: the administrator allows none (nfs.allowedServers)`,
    ],
    [
      "its repository has a tag",
      exported({ storage: LOCAL, imageRepo: "registry.test/digits:1" }),
      `${at("export")}.imageRepo: "registry.test/digits:1" has a tag; put it into imageTag`,
    ],
    [
      "its annotation is no YAML",
      "{",
      `${at("export")}: is neither JSON nor YAML: Flow map must end with a } at line 1, column 2`,
    ],
    [
      "its annotation has a key that nobody knows",
      exported({ storage: LOCAL, tag: "1" }),
      `${at("export")}.tag: is unknown; allowed: modelName, createdBy, imageRepo, imageTag, storage, builder, writers, clean`,
    ],
    [
      "several pods run and none of them is the first",
      exported({ storage: { persistentVolumeClaim: { claimName: "models" } } }),
      `${at("export")}.writers: must be "all": several pods run and none of them is the first; or set completionMode: Indexed, so that index 0 writes`,
      { parallelism: 2, completions: 2 },
    ],
    [
      "all pods are to write where there is room for one",
      exported({ storage: LOCAL, writers: "all" }),
      `${at("export")}.writers: "all" is not allowed with localStorage, which has room for one writer; use nfs, AWSEfs or a ReadWriteMany claim`,
    ],
  ])("%s", async (_when, annotation, because, spec) => {
    expect(await answer(plane, job(annotation, spec))).toBe(denial("jobs", because));
  });

  test("its pods are to export something else", async () => {
    const made = job(exported({ storage: LOCAL }));
    const annotations = { "model.kubedl.io/export": exported({ storage: NFS }) };
    const template = { metadata: { annotations }, ...made.spec.template };
    expect(await answer(plane, { ...made, spec: { template } })).toBe(
      denial("jobs", `spec.template.${at("export")}: differs from ${at("export")}; set it once`),
    );
  });

  test("only its pods ask for it, and it is said where they ask", async () => {
    const made = job(exported({ storage: LOCAL }));
    const annotations = { "model.kubedl.io/export": exported({ storage: {} }) };
    const template = { metadata: { annotations }, ...made.spec.template };
    const { annotations: _, ...metadata } = made.metadata;
    expect(await answer(plane, { ...made, metadata, spec: { template } })).toBe(
      denial(
        "jobs",
        `spec.template.${at("export")}.storage: exactly one storage type is allowed, found none; allowed: ${TYPES}`,
      ),
    );
  });
});

describe("an exporting job is told when", () => {
  test("only its first pod writes; the others get scratch space at the same path", async () => {
    const indexed = { completionMode: "Indexed", completions: 3, parallelism: 3 };
    const made = job(exported({ storage: LOCAL }), indexed);
    expect(await answer(plane, { ...made, metadata: { ...made.metadata, name: "sharded" } })).toBe(
      "Warning: 1 of 3 pods writes the model (completion index 0, localStorage); what the others write to the same path is dropped, and may be no more than 10Gi",
    );
    const pods = await eventually("three pods", async () => {
      const found = await list<Pod>(plane, "pods", "batch.kubernetes.io/job-name=sharded");
      return found.length === 3 ? found : undefined;
    });
    const seen = pods.map(({ metadata, spec }) => {
      const writer = spec?.containers[0]?.env?.find(({ name }) => name === "KUBEDL_MODEL_WRITER");
      return {
        index: metadata?.annotations?.["batch.kubernetes.io/job-completion-index"],
        writer: writer?.value,
        volume: spec?.volumes?.find(({ name }) => name === "kubedl-export"),
      };
    });
    const claimName = expect.stringMatching(/^mh-[0-9a-f]{16}$/) as string;
    const claim = { name: "kubedl-export", persistentVolumeClaim: { claimName } };
    const scratch = { name: "kubedl-export", emptyDir: { sizeLimit: "10Gi" } };
    expect(seen.toSorted((a, b) => Number(a.index) - Number(b.index))).toEqual([
      { index: "0", writer: "true", volume: claim },
      { index: "1", writer: "false", volume: scratch },
      { index: "2", writer: "false", volume: scratch },
    ]);
  });

  test("its pods want no injection, and then nothing of it is exported", async () => {
    const made = job(exported({ storage: LOCAL }));
    const template = {
      ...made.spec.template,
      metadata: { annotations: { "model.kubedl.io/inject": "false" } },
    };
    const metadata = { ...made.metadata, name: "opted-out" };
    expect(await answer(plane, { ...made, metadata, spec: { template } })).toBe(
      `Warning: model.kubedl.io/inject is "false", so model.kubedl.io/export has no effect`,
    );
    const live = await read<Job>(plane, "job", "opted-out");
    expect(live?.metadata?.finalizers).toBeUndefined();
    const [pod] = await eventually("its pod", async () => {
      const found = await list<Pod>(plane, "pods", "batch.kubernetes.io/job-name=opted-out");
      return found.length > 0 ? found : undefined;
    });
    expect(pod?.spec?.volumes?.map(({ name }) => name)).not.toContain("kubedl-export");
    expect(pod?.spec?.schedulingGates).toBeUndefined();
  });
});

/** An export annotation that lacks nothing but what is given. */
function exported(parts: object): string {
  return JSON.stringify({ modelName: "digits", imageRepo: "registry.test/digits", ...parts });
}

function servingPod(annotations: Readonly<Record<string, string>>, spec: object = {}) {
  const entries = Object.entries(annotations).map(([key, value]) => [
    `model.kubedl.io/${key}`,
    value,
  ]);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "refused", annotations: Object.fromEntries(entries) as object },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }], ...spec },
  };
}

function job(text: string, spec: object = {}) {
  const containers = [{ name: "train", image: "registry.test/train:1" }];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "refused", annotations: { "model.kubedl.io/export": text } },
    spec: { template: { spec: { restartPolicy: "Never", containers } }, ...spec },
  };
}
