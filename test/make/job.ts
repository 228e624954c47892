import { ANNOTATIONS, FINALIZERS, LABELS } from "../../src/api/annotations.ts";
import type { Job, ObjectMeta } from "../../src/api/kube-types.ts";
import { makeExport } from "./export.ts";
import { frozen, type Tweak } from "./frozen.ts";
import { JOB_UID, type MadePod } from "./pod.ts";

/** A Job with the parts that every Job has. */
export interface MadeJob extends Job {
  metadata: ObjectMeta;
  spec: NonNullable<Job["spec"]> & {
    template: { metadata: ObjectMeta; spec: MadePod["spec"] };
  };
}

/** A Job as the API server admits it: valid, with one pod, and asking for nothing. */
export function makeJob(tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return frozen(
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "train", namespace: "team-a" },
      spec: {
        template: {
          metadata: {},
          spec: {
            containers: [{ name: "trainer", image: "registry.example/trainer:1" }],
            restartPolicy: "Never",
          },
        },
      },
    },
    tweak,
  );
}

/** A Job whose pod template exports what `makeExport` says. */
export function makeExportingJob(tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return makeJob((job) => {
    job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };
    tweak(job);
  });
}

/** A stored, running Job that exports, held by our finalizer. */
export function makeHeldJob(tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return makeExportingJob((job) => {
    job.metadata.uid = JOB_UID;
    job.metadata.labels = { [LABELS.export]: "true" };
    job.metadata.finalizers = [FINALIZERS.export];
    tweak(job);
  });
}
