import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import { up, type LocalCluster } from "../../deploy/local/local-cluster.ts";
import type { KubeObject, Pod } from "../../src/api/kube-types.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { LOADER } from "../../src/inject/init-container.ts";

/** The cluster that the tests share, and its images. */
export interface TestNode {
  readonly cluster: LocalCluster;
  readonly images: {
    readonly busybox: string;
    readonly kaniko: string;
    readonly modelhook: string;
  };
}

/** Joins the cluster that setup made. */
export async function joinNode(): Promise<TestNode> {
  const cluster = await up({ ...inject("cluster"), log: () => {} });
  return { cluster, images: inject("images") };
}

/** Makes a namespace that enforces a pod security level, and removes it, with all that is in it, at the end. */
export async function makeNamespace(
  { cluster }: TestNode,
  name: string,
  level: "baseline" | "restricted",
): Promise<AsyncDisposable> {
  await cluster.kubectl(["create", "namespace", name]);
  await enforce({ cluster }, name, level);
  await eventually(`service account of ${name}`, async () => {
    const found = await cluster.kubectl(["-n", name, "get", "sa", "default", "--ignore-not-found"]);
    return found !== "";
  });
  return {
    async [Symbol.asyncDispose]() {
      await cluster.kubectl(["delete", "namespace", name, "--timeout=120s"]);
    },
  };
}

/** Sets the pod security level that a namespace enforces from now on. */
export async function enforce(
  { cluster }: Pick<TestNode, "cluster">,
  namespace: string,
  level: "baseline" | "restricted",
): Promise<void> {
  const label = `pod-security.kubernetes.io/enforce=${level}`;
  await cluster.kubectl(["label", "namespace", namespace, label, "--overwrite"]);
}

/** Applies objects to a namespace. */
export async function apply(
  { cluster }: TestNode,
  namespace: string,
  ...objects: readonly object[]
): Promise<void> {
  const items = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  await cluster.kubectl(["--namespace", namespace, "apply", "--filename", "-"], items);
}

/** One object; undefined when it does not exist. */
export async function read<T extends KubeObject>(
  { cluster }: TestNode,
  namespace: string,
  kind: string,
  name: string,
): Promise<T | undefined> {
  const flags = ["--ignore-not-found", "--output=json"];
  const text = await cluster.kubectl(["--namespace", namespace, "get", kind, name, ...flags]);
  return text === "" ? undefined : (JSON.parse(text) as T);
}

/** Objects of a kind in a namespace, those that a label selects when one is given. */
export async function list<T extends KubeObject>(
  { cluster }: TestNode,
  namespace: string,
  kind: string,
  selector = "",
): Promise<readonly T[]> {
  const flags = ["--selector", selector, "--output=json"];
  const text = await cluster.kubectl(["--namespace", namespace, "get", kind, ...flags]);
  return (JSON.parse(text) as { items: readonly T[] }).items;
}

/** The version once its build has ended, one way or the other. */
export async function whenBuilt(
  node: TestNode,
  namespace: string,
  name: string,
): Promise<ModelVersion> {
  return eventually(
    `the build of ${name}`,
    async () => {
      const version = await read<ModelVersion>(node, namespace, "modelversion", name);
      const phase = version?.status?.imageBuildPhase;
      return phase === undefined || phase === "ImageBuilding" ? undefined : version;
    },
    { seconds: 180 },
  );
}

/** The images of the models in a pod, each as `copy image` or `image-volume image`. */
export function modelImagesOf({ spec }: Pod): readonly string[] {
  const loaders = (spec?.initContainers ?? []).filter(({ name }) => name.startsWith(LOADER));
  return [
    ...loaders.map(({ image }) => `copy ${image}`),
    ...(spec?.volumes ?? []).flatMap(({ image }) =>
      image === undefined ? [] : [`image-volume ${image.reference}`],
    ),
  ];
}

/** Runs kubectl in a namespace and gives its standard output. */
export async function kubectl(
  { cluster }: TestNode,
  namespace: string,
  ...args: readonly string[]
): Promise<string> {
  return cluster.kubectl(["--namespace", namespace, ...args]);
}

/** An Event as far as tests read it. */
interface ReadEvent extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
}

/** What was said on an object, each as `Type Reason: note`. */
export async function eventsOn(
  { cluster }: TestNode,
  namespace: string,
  kind: string,
  name: string,
): Promise<readonly string[]> {
  const selector = `--field-selector=regarding.kind=${kind},regarding.name=${name}`;
  const flags = ["get", "events.v1.events.k8s.io", selector, "--output=json"];
  const text = await cluster.kubectl(["--namespace", namespace, ...flags]);
  const { items } = JSON.parse(text) as { items: readonly ReadEvent[] };
  return items.map(({ type, reason, note }) => `${type} ${reason}: ${note}`);
}

/** Waits until somebody says that on an object, as `eventsOn` gives it: Events are written after what they tell of. */
export async function whenSaid(
  node: TestNode,
  namespace: string,
  on: { readonly kind: string; readonly name: string },
  words: string | RegExp,
): Promise<void> {
  await eventually(`the event on ${on.kind} ${on.name}: ${words.toString()}`, async () => {
    const said = await eventsOn(node, namespace, on.kind, on.name);
    return said.some((each) => (typeof words === "string" ? each === words : words.test(each)));
  });
}

/** Asks until there is an answer; throws when there is none in time. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  { seconds = 60, everyMs = 250 }: { readonly seconds?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await sleep(everyMs);
  }
  throw new Error(`${what}: not within ${seconds} s`, { cause: last });
}
