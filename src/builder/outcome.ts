import { parseReport, type BuiltImage } from "../api/build-report.ts";
import type { Job, Pod } from "../api/kube-types.ts";
import { parseTime } from "../api/time.ts";
import { BUILD_CONTAINERS, DIRECT_CONTAINER } from "./containers.ts";
import type { BuildFailure, BuildObserved, BuildOutcome, ObservedEvent } from "./builder.ts";
import { failed, isFailureReason } from "./failure.ts";
import { reasonOfLog } from "./kaniko-log.ts";

/** How long an image may fail to be pulled, or a container to be made: registries and nodes hiccup. */
const PULL_GRACE_MS = 120_000;

/** How long the pod's last status may take to reach us after its Job's; watches of different kinds are not in step. */
const WATCH_LAG_MS = 15_000;

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];
type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

const RUNNING: BuildOutcome = { state: "running" };

/**
 * Reads an attempt's outcome. An image counts whatever happened to the pod afterwards; who took the pod away counts more than
 * what its containers said while they were stopped.
 */
export function readOutcome(observed: BuildObserved): BuildOutcome {
  const { job, now } = observed;
  const pod = observed.pods[0];
  if (pod === undefined) return withoutPod(observed);
  const image = imageOf(pod);
  if (image !== undefined) return { state: "succeeded", image };
  const end = endOf(job);
  if (end?.reason === "DeadlineExceeded") return deadline(observed, pod);
  const failure = failureOfPod(pod) ?? failureOfContainer(pod);
  if (failure !== undefined) return failure;
  if (end === undefined) return isTerminal(pod) ? RUNNING : progress(observed, pod);
  if (now - end.since < WATCH_LAG_MS) return RUNNING;
  return failed("Unknown", killed(pod) ?? `the build ended without a result: ${end.message}`);
}

/** Which containers can know of an image: whatever a base image makes kaniko say is no result. */
const KNOWING: Readonly<Record<"adopted" | "built", readonly string[]>> = {
  adopted: [BUILD_CONTAINERS.source, DIRECT_CONTAINER],
  built: [BUILD_CONTAINERS.verify, DIRECT_CONTAINER],
};

function imageOf(pod: Pod): BuiltImage | undefined {
  for (const { name, state } of containersOf(pod)) {
    const report = parseReport(state?.terminated?.message);
    if (report === undefined || report.state === "failed") continue;
    if (KNOWING[report.state].includes(name)) return report.image;
  }
  return undefined;
}

function failureOfContainer(pod: Pod): BuildFailure | undefined {
  for (const { name, state } of containersOf(pod)) {
    const terminated = state?.terminated;
    if (terminated === undefined) continue;
    const report = parseReport(terminated.message);
    if (report?.state === "failed") {
      return failed(isFailureReason(report.reason) ? report.reason : "Unknown", report.message);
    }
    if (terminated.reason === "OOMKilled") {
      return failed(
        "OutOfMemory",
        `container ${name} was killed for want of memory; spec.builder.resources.limits.memory can allow more`,
      );
    }
    if (terminated.exitCode !== 0 && !isKill(terminated)) return failureOfLog(name, terminated);
  }
  return undefined;
}

function failureOfLog(name: string, { exitCode, message = "", reason }: Terminated): BuildFailure {
  const log = message.trim();
  if (log === "") {
    return failed("Unknown", `container ${name} ended with exit code ${exitCode} (${reason})`);
  }
  if (name !== BUILD_CONTAINERS.kaniko) return failed("Unknown", `${name}: ${log}`);
  // kaniko says last why it ends; whoever reads no further than the first line gets that.
  const lines = log.split("\n");
  const before = lines.slice(0, -1).join("\n");
  return failed(
    reasonOfLog(log),
    `kaniko: ${lines.at(-1)}${before === "" ? "" : `\nThe log before that:\n${before}`}`,
  );
}

function isKill({ exitCode }: Terminated): boolean {
  return exitCode === 137 || exitCode === 143;
}

function killed(pod: Pod): string | undefined {
  const status = containersOf(pod).find(
    ({ state }) => state?.terminated !== undefined && isKill(state.terminated),
  );
  return status === undefined ? undefined : `container ${status.name} was killed`;
}

function failureOfPod(pod: Pod): BuildFailure | undefined {
  const { reason, message = "", conditions = [], phase } = pod.status ?? {};
  const text = message.trim();
  if (reason === "Evicted") {
    if (/ephemeral|disk|inodes|emptydir/i.test(text)) return failed("DiskFull", text);
    if (!/memory/i.test(text)) return failed("NodeLost", text);
    // It was the node that had too little, and not the pod that asked for too little.
    return { ...failed("OutOfMemory", text), retry: "few" };
  }
  const disruption = conditions.find(
    ({ type, status }) => type === "DisruptionTarget" && status === "True",
  );
  if (disruption !== undefined) {
    return failed("NodeLost", disruption.message ?? `the pod was taken away: ${disruption.reason}`);
  }
  if (phase === "Unknown") {
    return failed("NodeLost", `node ${pod.spec?.nodeName ?? ""} does not answer`);
  }
  // Shutdown, Terminated, UnexpectedAdmissionError, ...: the kubelet gives a reason only for what it does by itself.
  if (phase === "Failed" && reason !== undefined) {
    return failed("NodeLost", text === "" ? `the node ended the pod: ${reason}` : text);
  }
  return undefined;
}

