import { LABELS } from "../../../src/api/annotations.ts";
import type { Job, Pod } from "../../../src/api/kube-types.ts";
import type { Model } from "../../../src/api/model.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import type { Change } from "../../../src/kube/store.ts";
import { describePod, describeVersion, endOf } from "./description.ts";
import { createNotes, type Notes } from "../notes.ts";

/** All that was ever seen of one ModelVersion. */
export interface SeenVersion {
  readonly uid: string;
  readonly name: string;
  readonly model: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** `repository:tag`; empty until its status names it. */
  image: string;
  /** What its status said last. */
  phase: string;
  message: string;
  /** Every digest that its status ever had, oldest first; `none` for one that was there and went. */
  readonly digests: string[];
  /** Its build once succeeded. */
  built: boolean;
  gone: boolean;
}

/** All that was ever seen of one Model. */
export interface SeenModel {
  readonly name: string;
  /** Names of the versions that it ever called its latest, oldest first. */
  readonly named: string[];
  /** What it calls its latest now. */
  latest: NonNullable<Model["status"]>["latestVersion"];
}

/** What is remembered of a build's Job that is there. */
interface SeenJob {
  readonly name: string;
  readonly versionUid: string;
}

/** What is remembered of a build's pod that is there. */
export interface SeenPod extends SeenJob {
  readonly uid: string;
  /** What the command line of each container's process has in it, in the order in which they run. */
  readonly marks: readonly string[];
  readonly deleted: boolean;
}

/** What was seen of a campaign from its start, whatever is still there. */
export interface History extends Pick<Notes, "lines"> {
  readonly versions: ReadonlyMap<string, SeenVersion>;
  readonly models: ReadonlyMap<string, SeenModel>;
  readonly jobs: ReadonlyMap<string, SeenJob>;
  readonly pods: ReadonlyMap<string, SeenPod>;
}

/** Takes what watches report. */
interface Recorder extends History {
  version(change: Change<ModelVersion>): void;
  model(change: Change<Model>): void;
  job(change: Change<Job>): void;
  pod(change: Change<Pod>): void;
}

/** Starts with nothing; `seconds` tells the time since then. */
export function createRecorder(seconds: () => number): Recorder {
  const versions = new Map<string, SeenVersion>();
  const models = new Map<string, SeenModel>();
  const jobs = new Map<string, SeenJob>();
  const pods = new Map<string, SeenPod>();
  const { lines, note } = createNotes(seconds);
  /** What was noted last of an object. */
  const noted = new Map<string, string>();
  const noteChange = (uid: string, name: string, text: string): void => {
    if (noted.get(uid) === text) return;
    noted.set(uid, text);
    note(runOf(name), text);
  };
  const nameOfOwner = (versionUid: string, name: string): string =>
    versions.get(versionUid)?.name ?? name;
  return {
    lines,
    versions,
    models,
    jobs,
    pods,
    version({ type, object }) {
      const { uid = "", name = "", creationTimestamp: createdAt = "" } = object.metadata;
      const { imageBuildPhase = "", image = "", message = "", digest } = object.status ?? {};
      const { modelName: model } = object.spec;
      const seen = versions.get(uid) ?? makeVersion({ uid, name, model, createdAt });
      versions.set(uid, seen);
      seen.phase = imageBuildPhase;
      seen.message = message;
      seen.gone = type === "deleted";
      if (image !== "") seen.image = image;
      seen.built ||= imageBuildPhase === "ImageBuildSucceeded";
      const last = seen.digests.at(-1);
      const recorded = digest ?? (last === undefined ? undefined : "none");
      if (recorded !== undefined && recorded !== last) seen.digests.push(recorded);
      noteChange(uid, name, `${describeVersion(object)}${endOf(type, object)}`);
    },
    model({ type, object }) {
      const { uid = "", name = "" } = object.metadata;
      const seen = models.get(name) ?? { name, named: [], latest: undefined };
      models.set(name, seen);
      seen.latest = type === "deleted" ? undefined : object.status?.latestVersion;
      const version = seen.latest?.modelVersion;
      if (version !== undefined && version !== seen.named.at(-1)) seen.named.push(version);
      noteChange(uid, name, `model ${name} names ${version} (${seen.latest?.digest})`);
    },
    job({ type, object }) {
      const { uid = "", name = "", labels } = object.metadata ?? {};
      const versionUid = labels?.[LABELS.versionUid] ?? "";
      if (type === "deleted") jobs.delete(uid);
      else jobs.set(uid, { name, versionUid });
      const ends = (object.status?.conditions ?? []).map((each) => ` ${each.type}`).join("");
      noteChange(uid, nameOfOwner(versionUid, name), `job ${name}${ends}${endOf(type, object)}`);
    },
    pod({ type, object }) {
      const { uid = "", name = "", labels, deletionTimestamp } = object.metadata ?? {};
      const versionUid = labels?.[LABELS.versionUid] ?? "";
      const deleted = deletionTimestamp !== undefined;
      if (type === "deleted") pods.delete(uid);
      else pods.set(uid, { uid, name, versionUid, deleted, marks: marksOf(object) });
      const text = `pod ${name} ${describePod(object)}${endOf(type, object)}`;
      noteChange(uid, nameOfOwner(versionUid, name), text);
    },
  };
}

/** The build has ended, one way or the other. */
export function isEnded({ phase, gone }: SeenVersion): boolean {
  return gone || phase === "ImageBuildSucceeded" || phase === "ImageBuildFailed";
}

function makeVersion(
  known: Pick<SeenVersion, "uid" | "name" | "model" | "createdAt">,
): SeenVersion {
  return { ...known, image: "", phase: "", message: "", digests: [], built: false, gone: false };
}

function runOf(name: string): string {
  return /^run-\d+/.exec(name)?.[0] ?? name;
}

/** Our programs are told by their first argument, and so is kaniko. */
function marksOf({ spec }: Pod): readonly string[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.map(({ command, args }) => args?.[0] ?? command?.[0] ?? "");
}
