import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse, parseAllDocuments, stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { KubeObject, Pod } from "../../src/api/kube-types.ts";
import { answer } from "./answer.ts";
import { builtReport, nextBuild } from "./builds.ts";
import { addNode, eventually, list, runsOn } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { modelOf, versionOf } from "./objects.ts";

const ROOT = join(import.meta.dirname, "../..");
const SERVE = join(ROOT, "deploy/demo/serve.yaml");
const NAMESPACE = "digits";
const VERSION = "digits-3f2a1";
const GATE = "model.kubedl.io/build";

let plane: ControlPlane;
let modelhook: RunningModelhook;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "modelhook-inject-"));
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, "node-1");
  await plane.kubectl(["create", "namespace", NAMESPACE]);
  await make(versionOf("digits", VERSION, { namespace: NAMESPACE }));
  await nextBuild(plane, VERSION, builtReport(VERSION), NAMESPACE);
  const aliases = { production: VERSION };
  const model = modelOf("digits", { aliases }, { namespace: NAMESPACE });
  await answer(plane, model, ["apply", "--server-side", "--force-conflicts"]);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the program from source against the control plane. */
async function run(
  args: readonly string[],
  input = "",
  kubeconfig = plane.kubeconfig,
): Promise<Ran> {
  const child = spawn(process.execPath, [join(ROOT, "src/main.ts"), ...args], {
    env: { PATH: process.env["PATH"], KUBECONFIG: kubeconfig },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => void child.once("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}

/** Puts models into an object by the command line, which may say something but not refuse. */
async function injected<T extends KubeObject>(object: T): Promise<T> {
  const { code, out, err } = await run(
    ["inject", "-f", "-", "-n", NAMESPACE],
    JSON.stringify(object),
  );
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as T;
}

/** What the API server would store, webhooks and defaults included. */
async function stored(pod: object): Promise<Pod> {
  const flags = ["--namespace", NAMESPACE, "--dry-run=server", "--output=json"];
  return JSON.parse(
    await plane.kubectl(["create", ...flags, "--filename", "-"], JSON.stringify(pod)),
  ) as Pod;
}

/** The part of a pod that admission decides on, without what an owner or the scheduler adds. */
function decided({ metadata, spec }: Pod) {
  const { annotations, labels = {} } = metadata ?? {};
  const ours = Object.entries(labels).filter(([key]) => key.startsWith("model.kubedl.io/"));
  const { nodeName: _, ...rest } = spec ?? {};
  return { annotations, labels: Object.fromEntries(ours), spec: rest };
}

async function make(object: object): Promise<void> {
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(object));
}

function podOf(name: string, annotations: Readonly<Record<string, string>>, metadata: object = {}) {
  const own = Object.entries(annotations).map(([key, value]) => [`model.kubedl.io/${key}`, value]);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, ...metadata, annotations: Object.fromEntries(own) },
    spec: {
      // Its volume has another name each time.
      automountServiceAccountToken: false,
      containers: [
        { name: "server", image: "registry.test/server:1", resources: { limits: { cpu: 1 } } },
      ],
      initContainers: [{ name: "prepare", image: "registry.test/server:1" }],
      volumes: [{ name: "scratch", emptyDir: {} }],
    },
  };
}

/** The pod that a controller would make of a template; of nobody where none is named. */
function madeOf({ metadata, ...template }: Pod, ownerReferences: object[] = []): object {
  return {
    ...template,
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, name: "made", ownerReferences },
  };
}

/** The lines that explain a pod. */
async function explain(name: string, kubeconfig?: string): Promise<readonly string[]> {
  const { code, out, err } = await run(["explain", "pod", name, "-n", NAMESPACE], "", kubeconfig);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out.trimEnd().split("\n");
}