/** A pod that is not done: what it waits for, and failure when that will not come. */
function progress({ events, now }: BuildObserved, pod: Pod): BuildOutcome {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False") {
    return { state: "running", message: `the pod waits for a node: ${scheduled.message ?? ""}` };
  }
  const stuck = containersOf(pod).find(({ state }) => isStuck(state?.waiting?.reason));
  const waiting = stuck?.state?.waiting;
  if (stuck === undefined || waiting === undefined) return starting(events, pod);
  const message = `container ${stuck.name}: ${waiting.message ?? waiting.reason}`;
  if (now - waitingSince(pod) < PULL_GRACE_MS) return { state: "running", message };
  if (!waiting.reason?.includes("Image")) return failed("Unknown", message);
  // The administrator's images; kaniko pulls what the version names.
  return { ...failed("ImagePullFailed", message), retry: "endless" };
}

/** Volumes that can not be mounted and networks that can not be made are only told by events; the kubelet goes on trying. */
function starting(events: readonly ObservedEvent[], pod: Pod): BuildOutcome {
  const started = containersOf(pod).some(({ state }) => state?.waiting === undefined);
  const failure = started
    ? undefined
    : events.findLast(({ reason }) => reason.startsWith("Failed"));
  return failure === undefined
    ? RUNNING
    : { state: "running", message: `the pod does not start: ${failure.message}` };
}

function containersOf(pod: Pod): readonly ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

function isStuck(reason: string | undefined): boolean {
  return reason !== undefined && reason !== "PodInitializing" && reason !== "ContainerCreating";
}

/** When the container before it ended, or the pod started. */
function waitingSince(pod: Pod): number {
  const ends = containersOf(pod).flatMap(({ state }) => state?.terminated?.finishedAt ?? []);
  return parseTime(ends.at(-1) ?? pod.status?.startTime ?? pod.metadata?.creationTimestamp ?? "");
}

/** Why a Job has no pod: it was refused one, or it had one that is gone. */
function withoutPod(observed: BuildObserved): BuildOutcome {
  const { job, events, now } = observed;
  const end = endOf(job);
  if (end?.reason === "DeadlineExceeded") return deadline(observed);
  if (end !== undefined) {
    if (now - end.since < WATCH_LAG_MS) return RUNNING;
    return failed("NodeLost", "the build's pod is gone, and its result with it");
  }
  const refusal = events.findLast(({ reason }) => reason === "FailedCreate");
  return refusal === undefined ? RUNNING : refused(refusal, job);
}

/** A Job has no condition for a pod that admission forbids, only events; it goes on trying for ever. */
function refused({ message }: ObservedEvent, job: Job): BuildOutcome {
  const text = message.replace(/^Error creating: /, "");
  if (/violates PodSecurity/.test(text)) {
    const containers = job.spec?.template.spec?.containers ?? [];
    if (containers.some(({ name }) => name === DIRECT_CONTAINER)) {
      return failed("PodSecurityDenied", text);
    }
    return failed(
      "PodSecurityDenied",
      `kaniko runs as root, which needs a namespace at level baseline: set spec.builder.engine to direct, which does not, label the namespace pod-security.kubernetes.io/enforce=baseline, or make the ModelVersion in another one (${text})`,
    );
  }
  // Words of the admission plugins ResourceQuota ("exceeded quota", "failed quota") and LimitRanger (the rest).
  if (
    /(?:exceeded|failed) quota|(?:maximum|minimum) .* usage per|limit to request ratio/.test(text)
  ) {
    return failed("QuotaDenied", `${text}; spec.builder.resources sets what the build asks for`);
  }
  return { state: "running", message: `the pod is refused: ${text}` };
}

function deadline(observed: BuildObserved, pod?: Pod): BuildOutcome {
  const state = pod === undefined ? RUNNING : progress(observed, pod);
  const waited = state.state === "succeeded" ? undefined : state.message;
  const message = `the attempt took longer than ${observed.job.spec?.activeDeadlineSeconds} seconds`;
  if (waited === undefined) return failed("DeadlineExceeded", message);
  // It did not work, it waited.
  return { ...failed("DeadlineExceeded", `${message}; ${waited}`), retry: "endless" };
}

function endOf(job: Job): { reason: string; message: string; since: number } | undefined {
  // FailureTarget comes first, while the pod still ends.
  const condition = job.status?.conditions?.find(
    ({ type, status }) =>
      status === "True" && (type === "Complete" || type === "Failed" || type === "FailureTarget"),
  );
  if (condition === undefined) return undefined;
  const { reason = "", message = "", lastTransitionTime = "" } = condition;
  return { reason, message, since: parseTime(lastTransitionTime) };
}

/** True for a pod whose containers have ended for good. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}
