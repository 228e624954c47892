import type { BuiltImage } from "../../src/api/build-report.ts";
import type { Pod } from "../../src/api/kube-types.ts";
import type { BuildObserved, ObservedEvent } from "../../src/builder/builder.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";

export const NOW = Date.parse("2026-11-23T09:30:00Z");

/** What the images of these attempts hold. */
export const BUILT: BuiltImage = {
  digest: `sha256:${"a".repeat(64)}`,
  size: 30,
  files: 5,
  layers: [{ digest: `sha256:${"b".repeat(64)}`, size: 40 }],
};

/** State of one container, in short. */
export type ContainerTweak =
  | {
      readonly exitCode: number;
      readonly reason: string;
      readonly message?: string;
      readonly finishedAt?: string;
    }
  | { readonly waiting: string; readonly message?: string }
  | { readonly running: true };

/** What is special about an attempt; containers that are not named have not started. */
export interface AttemptTweak {
  readonly source?: ContainerTweak;
  readonly kaniko?: ContainerTweak;
  readonly verify?: ContainerTweak;
  /** The one container of the engine direct, instead of those three. */
  readonly direct?: ContainerTweak;
  readonly pod?: object;
  readonly noPod?: boolean;
  readonly unschedulable?: string;
  /** Reason of the Job's last condition; Complete is its own reason. */
  readonly jobCondition?: "BackoffLimitExceeded" | "DeadlineExceeded" | "Complete";
  /** Milliseconds since that condition. */
  readonly conditionAge?: number;
  /** Milliseconds since the pod started. */
  readonly age?: number;
  readonly events?: readonly ObservedEvent[];
}

/** A container that ended. */
export function terminated(
  exitCode: number,
  message?: string,
): ContainerTweak & { exitCode: number; reason: string } {
  const reason = exitCode === 0 ? "Completed" : "Error";
  return { exitCode, reason, ...(message === undefined ? {} : { message }) };
}

/** An attempt as Kubernetes 1.36 shows it. */
export function makeAttempt(tweak: AttemptTweak): BuildObserved {
  const { jobCondition, conditionAge = 1_000, direct } = tweak;
  const pod = {
    metadata: {
      name: "mh-build-1-x",
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "mh-build-1", uid: "job" }],
    },
    spec: { nodeName: "node-1", containers: [] },
    status: makePodStatus(tweak),
  };
  const types =
    jobCondition === "Complete" ? ["SuccessCriteriaMet", "Complete"] : ["FailureTarget", "Failed"];
  return deepFreeze({
    now: NOW,
    job: {
      metadata: { name: "mh-build-1", uid: "job" },
      spec: {
        activeDeadlineSeconds: 3600,
        template: direct === undefined ? {} : { spec: { containers: [{ name: "build-image" }] } },
      },
      status: {
        conditions:
          jobCondition === undefined
            ? []
            : types.map((type) => ({
                type,
                status: "True",
                reason: jobCondition,
                message: jobCondition,
                lastTransitionTime: new Date(NOW - conditionAge).toISOString(),
              })),
      },
    },
    pods: tweak.noPod === true ? [] : [pod],
    events: tweak.events ?? [],
  });
}

/** Status of a build pod. */
export function makePodStatus(tweak: AttemptTweak): NonNullable<Pod["status"]> {
  const scheduled =
    tweak.unschedulable === undefined
      ? { type: "PodScheduled", status: "True" }
      : {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: tweak.unschedulable,
        };
  const container = (name: "source" | "kaniko" | "verify" | "direct"): object => ({
    name: name === "direct" ? "build-image" : name,
    image: "i",
    imageID: "",
    ready: false,
    restartCount: 0,
    state: stateOf(tweak[name] ?? { waiting: "PodInitializing" }),
  });
  const status = {
    phase: tweak.unschedulable === undefined ? "Running" : "Pending",
    conditions: [scheduled],
    startTime: new Date(NOW - (tweak.age ?? 10_000)).toISOString(),
    ...(tweak.unschedulable === undefined
      ? {
          initContainerStatuses:
            tweak.direct === undefined ? [container("source"), container("kaniko")] : [],
          containerStatuses: [container(tweak.direct === undefined ? "verify" : "direct")],
        }
      : {}),
    ...tweak.pod,
  };
  return status as NonNullable<Pod["status"]>;
}

function stateOf(tweak: ContainerTweak): object {
  if ("running" in tweak) return { running: { startedAt: new Date(NOW).toISOString() } };
  if ("waiting" in tweak) {
    const { waiting: reason, message } = tweak;
    return { waiting: { reason, ...(message === undefined ? {} : { message }) } };
  }
  return { terminated: { finishedAt: new Date(NOW - 5_000).toISOString(), ...tweak } };
}
