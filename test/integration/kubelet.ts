import { setTimeout as sleep } from "node:timers/promises";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import { printReport, type BuildReport } from "../../src/api/build-report.ts";
import type { KubeObject, Pod } from "../../src/api/kube-types.ts";

/** Asks until there is an answer; throws, with what was seen last, when there is none in time. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  seconds = 30,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`${what}: not within ${seconds} s`, { cause: last });
}

/** One object as JSON; undefined when it does not exist. */
export async function read<T extends KubeObject>(
  plane: ControlPlane,
  kind: string,
  name: string,
  namespace = "default",
): Promise<T | undefined> {
  const flags = ["--namespace", namespace, "--ignore-not-found", "--output=json"];
  const text = await plane.kubectl(["get", kind, name, ...flags]);
  return text.trim() === "" ? undefined : (JSON.parse(text) as T);
}

/** All objects of a kind that a label selects, in all namespaces. */
export async function list<T extends KubeObject>(
  plane: ControlPlane,
  kind: string,
  selector: string,
): Promise<readonly T[]> {
  const flags = ["--all-namespaces", "--selector", selector, "--output=json"];
  return (JSON.parse(await plane.kubectl(["get", kind, ...flags])) as { items: readonly T[] })
    .items;
}

/** Says, as a kubelet would, that a pod's containers ended well. */
export async function succeed(plane: ControlPlane, pod: Pod): Promise<void> {
  await setStatus(plane, pod, { phase: "Succeeded" });
}

/** Says, as a kubelet would, that a pod runs and is ready. */
export async function becomeReady(plane: ControlPlane, pod: Pod): Promise<void> {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime }];
  await setStatus(plane, pod, { phase: "Running", conditions });
}

/** Says, as a kubelet would, how a build pod ended: its last container left the report as its termination message. */
export async function endBuild(plane: ControlPlane, pod: Pod, report: BuildReport): Promise<void> {
  const ok = report.state === "built";
  await endContainer(plane, pod, ok ? "containers" : "initContainers", ok, printReport(report));
}

/** Says, as a kubelet would, how the pod ended that asks a registry for an exporting job; one that passes has nothing to report. */
export async function endCheck(plane: ControlPlane, pod: Pod, report?: BuildReport): Promise<void> {
  const text = report === undefined ? "" : printReport(report);
  await endContainer(plane, pod, "containers", report === undefined, text);
}

/** Ends a pod by the end of the first container of a list. */
async function endContainer(
  plane: ControlPlane,
  pod: Pod,
  where: "containers" | "initContainers",
  ok: boolean,
  message: string,
): Promise<void> {
  const container = pod.spec?.[where]?.[0];
  const terminated = {
    exitCode: ok ? 0 : 1,
    reason: ok ? "Completed" : "Error",
    message,
    startedAt: "2026-01-01T00:00:00Z",
    finishedAt: "2026-01-01T00:00:01Z",
  };
  const status = {
    name: container?.name,
    image: container?.image,
    imageID: "",
    ready: false,
    restartCount: 0,
    state: { terminated },
  };
  await setStatus(plane, pod, {
    phase: ok ? "Succeeded" : "Failed",
    [where === "containers" ? "containerStatuses" : "initContainerStatuses"]: [status],
  });
}

/** Says, as the Job controller would, that a job which holds our finalizer is complete. */
export async function completeJob(
  plane: ControlPlane,
  name: string,
  namespace: string,
): Promise<void> {
  const live = await read(plane, "job", name, namespace);
  if (live?.metadata?.finalizers?.includes("model.kubedl.io/export") !== true) {
    throw new Error(`Job ${namespace}/${name} does not hold the finalizer of an export`);
  }
  const at = "2026-01-01T00:00:00Z";
  const conditions = ["SuccessCriteriaMet", "Complete"].map((type) => ({
    type,
    status: "True",
    lastProbeTime: at,
    lastTransitionTime: at,
  }));
  const status = { conditions, startTime: at, completionTime: at };
  const flags = ["--namespace", namespace, "--subresource=status", "--type=merge"];
  await plane.kubectl(["patch", "job", name, ...flags, "--patch", JSON.stringify({ status })]);
}

/** Reason and words of the Events about an object of that name. */
export async function eventsOn(plane: ControlPlane, name: string): Promise<readonly string[]> {
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

/** A node object without a machine. */
export async function addNode(plane: ControlPlane, name: string): Promise<void> {
  const metadata = { name, labels: { "kubernetes.io/hostname": name } };
  const node = { apiVersion: "v1", kind: "Node", metadata };
  await plane.kubectl(["apply", "--filename", "-"], JSON.stringify(node));
}

/** Has a node say what it runs. */
export async function runsOn(
  plane: ControlPlane,
  name: string,
  kubeletVersion: string,
  containerRuntimeVersion: string,
): Promise<void> {
  const nodeInfo = { kubeletVersion, containerRuntimeVersion, operatingSystem: "linux" };
  const patch = JSON.stringify({ status: { nodeInfo } });
  await plane.kubectl([
    "patch",
    "node",
    name,
    "--subresource=status",
    "--type=merge",
    "--patch",
    patch,
  ]);
}

async function setStatus(plane: ControlPlane, pod: Pod, status: object): Promise<void> {
  const { namespace = "default", name = "" } = pod.metadata ?? {};
  const patch = JSON.stringify({ status });
  const flags = ["--namespace", namespace, "--subresource=status", "--type=merge"];
  await plane.kubectl(["patch", "pod", name, ...flags, "--patch", patch]);
}
