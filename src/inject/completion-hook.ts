import { ANNOTATIONS, FINALIZERS, GATES, LABELS, type ExportIntent } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { sizeOf, writerName } from "../jobs/writer.ts";
import { ENV } from "./env.ts";
import type { ContainerRef, PodDraft } from "./pod-draft.ts";

/** Volume that the pod's model is written to. */
export const EXPORT_VOLUME = "kubedl-export";

/** Room that a pod whose model is not kept has to write it. */
const SCRATCH_LIMIT = "10Gi";

/**
 * What is said of a job of several pods of which one writes; undefined for others. `storage` is the type that has room for one
 * writer, where it is to be told.
 */
export function writerSubset(
  { job, kind }: OwningJob,
  { writers }: Pick<ExportIntent, "writers">,
  storage?: string,
): string | undefined {
  const pods = sizeOf(kind, job);
  if (pods <= 1 || writers === "all") return undefined;
  const why = [writerName(kind, job), ...(storage === undefined ? [] : [storage])].join(", ");
  return `1 of ${pods} pods writes the model (${why}); what the others write to the same path is dropped, and may be no more than ${SCRATCH_LIMIT}`;
}

/** Where the model of a training pod goes. */
export interface ExportTarget {
  readonly claimName: string;
  readonly subPath?: string | undefined;
  readonly mountPath: string;
  /** False for a replica whose output is dropped: it gets scratch space at the same path, so that the same command runs. */
  readonly isWriter: boolean;
  /** False for a pod with spec.nodeName, which the API server lets no gate hold, and for one whose job has been let go. */
  readonly gated: boolean;
  /** UID of the job; undefined for a pod that is its own job, and has no UID yet. */
  readonly jobUid: string | undefined;
  /** What the pod is told to export, where its annotation does not say it: a binding does, or the annotation was changed. */
  readonly told?: { readonly binding: string | undefined; readonly intent: ExportIntent };
}

/** Mounts the export's storage in every container of a training pod, and holds the pod until the storage is there. */
export function hookExport(draft: PodDraft, target: ExportTarget): void {
  const { claimName, isWriter, jobUid, told } = target;
  draft.addVolume(
    isWriter
      ? { name: EXPORT_VOLUME, persistentVolumeClaim: { claimName } }
      : { name: EXPORT_VOLUME, emptyDir: { sizeLimit: SCRATCH_LIMIT } },
  );
  mountExport(draft, target, draft.containers);
  if (target.gated) draft.addGate(GATES.export);
  draft.setLabel(LABELS.export, "true");
  // Its own job: no other pod is ever held by a finalizer, since controllers and drains wait for pods to go.
  if (jobUid === undefined) draft.addFinalizer(FINALIZERS.export);
  else draft.setLabel(LABELS.jobUid, jobUid);
  if (told !== undefined) draft.setAnnotation(ANNOTATIONS.export, JSON.stringify(told.intent));
  const status = {
    writes: isWriter ? claimName : "scratch",
    ...(told?.binding === undefined ? {} : { binding: told.binding }),
  };
  draft.setAnnotation(ANNOTATIONS.status, JSON.stringify(status));
}

/** Mounts the export's storage in containers of a pod that has the volume. */
export function mountExport(
  draft: PodDraft,
  { mountPath, subPath, isWriter }: ExportTarget,
  containers: readonly ContainerRef[],
): void {
  for (const container of containers) {
    draft.addMount(container, {
      name: EXPORT_VOLUME,
      mountPath,
      ...(isWriter && subPath !== undefined ? { subPath } : {}),
    });
    draft.addEnv(container, { name: ENV.modelPath, value: mountPath });
    draft.addEnv(container, { name: ENV.modelWriter, value: String(isWriter) });
  }
}

/** True for a pod that has this hook already: our volume, with that claim or as scratch space. */
export function hasExportHook(
  pod: Pod,
  { claimName, isWriter }: Pick<ExportTarget, "claimName" | "isWriter">,
): boolean {
  return (pod.spec?.volumes ?? []).some(
    ({ name, persistentVolumeClaim, emptyDir }) =>
      name === EXPORT_VOLUME &&
      (isWriter
        ? persistentVolumeClaim?.claimName === claimName
        : emptyDir?.sizeLimit === SCRATCH_LIMIT),
  );
}
