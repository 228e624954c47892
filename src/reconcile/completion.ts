import { FINALIZERS, LABELS, VERSION_ANNOTATIONS, type ExportIntent } from "../api/annotations.ts";
import type {
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../api/kube-types.ts";
import { exportRecordOf } from "../api/export-record.ts";
import { withoutFinalizer } from "../api/finalizer.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { exportedVersionNames } from "../api/names.ts";
import type { Reason } from "../api/reasons.ts";
import { parseTime } from "../api/time.ts";
import { BARE_POD } from "../jobs/kinds.ts";
import { controllerOf } from "../jobs/owner.ts";
import { outcomeOf, timesOf } from "../jobs/outcome.ts";
import { completedWithoutWriter } from "../jobs/writer.ts";
import { trainingClaim, trainingStorage } from "../storage/training-volume.ts";
import { refOf, type Action } from "./action.ts";
import { reconcilePreflight, type PreflightObserved } from "./preflight.ts";
import { exportIntentOf, exportingJobOf, isHeld } from "./exporting-job.ts";
import { isWriter } from "./location.ts";

/** A job with the label `export`, and what came of it so far. */
export interface CompletionObserved extends PreflightObserved {
  /** Pods of the job that are still there. */
  readonly pods: readonly Pod[];
  /** Volume and claim that we made for the job's pods, while they exist. */
  readonly volume: PersistentVolume | undefined;
  readonly claim: PersistentVolumeClaim | undefined;
  /** Versions of the namespace: those of this job by label, and those that hold a name it could take. */
  readonly versions: readonly ModelVersion[];
}

/** How soon a ModelVersion that the API server refused is tried again. */
const RETRY_MS = 30_000;

/** How long a deleted job is kept for a ModelVersion that the API server refuses. */
const LAST_RETRY_MS = 600_000;

/**
 * Turns the success of a job into one ModelVersion. The finalizer goes last and is the commit point: before it the pass is
 * repeated until the version exists, which a finalizer of its own keeps to be seen until then, so that one that a user deletes is
 * never made again. It goes in a pass that sees the version, so that at every moment the job or the version has the location, and
 * no other job comes in between.
 */
export function reconcileCompletion(observed: CompletionObserved): readonly Action[] {
  const { job, kind } = observed;
  if (!isHeld(job)) return [];
  const intent = exportIntentOf(observed);
  const release: readonly Action[] = [
    ...dropStorage(observed),
    { type: "patch", ref: refOf(job), operations: withoutFinalizer(job, FINALIZERS.export) },
  ];
  const skip = (message: string): readonly Action[] => [
    event(job, "Warning", "ExportSkipped", message),
    ...release,
  ];
  if (kind === BARE_POD && controllerOf(job) !== undefined) {
    return skip(
      "the pod has a controller now, whose job would export; its own model is not exported",
    );
  }
  const outcome = outcomeOf(kind, job);
  if (outcome === "failed") return skip("the job failed; its model is not exported");
  if (outcome === "running") {
    if (job.metadata?.deletionTimestamp === undefined) {
      return intent === undefined ? [] : reconcilePreflight(observed, intent);
    }
    return skip("the job was deleted before it succeeded; its model is not exported");
  }
  if (intent === undefined) {
    return skip("the job's export annotation can not be read; its model is not exported");
  }
  const record = exportRecordOf(job);
  if (record !== undefined && record.claim !== trainingClaim(intent, exportingJobOf(observed))) {
    return skip(
      `what the job exports was changed while it ran: its pods wrote to the claim ${record.claim}; its model is not exported`,
    );
  }
  const completed = completedWithoutWriter(job);
  if (intent.writers !== "all" && completed !== undefined) {
    const message = `the job succeeded without its completion index 0, which writes the model (completed: ${completed}); its model is not exported`;
    return skip(message);
  }
  const { versions } = observed;
  const uid = job.metadata?.uid ?? "";
  if (versions.some(({ metadata }) => metadata.labels?.[LABELS.jobUid] === uid)) return release;
  const taken = new Set(versions.map(({ metadata }) => metadata.name));
  const names = exportedVersionNames(intent.modelName, uid);
  const name = names.find((each) => !taken.has(each));
  if (name === undefined) {
    // 32 hex digits of a UID: another version of that name can only be one that somebody made by hand.
    return skip(
      `every name that the version could have is taken (${names.join(", ")}); its model is not exported`,
    );
  }
  const refused: readonly Action[] = isGivenUp(observed)
    ? skip("the job was deleted, and its ModelVersion is still refused; its model is not exported")
    : [
        event(
          job,
          "Warning",
          "CreateRefused",
          `ModelVersion ${name} is refused; it is tried again`,
        ),
        { type: "requeueAfter", ms: RETRY_MS },
      ];
  const namespaceEnds = skip("the namespace is being deleted; its model is not exported");
  const object = versionOf(observed, name, intent);
  return [
    { type: "create", object, refused, namespaceEnds },
    event(job, "Normal", "Exported", `the model is ModelVersion ${name}`),
  ];
}

function isGivenUp({ job, now }: CompletionObserved): boolean {
  const { deletionTimestamp } = job.metadata ?? {};
  return deletionTimestamp !== undefined && now - parseTime(deletionTimestamp) > LAST_RETRY_MS;
}

function versionOf(observed: CompletionObserved, name: string, intent: ExportIntent): ModelVersion {
  const { job } = observed;
  const uid = job.metadata?.uid ?? "";
  const { storage } = trainingStorage(intent, exportingJobOf(observed));
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: {
      name,
      ...(job.metadata?.namespace === undefined ? {} : { namespace: job.metadata.namespace }),
      labels: { [LABELS.jobUid]: uid, [LABELS.modelName]: intent.modelName },
      // Off again when the job is let go: a version that is deleted before must stay to be seen.
      finalizers: [FINALIZERS.export],
      annotations: provenance(observed),
    },
    spec: {
      modelName: intent.modelName,
      createdBy: intent.createdBy ?? `${job.kind}/${job.metadata?.name}`,
      imageRepo: intent.imageRepo,
      ...(intent.imageTag === undefined ? {} : { imageTag: intent.imageTag }),
      storage,
      ...(intent.builder === undefined ? {} : { builder: intent.builder }),
    },
  };
}

