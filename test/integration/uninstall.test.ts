import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse, stringify } from "yaml";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type {
  ConfigMap,
  KubeObject,
  PersistentVolumeClaim,
  Pod,
} from "../../src/api/kube-types.ts";
import { builtReport, nextBuild } from "./builds.ts";
import { addNode, eventually, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { servingPod, versionOf } from "./objects.ts";

const ROOT = join(import.meta.dirname, "../..");
const EXPORT = "model.kubedl.io/export";
const REMAINING = "  kubectl delete -f deploy/crds\n  kubectl delete -f deploy/install.yaml\n";

const NOTHING = {
  code: 0,
  out: `nothing is left that waits for modelhook; the rest goes by\n${REMAINING}`,
  err: "",
};
const WAITING =
  "modelhook: 1 pod behind a gate of modelhook will never start; delete it:\n  default/waits\n";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane(async (bare) => {
    const definitions = [
      definitionOf("kubeflow.org", "TFJob", "v1"),
      definitionOf("batch.example", "TrainingRun", "v1"),
      definitionOf("batch.example", "FormerRun", "v1"),
    ];
    await bare.kubectl(
      ["create", "-f", "-"],
      definitions.map((each) => stringify(each)).join("---\n"),
    );
  });
  await addKind();
  modelhook = await startModelhook(plane);
  await addNode(plane, "node-1");
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command from source as the administrator. */
async function uninstall(...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [join(ROOT, "src/main.ts"), "uninstall", ...args], {
    env: { PATH: process.env["PATH"], KUBECONFIG: plane.kubeconfig },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => void child.once("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}

/** A definition whose objects need nothing but metadata. */
function definitionOf(group: string, kind: string, version: string) {
  const singular = kind.toLowerCase();
  const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, singular, plural: `${singular}s` },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

/** Has the administrator add the kind TrainingRun. */
async function addKind(): Promise<void> {
  const namespace = "modelhook-system";
  const configMap = await read<ConfigMap>(plane, "configmap", "modelhook", namespace);
  const limits = parse(configMap?.data?.["config.yaml"] ?? "") as object;
  const kind = {
    group: "batch.example",
    version: "v1",
    kind: "TrainingRun",
    plural: "trainingruns",
  };
  const jobKinds = [{ ...kind, succeeded: [{ condition: "Done" }] }];
  const patch = JSON.stringify({ data: { "config.yaml": stringify({ ...limits, jobKinds }) } });
  const flags = ["--namespace", namespace, "--type=merge", "--patch", patch];
  await plane.kubectl(["patch", "configmap", "modelhook", ...flags]);
}

async function make(object: object): Promise<void> {
  await plane.kubectl(["create", "-f", "-"], JSON.stringify(object));
}

/** The annotation by which something exports what it writes below a path of its own. */
function exporting(name: string): Readonly<Record<string, string>> {
  const storage = { localStorage: { path: `/models/${name}`, nodeName: "node-1" } };
  const asked = { modelName: "digits", imageRepo: `registry.test/${name}`, storage };
  return { [EXPORT]: JSON.stringify(asked) };
}

const CONTAINERS = [{ name: "trainer", image: "registry.test/trainer:1" }];

function jobOf(name: string) {
  const spec = { containers: CONTAINERS, restartPolicy: "Never" };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, annotations: exporting(name) },
    spec: { template: { spec } },
  };
}

/** What a webhook, or the controller, gives a job that exports. */
const HELD = { labels: { [EXPORT]: "true" }, finalizers: ["example.com/other", EXPORT] };

async function deleted(...args: readonly string[]): Promise<string> {
  return plane.kubectl(["delete", ...args, "--timeout=30s"]);
}

async function finalizersOf(kind: string, name: string): Promise<readonly string[] | undefined> {
  const object = await read<KubeObject>(plane, kind, name);
  return object && (object.metadata?.finalizers ?? []);
}

/** All that an uninstallation may change. */
async function state(): Promise<string> {
  const kinds = [
    "jobs,pods,tfjobs,trainingruns,formerruns,modelversions,pvc,pv,deployments",
    "mutatingwebhookconfigurations,validatingwebhookconfigurations",
  ].join(",");
  const items = await list<KubeObject>(plane, kinds, "");
  const told = items.map(({ kind, metadata }) => {
    return `${kind} ${metadata?.name} ${metadata?.uid} ${metadata?.finalizers?.join()} ${metadata?.deletionTimestamp}`;
  });
  return told.toSorted().join("\n");
}

test("a Job that runs keeps everything as it is, unless forced", async () => {
  await make(jobOf("train"));
  const claim = await eventually("the claim of the Job", async () => {
    const [found] = await list<PersistentVolumeClaim>(plane, "pvc", `${EXPORT}=true`);
    return found?.status?.phase === "Bound" && found;
  });
  expect(claim.metadata?.name).toMatch(/^mh-[0-9a-f]{16}$/);
  await eventually("the finalizer", async () =>
    (await finalizersOf("job", "train"))?.includes(EXPORT),
  );
  const before = await state();
  const refused = {
    code: 1,
    out: "",
    err: [
      "modelhook: 1 job would lose its model:",
      "  jobs.batch default/train runs",
      "let what runs end, or delete it; with --force jobs go on, and their models are not exported",
      "nothing was changed\n",
    ].join("\n"),
  };
  expect(await uninstall()).toEqual(refused);
  expect(await uninstall("--dry-run")).toEqual(refused);
  expect(await state()).toBe(before);
});

test("what is in the way is told, and nothing is changed, by a dry run", async () => {
  await make({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "bare", annotations: exporting("bare") },
    spec: { containers: CONTAINERS, restartPolicy: "Never" },
  });
  await eventually("the gate of the bare pod goes", async () => {
    const pod = await read<Pod>(plane, "pod", "bare");
    return pod !== undefined && (pod.spec?.schedulingGates ?? []).length === 0;
  });
  await make({ apiVersion: "kubeflow.org/v1", kind: "TFJob", metadata: { name: "tf", ...HELD } });
  const done = { conditions: [{ type: "Done", status: "True" }] };
  const run = { apiVersion: "batch.example/v1", kind: "TrainingRun", status: done };
  await make({ ...run, metadata: { name: "run", ...HELD } });
  // Of a kind that is in no table any more.
  await make({ ...run, kind: "FormerRun", metadata: { name: "former", ...HELD } });
  await make(versionOf("digits", "built"));
  await nextBuild(plane, "built", builtReport("built"));
  await make(versionOf("digits", "in-work"));
  await eventually("a build", async () => {
    return (await list(plane, "jobs", "model.kubedl.io/modelversion-uid")).length > 0;
  });
  await eventually("its volume", async () => {
    return (await list(plane, "pv", "model.kubedl.io/modelversion-uid")).length > 0;
  });
  await make(servingPod("waits", "not-there"));
  await make({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "modelhook", namespace: "modelhook-system" },
    spec: {
      selector: { matchLabels: { app: "stands-for-us" } },
      template: {
        metadata: { labels: { app: "stands-for-us" } },
        spec: { containers: CONTAINERS },
      },
    },
  });
  // From here on it stands still: the process of this test is none of the Deployment's.
  await modelhook.kill();
  const before = await state();
  const { code, out, err } = await uninstall("--dry-run", "--force");
  expect(code).toBe(1);
  const lines = out
    .split("\n")
    .map((line) => line.replaceAll(/mh-[0-9a-f]{16}|mh-build-[0-9a-f]{12}-1/g, "mh-x"));
  const webhooks = "webhookconfigurations.admissionregistration.k8s.io modelhook";
  expect(lines).toEqual([
    "5 models will not be exported: pods default/bare, jobs.batch default/train, tfjobs.kubeflow.org default/tf, trainingruns.batch.example default/run, formerruns.batch.example default/former",
    "would scale Deployment modelhook-system/modelhook to 0 and wait until its pods are gone",
    `would delete mutating${webhooks}, validating${webhooks}`,
    `would take the finalizer ${EXPORT} off pods default/bare, jobs.batch default/train, tfjobs.kubeflow.org default/tf, trainingruns.batch.example default/run, formerruns.batch.example default/former`,
    "would delete jobs.batch default/mh-x",
    "would delete persistentvolumeclaims default/mh-x, persistentvolumes mh-x, persistentvolumes mh-x, persistentvolumes mh-x; data stays",
    "would take the finalizer model.kubedl.io/volume off modelversions.model.kubedl.io default/in-work",
    "once that is seen to, the rest goes by",
    ...REMAINING.split("\n"),
  ]);
  expect(err).toBe(WAITING);
  expect(await state()).toBe(before);
});

