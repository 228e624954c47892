import { FINALIZERS, LABELS } from "../../../src/api/annotations.ts";
import type { Job, KubeObject, Pod } from "../../../src/api/kube-types.ts";
import type { Change } from "../../../src/kube/store.ts";
import { createNotes, type Notes } from "../notes.ts";
import { RUN_LABEL } from "./training-job.ts";

/** All that was ever seen of one job. */
export interface SeenJob {
  readonly uid: string;
  readonly name: string;
  /** It once had the condition Complete. */
  succeeded: boolean;
  failed: boolean;
  /** Somebody asked for its deletion; `deletedFirst`: before it was seen to be complete. */
  deleted: boolean;
  deletedFirst: boolean;
  /** It carries our finalizer now. */
  held: boolean;
  gone: boolean;
}

/** All that was ever seen of one ModelVersion. */
export interface SeenVersion {
  readonly uid: string;
  readonly name: string;
  /** By its label; empty without one. */
  readonly jobUid: string;
  gone: boolean;
}

/** What is remembered of a pod that is there. */
export interface SeenPod {
  readonly name: string;
  readonly jobUid: string;
  readonly phase: string;
  readonly deleted: boolean;
}

/** What was seen of a campaign from its start, whatever is still there. */
export interface History extends Pick<Notes, "lines"> {
  readonly jobs: ReadonlyMap<string, SeenJob>;
  readonly versions: ReadonlyMap<string, SeenVersion>;
  readonly pods: ReadonlyMap<string, SeenPod>;
}

/** Takes what watches report. */
export interface Recorder extends History {
  job(change: Change<Job>): void;
  version(change: Change<KubeObject>): void;
  pod(change: Change<Pod>): void;
  /** Kubernetes' own Event on a job, which outlives it: says of which UID that it completed. */
  completedEvent(jobUid: string): void;
}

/** Starts with nothing; `seconds` tells the time since then. */
export function createRecorder(seconds: () => number): Recorder {
  const jobs = new Map<string, SeenJob>();
  const versions = new Map<string, SeenVersion>();
  const pods = new Map<string, SeenPod>();
  const completed = new Set<string>();
  const { lines, note } = createNotes(seconds);
  return {
    jobs,
    versions,
    pods,
    lines,
    job({ type, object }) {
      const { uid = "", name = "", deletionTimestamp, finalizers } = object.metadata ?? {};
      const seen = jobs.get(uid) ?? {
        uid,
        name,
        succeeded: false,
        failed: false,
        deleted: false,
        deletedFirst: false,
        held: false,
        gone: false,
      };
      const before = describeJob(seen);
      jobs.set(uid, seen);
      seen.succeeded ||= has(object, "Complete") || completed.has(uid);
      seen.failed ||= has(object, "Failed");
      seen.deleted ||= deletionTimestamp !== undefined;
      seen.deletedFirst ||= seen.deleted && !seen.succeeded;
      seen.held = type !== "deleted" && finalizers?.includes(FINALIZERS.export) === true;
      seen.gone = type === "deleted";
      if (describeJob(seen) !== before) note(name, `job ${uid} ${describeJob(seen)}`);
    },
    version({ type, object }) {
      const { uid = "", name = "", labels } = object.metadata ?? {};
      const jobUid = labels?.[LABELS.jobUid] ?? "";
      const seen = versions.get(uid) ?? { uid, name, jobUid, gone: false };
      if (versions.has(uid) === false || (type === "deleted" && !seen.gone)) {
        const verb = type === "deleted" ? "gone" : "there";
        note(jobs.get(jobUid)?.name ?? name, `version ${name} (${uid}) of job ${jobUid} ${verb}`);
      }
      seen.gone ||= type === "deleted";
      versions.set(uid, seen);
    },
    pod({ type, object }) {
      const {
        uid = "",
        name = "",
        labels,
        deletionTimestamp,
        ownerReferences,
      } = object.metadata ?? {};
      const phase = object.status?.phase ?? "";
      const before = pods.get(uid);
      const jobUid = ownerReferences?.[0]?.uid ?? "";
      const deleted = deletionTimestamp !== undefined;
      if (type === "deleted") pods.delete(uid);
      else pods.set(uid, { name, jobUid, phase, deleted });
      if (type === "deleted" || before?.phase !== phase || before.deleted !== deleted) {
        const end = type === "deleted" ? " gone" : deleted ? " deleted" : "";
        note(labels?.[RUN_LABEL] ?? name, `pod ${name} ${phase}${end}`);
      }
    },
    completedEvent(jobUid) {
      completed.add(jobUid);
      const seen = jobs.get(jobUid);
      if (seen === undefined || seen.succeeded) return;
      seen.succeeded = true;
      note(seen.name, `job ${jobUid} completed, says its Event`);
    },
  };
}

/** The job's fate is decided, and we have let it go. */
export function isOver(job: SeenJob): boolean {
  return job.gone || ((job.succeeded || job.failed) && !job.held);
}

/** A job in a few words. */
export function describeJob(job: SeenJob): string {
  const words = ["held", "succeeded", "failed", "deletedFirst", "deleted", "gone"] as const;
  return words.filter((word) => job[word]).join(" ") || "there";
}

function has({ status }: Job, type: string): boolean {
  return (status?.conditions ?? []).some((each) => each.type === type && each.status === "True");
}
