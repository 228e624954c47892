import { ANNOTATIONS } from "../../../src/api/annotations.ts";
import type { Job } from "../../../src/api/kube-types.ts";
import { nameOf } from "../verdict.ts";
import type { Observer } from "../watching.ts";
import type { World } from "../world.ts";
import type { History } from "./history.ts";
import type { Run } from "./plan.ts";

/** Label of the jobs and pods of a campaign: name of the run. */
export const RUN_LABEL = "chaos-run";

/** Where jobs run, and what they say of their models. */
interface JobSurroundings {
  /** Of the programs that train. */
  readonly image: string;
  readonly nodeName: string;
  /** The cluster's own, and one that modelhook refuses without asking it. */
  readonly registries: { readonly own: string; readonly refused: string };
}

/** What runs act on. */
export interface ExportWorld extends World {
  readonly observer: Observer<History>;
  readonly surroundings: JobSurroundings;
}

/** Tag that all exports ask for. */
export const TAG = "held";

/** Directory of the node below which all models are written. */
const MODELS = "/models/chaos";
/** Models that the versions of all runs are spread over: some are the first of theirs, most are not. */
const MODEL_COUNT = 7;

/** Where the models of all runs would be pushed. */
export function repositoryIn(registry: string): string {
  return `${registry}/chaos/model`;
}

/** The exporting Job of a run, one that succeeds or one that does not. */
export function trainingJob(run: Run, isGood: boolean, given: JobSurroundings): Job {
  const name = nameOf(run);
  const labels = { [RUN_LABEL]: name };
  const intent = {
    modelName: `chaos-${run.index % MODEL_COUNT}`,
    imageRepo: repositoryIn(run.asksRegistry ? given.registries.own : given.registries.refused),
    imageTag: TAG,
    storage: {
      localStorage: { path: `${MODELS}/run-${run.location}`, nodeName: given.nodeName },
    },
  };
  const annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels, annotations },
    spec: {
      // A pod that is deleted or evicted counts as one that failed.
      backoffLimit: isGood ? 6 : 0,
      ...(run.collected ? { ttlSecondsAfterFinished: 0 } : {}),
      ...(run.shape === "indexed"
        ? { completionMode: "Indexed", completions: 3, parallelism: 3 }
        : {}),
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: run.shape === "retried in place" && isGood ? "OnFailure" : "Never",
          terminationGracePeriodSeconds: run.graceSeconds,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsUser: 1000, runAsGroup: 1000 },
          containers: [
            {
              name: "train",
              image: given.image,
              command: ["sh", "-euc", `cd "$KUBEDL_MODEL_PATH"; ${script(run, isGood)}`],
            },
          ],
        },
      },
    },
  };
}

function script(run: Run, isGood: boolean): string {
  const tried = `tried-${nameOf(run)}`;
  const seconds = (run.trainMs / 1000).toFixed(1);
  return [
    "echo half >weights",
    // The directory outlives the pod.
    ...(run.shape.startsWith("retried") && isGood
      ? [`[ -e ${tried} ] || { echo >${tried}; exit 1; }`]
      : []),
    `sleep ${seconds}`,
    isGood ? "echo whole >weights; echo done >log" : "exit 1",
  ].join("; ");
}