test("by force all finalizers go, and jobs run on", async () => {
  const { code, out, err } = await uninstall("--force");
  expect({ code, err }).toEqual({ code: 1, err: WAITING });
  expect(out.split("\n").map((line) => line.split(" ")[0])).toEqual([
    "scaled",
    "deleted",
    "5",
    "took",
    "deleted",
    "deleted",
    "took",
    "once",
    "",
    "",
    "",
  ]);
  for (const kind of ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"]) {
    expect(await read(plane, kind, "modelhook")).toBeUndefined();
  }
  expect(await finalizersOf("tfjob", "tf")).toEqual(["example.com/other"]);
  expect(await finalizersOf("trainingrun", "run")).toEqual(["example.com/other"]);
  expect(await finalizersOf("formerrun", "former")).toEqual(["example.com/other"]);
  expect(await finalizersOf("pod", "bare")).toEqual([]);
  expect(await finalizersOf("job", "train")).not.toContain(EXPORT);
  expect(await finalizersOf("modelversion", "in-work")).toEqual([]);
  expect((await read(plane, "job", "train"))?.metadata?.deletionTimestamp).toBeUndefined();
  const claims = await list<PersistentVolumeClaim>(plane, "pvc", `${EXPORT}=true`);
  expect(
    claims.map(({ metadata, status }) => [metadata?.deletionTimestamp, status?.phase]),
  ).toEqual([
    [undefined, "Bound"],
    [undefined, "Bound"],
  ]);
});

