import type { Container, Pod, PodSpec } from "../../../src/api/kube-types.ts";
import { apply, eventually, kubectl, read, type TestNode } from "../node.ts";

/** A pod that runs a script once, and what it asks for. */
export interface ScriptPod {
  readonly name: string;
  /** Annotations, without what all of them begin with. */
  readonly wants: Readonly<Record<string, string>>;
  readonly script: string;
  /** Security context of the pod. */
  readonly pod?: object;
  /** What the container has besides. */
  readonly container?: Partial<Container>;
  /** What the pod has besides. */
  readonly spec?: Partial<PodSpec>;
}

/** What the restricted level asks of a pod and of its containers. */
export const RESTRICTED = {
  pod: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
  container: {
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  },
} satisfies Pick<ScriptPod, "pod" | "container">;

/** The pod, with one container `server` of busybox. */
export function scriptPod(node: TestNode, made: ScriptPod): object {
  const annotations = Object.entries(made.wants).map(([key, value]) => [
    `model.kubedl.io/${key}`,
    value,
  ]);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: made.name, annotations: Object.fromEntries(annotations) as object },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      ...(made.pod === undefined ? {} : { securityContext: made.pod }),
      containers: [scriptContainer(node, "server", made.script, made.container)],
      ...made.spec,
    },
  };
}

/** A container of busybox that runs a script. */
export function scriptContainer(
  node: TestNode,
  name: string,
  script: string,
  more: Partial<Container> = {},
): Container {
  return { name, image: node.images.busybox, command: ["sh", "-euc", script], ...more };
}

/** The pod once its containers have ended well; throws what they said when they have not. */
export async function whenSucceeded(node: TestNode, namespace: string, name: string): Promise<Pod> {
  const ended = await eventually(
    `the end of pod ${name}`,
    async () => {
      const pod = await read<Pod>(node, namespace, "pod", name);
      return ["Succeeded", "Failed"].includes(pod?.status?.phase ?? "") ? pod : undefined;
    },
    { seconds: 180, everyMs: 500 },
  );
  if (ended.status?.phase === "Succeeded") return ended;
  const logs = await kubectl(node, namespace, "logs", name, "--all-containers");
  throw new Error(`pod ${name} failed: ${JSON.stringify(ended.status)}\n${logs}`);
}

/** What a container of a pod printed. */
export async function printedBy(
  node: TestNode,
  namespace: string,
  pod: string,
  container = "server",
): Promise<string> {
  return kubectl(node, namespace, "logs", pod, "--container", container);
}

/** Creates a pod whose script goes on, and waits until it is ready; gives the seconds that this took. */
export async function secondsToReady(
  node: TestNode,
  namespace: string,
  made: ScriptPod,
): Promise<number> {
  const started = performance.now();
  await apply(node, namespace, scriptPod(node, made));
  const ready = ["--for=condition=Ready", `pod/${made.name}`, "--timeout=240s"];
  await kubectl(node, namespace, "wait", ...ready);
  return (performance.now() - started) / 1000;
}
