import type { Job, Pod } from "../../src/api/kube-types.ts";
import type { PreflightRequest } from "../../src/builder/preflight.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import { makeSettings } from "./build.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";

/** The check for a Job that exports an image with a tag of its own. */
export function makePreflightRequest(
  tweak: Tweak<Draft<PreflightRequest>> = () => {},
): PreflightRequest {
  return frozen<Draft<PreflightRequest>>(
    {
      owner: {
        apiVersion: "batch/v1",
        kind: "Job",
        name: "train",
        uid: "0123abcd-4567-89ef-0123-456789abcdef",
      },
      namespace: "team-a",
      imageRepo: "registry.example/models/mnist",
      imageTag: "v1",
      pushSecret: undefined,
      settings: makeSettings(),
    },
    tweak,
  );
}

/** How a check's Job and pod are seen. */
export interface PreflightTweak {
  /** The Job's condition and its reason. */
  readonly job?: readonly [type: "Complete" | "Failed" | "FailureTarget", reason: string];
  /** Phase of the pod; absent when there is none. */
  readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed";
  /** How the container ended; absent when it has not. */
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason: string;
    readonly message?: string;
  };
  /** Name of that container, when it is not ours. */
  readonly container?: string;
}

/** A check as Kubernetes 1.36 shows it. */
export function makePreflight(tweak: PreflightTweak): {
  readonly job: Job;
  readonly pods: readonly Pod[];
} {
  const { job, phase, terminated, container = "check-push" } = tweak;
  const status = {
    name: container,
    image: "i",
    imageID: "",
    ready: false,
    restartCount: 0,
    state: terminated === undefined ? { waiting: { reason: "ContainerCreating" } } : { terminated },
  };
  const conditions = job === undefined ? [] : [{ type: job[0], status: "True", reason: job[1] }];
  return deepFreeze({
    job: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "mh-preflight-1" },
      status: { conditions },
    },
    pods: phase === undefined ? [] : [{ status: { phase, containerStatuses: [status] } }],
  });
}