/** From the pod that wrote while it is there, else from what was noted of it. */
function provenance({ job, kind, pods }: CompletionObserved): Readonly<Record<string, string>> {
  const writers = pods.filter(isWriter);
  const record = exportRecordOf(job);
  const writer =
    writers.find(({ status }) => status?.phase === "Succeeded") ??
    writers.find(({ metadata }) => metadata?.name === record?.pod) ??
    (record?.pod === undefined ? writers[0] : undefined);
  const { started, completed } = timesOf(kind, job);
  const entries: Readonly<Record<string, string | undefined>> = {
    [VERSION_ANNOTATIONS.jobUid]: job.metadata?.uid,
    [VERSION_ANNOTATIONS.jobKind]: job.kind,
    [VERSION_ANNOTATIONS.jobName]: job.metadata?.name,
    [VERSION_ANNOTATIONS.pod]: writer?.metadata?.name ?? record?.pod,
    [VERSION_ANNOTATIONS.node]: writer?.spec?.nodeName ?? record?.node,
    [VERSION_ANNOTATIONS.trainingImage]: writer?.spec?.containers[0]?.image ?? record?.image,
    [VERSION_ANNOTATIONS.startedAt]: started,
    [VERSION_ANNOTATIONS.completedAt]: completed ?? endOf(writer),
  };
  return Object.fromEntries(
    Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** When the last container of a pod ended. */
function endOf(pod: Pod | undefined): string | undefined {
  return (pod?.status?.containerStatuses ?? [])
    .flatMap(({ state }) => state?.terminated?.finishedAt ?? [])
    .toSorted()
    .at(-1);
}

/** Only what we made; the data stays, because the volume's reclaim policy is Retain. */
function dropStorage({ claim, volume }: CompletionObserved): readonly Action[] {
  return [claim, volume].flatMap((object) =>
    object === undefined || object.metadata?.deletionTimestamp !== undefined
      ? []
      : [{ type: "delete", ref: refOf(object) }],
  );
}

function event(
  job: KubeObject,
  kind: "Normal" | "Warning",
  reason: Reason,
  message: string,
): Action {
  return { type: "event", ref: refOf(job), kind, reason, message };
}