describe("what is printed is what the API server stores, of a pod", () => {
  test.each<[what: string, annotations: Readonly<Record<string, string>>]>([
    ["by its version", { "model-version": VERSION }],
    ["by an alias, in another place", { model: "digits", alias: "production", "mount-path": "/m" }],
    ["by the latest version, for one container", { model: "digits", containers: "server" }],
    [
      "of several models",
      {
        models: JSON.stringify([
          { modelVersion: VERSION, mountPath: "/a" },
          { model: "digits", mountPath: "/b" },
        ]),
      },
    ],
    ["that waits", { "model-version": "digits-later" }],
  ])("%s", async (_what, annotations) => {
    const pod = podOf("web", annotations);
    const printed = await injected(pod);
    expect(printed).not.toEqual(pod);
    expect(decided(await stored(printed))).toEqual(decided(await stored(pod)));
  });

  test("by a binding", async () => {
    await plane.kubectl(["label", "namespace", NAMESPACE, "model.kubedl.io/injection=enabled"]);
    const binding = {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelBinding",
      metadata: { name: "bound", namespace: NAMESPACE },
      spec: { selector: { matchLabels: { app: "bound" } }, serve: { modelVersion: VERSION } },
    };
    await make(binding);
    const pod = podOf("bound", {}, { labels: { app: "bound" } });
    const isBound = async () => (await stored(pod)).spec?.initContainers?.length === 2;
    await eventually("the webhook knows the binding", isBound);
    const printed = await injected(pod);
    expect(decided(await stored(printed))).toEqual(decided(await stored(pod)));
  });

  test("in the words of its warnings", async () => {
    const pod = podOf("web", { "model-version": "digits-3f2a2" });
    const { err } = await run(["inject", "-f", "-"], JSON.stringify(pod));
    const warning = await answer(plane, pod, ["create", "--dry-run=server"]);
    expect(err).toBe(`-:1 Pod/web: ${warning.replace("Warning: ", "")}\n`);
  });

  test("in the words of its denial", async () => {
    const pod = podOf("web", { "model-versoin": VERSION });
    const ran = await run(["inject", "-f", "-"], JSON.stringify(pod));
    const [, denied = ""] = (await answer(plane, pod)).split("denied the request: ");
    expect(ran).toEqual({
      code: 1,
      out: JSON.stringify(pod),
      err: `-:1 Pod/web: denied: ${denied}\n`,
    });
  });
});

describe("what is printed of a workload is what its controller's pods get, of", () => {
  test("the Deployment of the demo", async () => {
    const { code, out, err } = await run(["inject", "-f", SERVE]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [deployment] = parseAllDocuments(out).map(
      (document) => document.toJS() as { spec: { template: Pod } },
    );
    await plane.kubectl(["apply", "--filename", SERVE]);
    const pod = await eventually(
      "the pod of the demo",
      async () => (await list<Pod>(plane, "pods", "app=serve"))[0],
    );
    expect(decided(await stored(madeOf(deployment?.spec.template ?? {})))).toEqual(decided(pod));
  });

  test("a Job that exports", async () => {
    const storage = { persistentVolumeClaim: { claimName: "training", subPath: "digits" } };
    const asked = { modelName: "digits", imageRepo: "registry.test/digits", storage };
    const { spec } = podOf("train", {});
    const job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name: "train",
        namespace: NAMESPACE,
        annotations: { "model.kubedl.io/export": JSON.stringify(asked) },
      },
      spec: {
        template: {
          metadata: { labels: { app: "train" } },
          spec: { ...spec, restartPolicy: "Never" },
        },
      },
    };
    const printed = (await injected(job)) as KubeObject & typeof job;
    await make(job);
    const pod = await eventually(
      "the pod of the Job",
      async () => (await list<Pod>(plane, "pods", "app=train"))[0],
    );
    const live = JSON.parse(
      await plane.kubectl(["get", "job", "train", "-n", NAMESPACE, "-o", "json"]),
    ) as KubeObject;
    const uid = live.metadata?.uid;
    const owner = { apiVersion: "batch/v1", kind: "Job", name: "train", uid, controller: true };
    const made = await stored(madeOf(printed.spec.template as unknown as Pod, [owner]));
    expect(decided(made).spec).toEqual(decided(pod).spec);
    expect(live.metadata?.finalizers).toEqual(printed.metadata.finalizers);
    expect(live.metadata?.labels).toMatchObject({ "model.kubedl.io/export": "true" });
  });
});

test("a cluster that can not be reached is said so, with the two ways", async () => {
  const file = join(directory, "nowhere");
  await writeFile(
    file,
    (await readFile(plane.kubeconfig, "utf8")).replace(plane.url, "https://127.0.0.1:1"),
  );
  const ways =
    "name a cluster that runs modelhook by --context or KUBECONFIG, or files that hold ModelVersions by --versions";
  for (const [kubeconfig, why] of [
    [file, "https://127.0.0.1:1 does not answer: "],
    [join(directory, "absent"), "Cannot read the default kubeconfig: "],
  ] as const) {
    const { code, out, err } = await run(["inject", "-f", SERVE], "", kubeconfig);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(why);
    expect(err.trimEnd().endsWith(ways)).toBe(true);
  }
});