test("what was held ends when it is deleted, and claims and volumes with it", async () => {
  const other = ["--type=merge", "--patch", JSON.stringify({ metadata: { finalizers: null } })];
  for (const kind of ["tfjob/tf", "trainingrun/run", "formerrun/former"]) {
    await plane.kubectl(["patch", kind, ...other]);
    expect(await deleted(kind)).toContain("deleted");
  }
  expect(await deleted("job", "train")).toContain("deleted");
  expect(await deleted("pod", "bare", "waits")).toContain("deleted");
  expect(await deleted("modelversion", "built")).toContain("deleted");
  await eventually("all that we made for storage goes", async () => {
    return (await list(plane, "pv,pvc", "app.kubernetes.io/managed-by=modelhook")).length === 0;
  });
});

test("another run finds nothing", async () => {
  expect(await uninstall()).toEqual(NOTHING);
});

test("the rest goes by what the command says, and another run finds nothing still", async () => {
  for (const file of ["deploy/crds", "deploy/install.yaml"]) {
    await plane.kubectl(["delete", "-f", join(ROOT, file), "--ignore-not-found", "--timeout=60s"]);
  }
  await eventually("all of ours goes", async () => {
    const names = await plane.kubectl(["get", "crd,ns,clusterroles,jobs", "--output=name"]);
    return !/model\.kubedl\.io|modelhook|mh-/.test(names);
  });
  expect(await uninstall()).toEqual(NOTHING);
});

test("a cluster that does not answer, and misuse, end with 2", async () => {
  expect((await uninstall("--context", "nowhere")).code).toBe(2);
  expect((await uninstall("--forced")).code).toBe(2);
});
