import { LABELS, MANAGED_BY } from "../api/annotations.ts";
import { parseReport } from "../api/build-report.ts";
import type { Container, Job, OwnerReference, Pod, PodSpec } from "../api/kube-types.ts";
import { preflightJobName } from "../api/names.ts";
import type { Reason } from "../api/reasons.ts";
import { pullSecrets } from "./build-job.ts";
import type { BuildSettings } from "./builder.ts";
import { failed } from "./failure.ts";
import { literal } from "./image-arguments.ts";
import { isTerminal } from "./outcome.ts";
import { CREDENTIALS_MOUNT, credentialsVolume, insecureArguments } from "./registry-access.ts";
import {
  certificateAnnotations,
  certificateVolumes,
  trustingContainer,
} from "./registry-certificates.ts";
import { plainHttpFault } from "./registry-policy.ts";
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from "./restricted.ts";

const CONTAINER = "check-push";

/** Seconds that the check may take: it answers within 8 of its start, and the rest is for a node that has to pull our image. */
const DEADLINE_SECONDS = 60;

/** Seconds for which an ended check is kept, so that a controller that starts meanwhile reads it. */
const KEPT_SECONDS = 60;

/** What the check needs on any node, far below what an administrator would cap; a quota may want limits on both. */
const RESOURCES = {
  requests: { cpu: "10m", memory: "96Mi" },
  limits: { cpu: "500m", memory: "256Mi" },
};

/** Reasons that are worth an event; a report of any other is about the check itself. */
const ABOUT_THE_REGISTRY = ["PushDenied", "RegistryUnreachable", "TagTaken"] as const;

/** The image that an exporting job would have pushed, while the job still trains. */
export interface PreflightRequest {
  /** The exporting job; the check goes with it. */
  readonly owner: Pick<OwnerReference, "apiVersion" | "kind" | "name" | "uid">;
  readonly namespace: string;
  readonly imageRepo: string;
  /** Absent when the version will make a tag from its UID, which nobody else can have taken. */
  readonly imageTag: string | undefined;
  /** Name of the Secret to push with; absent for `regcred`, where there is one. */
  readonly pushSecret: string | undefined;
  readonly settings: BuildSettings;
}

/** What keeps an image from being pushed, in words for an event on the job. */
export interface PreflightFault {
  readonly fault: Reason;
  readonly message: string;
}

/** How a check stands; `unknown` when it ended without an answer. */
export type PreflightOutcome = "running" | "passed" | "unknown" | PreflightFault;

/** What is wrong with the image before anybody is asked: then no build is begun, and no check has to be. */
export function preflightRefusal({
  imageRepo,
  settings,
}: PreflightRequest): PreflightFault | undefined {
  const message = plainHttpFault(imageRepo, settings.insecureRegistries);
  return message === undefined ? undefined : { fault: "PushDenied", message };
}

/**
 * The Job that asks the registry, from within the job's namespace, since only there the push credentials can be had. It is named
 * from the owner's UID, runs at level restricted, and bears none of the marks of an exporting job. Its owner does not control
 * it: operators count, adopt and delete what they control.
 */
export function preflightJob(request: PreflightRequest): Job {
  const { apiVersion, kind, name, uid } = request.owner;
  const labels = { [MANAGED_BY]: "modelhook", [LABELS.preflight]: uid };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: preflightJobName(uid),
      namespace: request.namespace,
      labels,
      ownerReferences: [{ apiVersion, kind, name, uid }],
    },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: DEADLINE_SECONDS,
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: { labels, ...certificateAnnotations(request.settings) },
        spec: preflightPod(request),
      },
    },
  };
}

function preflightPod(request: PreflightRequest): PodSpec {
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // As in build pods: nothing in here has an end worth waiting for.
    terminationGracePeriodSeconds: 1,
    securityContext: RESTRICTED_POD,
    ...pullSecrets(request.settings),
    containers: [checkContainer(request)],
    volumes: [credentialsVolume(request.pushSecret), ...certificateVolumes(request.settings)],
  };
}

function checkContainer(request: PreflightRequest): Container {
  const { imageRepo, imageTag, pushSecret, settings } = request;
  const args = [
    "check-push",
    `--image=${imageTag === undefined ? imageRepo : `${imageRepo}:${imageTag}`}`,
    `--credentials=${CREDENTIALS_MOUNT.mountPath}/config.json`,
    ...(pushSecret === undefined ? [] : [`--credentials-secret=${pushSecret}`]),
    ...insecureArguments([imageRepo], settings),
  ];
  return {
    name: CONTAINER,
    image: settings.modelhookImage,
    args: args.map(literal),
    resources: RESOURCES,
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: RESTRICTED_CONTAINER,
    ...trustingContainer(settings, [CREDENTIALS_MOUNT]),
  };
}

/**
 * Reads the check's outcome from its Job and pods. A quota, a node without room, our image that can not be pulled, a deadline
 * or a crash say nothing of the registry, so they are `unknown` and nobody is told: the training runs well, and whoever trains
 * can do nothing about a check that modelhook alone asked for. A pod that is seen later may still say more.
 */
export function preflightOutcome(job: Job, pods: readonly Pod[]): PreflightOutcome {
  const ends = pods
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .flatMap(({ name, state }) =>
      name === CONTAINER && state?.terminated !== undefined ? [state.terminated] : [],
    );
  const fault = ends.map(({ message }) => faultOf(message)).find((each) => each !== undefined);
  if (fault !== undefined) return fault;
  if (ends.some(({ exitCode }) => exitCode === 0)) return "passed";
  const end = job.status?.conditions?.find(
    ({ type, status }) =>
      status === "True" && (type === "Complete" || type === "Failed" || type === "FailureTarget"),
  );
  if (end?.type === "Complete") return "passed";
  if (ends.length > 0 || pods.some(isTerminal)) return "unknown";
  if (end === undefined) return "running";
  // Watches are not in step: the pod that failed may be seen to do so after its Job, but not when it was stopped.
  return pods.length > 0 && end.reason !== "DeadlineExceeded" ? "running" : "unknown";
}

function faultOf(message: string | undefined): PreflightFault | undefined {
  const report = parseReport(message);
  if (report?.state !== "failed") return undefined;
  const fault = ABOUT_THE_REGISTRY.find((reason) => reason === report.reason);
  return fault && { fault, message: failed(fault, report.message).message };
}