describe("explain", () => {
  const digest = builtReport(VERSION).state === "built" ? "sha256:6469676974732d" : "";
  const COPIED = `ModelVersion ${VERSION}, ${digest.slice(0, 19)}, at /kubedl-model: copied by an init container (node node-1 has an unknown version of Kubernetes, 1.35 is needed)`;

  test("a pod that has its model, made by a Deployment", async () => {
    const [pod] = await list<Pod>(plane, "pods", "app=serve");
    const lines = await explain(pod?.metadata?.name ?? "");
    const [replicaSet] = pod?.metadata?.ownerReferences ?? [];
    expect(lines).toEqual([
      `Pod   ${NAMESPACE}/${pod?.metadata?.name}, made by ReplicaSet ${replicaSet?.name} of Deployment serve, Pending`,
      `Asks  for ModelVersion ${VERSION}, by its annotations`,
      `Has   ${COPIED}`,
      `Next  a new pod of ReplicaSet ${replicaSet?.name} would get the same`,
    ]);
  });

  test("a pod that waits", async () => {
    await make(podOf("waits", { "model-version": "digits-later" }));
    expect(await explain("waits")).toContain(
      `Waits  ModelVersion digits-later does not exist; the pod waits behind the scheduling gate ${GATE}`,
    );
  });

  test("a pod that nobody asked for", async () => {
    await make(podOf("plain", {}, { labels: { app: "boud" } }));
    expect(await explain("plain")).toEqual([
      `Pod   ${NAMESPACE}/plain, Pending`,
      "Asks  for nothing: it has no annotation that names a model, and no ModelBinding selects it",
      "      ModelBinding bound does not select it: it wants app=bound, and the pod has app=boud",
      "Next  a new pod like it would be left as it is",
    ]);
  });

  test("a pod that does not exist", async () => {
    expect(await run(["explain", "pod", "nobody", "-n", NAMESPACE])).toEqual({
      code: 1,
      out: "",
      err: `modelhook: pod ${NAMESPACE}/nobody does not exist\n`,
    });
  });

  test("to a user who may read little", async () => {
    await make(podOf("of-user", { "model-version": VERSION }));
    const file = await userKubeconfig();
    expect(await explain("of-user", file)).toEqual([
      `Pod     ${NAMESPACE}/of-user, Pending`,
      `Asks    for ModelVersion ${VERSION}, by its annotations`,
      `Has     ${COPIED}`,
      "Next    a new pod like it would get the same",
      expect.stringMatching(/^Unread {2}namespace digits can not be read \(forbidden\): /),
      expect.stringMatching(/^Unread {2}nodes can not be read \(forbidden\): nodes is forbidden: /),
      expect.stringMatching(
        /^Unread {2}the administrator's limits \(ConfigMap modelhook-system\/modelhook\) can not be read \(forbidden\): /,
      ),
      expect.stringMatching(/^Unread {2}the webhook configuration can not be read \(forbidden\): /),
    ]);
  });

  test("a pod that was made while the webhook was away", async () => {
    await modelhook.kill();
    await plane.kubectl(["delete", "mutatingwebhookconfiguration", "modelhook"]);
    await make(podOf("missed", { "model-version": VERSION }));
    const absent = await explain("missed");
    expect(absent.slice(2, 5)).toEqual([
      "Missed  it was made without that, and nothing changes a pod that is there",
      "        there is no MutatingWebhookConfiguration modelhook: modelhook is not installed, or has never been ready",
      "Do      delete it and make it anew",
    ]);
    // Times of objects have whole seconds.
    await new Promise((resolve) => void setTimeout(resolve, 1100));
    modelhook = await startModelhook(plane);
    expect(await explain("missed")).toEqual([
      `Pod     ${NAMESPACE}/missed, Pending`,
      `Asks    for ModelVersion ${VERSION}, by its annotations`,
      "Missed  it was made without that, and nothing changes a pod that is there",
      expect.stringMatching(
        /^ {8}it is older than the MutatingWebhookConfiguration modelhook: \S+ and \S+$/,
      ),
      "Do      delete it and make it anew",
      `Next    a new pod like it would get ${COPIED}`,
    ]);
  });
});

test("what is printed follows the nodes of the cluster", async () => {
  await runsOn(plane, "node-1", "v1.36.3", "containerd://2.2.1");
  const pod = podOf("web", { "model-version": VERSION });
  await eventually("the webhook knows the node", async () => {
    return (await stored(pod)).spec?.volumes?.some(({ image }) => image !== undefined);
  });
  expect(decided(await stored(await injected(pod)))).toEqual(decided(await stored(pod)));
});

/** A kubeconfig of somebody who may read pods and what is ours in the namespace, and nothing else. */
async function userKubeconfig(): Promise<string> {
  const flags = ["--namespace", NAMESPACE];
  await plane.kubectl(["create", "serviceaccount", "reader", ...flags]);
  const resources =
    "pods,models.model.kubedl.io,modelversions.model.kubedl.io,modelbindings.model.kubedl.io";
  const rights = ["--verb=get,list", `--resource=${resources}`];
  await plane.kubectl(["create", "role", "reader", ...rights, ...flags]);
  const subject = ["--role=reader", `--serviceaccount=${NAMESPACE}:reader`];
  await plane.kubectl(["create", "rolebinding", "reader", ...subject, ...flags]);
  const token = (await plane.kubectl(["create", "token", "reader", ...flags])).trim();
  const config = parse(await readFile(plane.kubeconfig, "utf8")) as { users: object[] };
  const users = config.users.map((user) => ({ ...user, user: { token } }));
  const file = join(directory, "reader");
  await writeFile(file, stringify({ ...config, users }), { mode: 0o600 });
  return file;
}
