import type { BuiltImage } from "../api/build-report.ts";
import type { Job, KubeObject, Pod } from "../api/kube-types.ts";
import type { Engine, ModelVersion } from "../api/modelversion.ts";
import type { Reason } from "../api/reasons.ts";
import type { VolumePlan } from "../storage/provider.ts";

/** The administrator's choices for builds. */
export interface BuildSettings {
  /** Our own image: the direct engine; with kaniko it stages the model before the build and verifies the image after it. */
  readonly modelhookImage: string;
  readonly kanikoImage: string;
  /** What builds a version that names no engine. */
  readonly engine: Engine;
  /** Image below the model where the version names none. Without a shell its models can not be copied by their own image. */
  readonly baseImage: string;
  /** Other images that a version may name. */
  readonly allowedBaseImages: readonly string[];
  /** Most that a container of a build may get, and its limit where the version names none; no ceiling for what is absent. */
  readonly maxResources: Readonly<Record<string, string>>;
  /** What kaniko's container requests of its node's disk where the version says nothing of it; nothing when 0. */
  readonly ephemeralStorage: string;
  /** Registry hosts (with port) that may be reached by plain HTTP or with an unknown certificate. */
  readonly insecureRegistries: readonly string[];
  /** Certificates of authorities that registries are trusted by, besides those that everybody knows (PEM); empty for none. */
  readonly registryCertificates: string;
  /** Secrets of the version's namespace with which nodes pull the images of build pods, where there are such. */
  readonly imagePullSecrets: readonly string[];
  /** Seconds that one attempt may take. */
  readonly deadlineSeconds: number;
  /** Attempts before a failure that may pass counts as final; causes outside of the build do not count. */
  readonly maxAttempts: number;
}

/** One attempt at a build. */
export interface BuildRequest {
  readonly version: ModelVersion;
  /** Repository and tag to push to. */
  readonly imageRepo: string;
  readonly imageTag: string;
  /** Counts from 1 over the life of the version; numbers the Job. */
  readonly attempt: number;
  readonly volume: VolumePlan;
  /** `repository@digest` of the model's latest version, whose layers may be the same; absent when it has none. */
  readonly previous: string | undefined;
  /** Node that holds the storage, if only one does. */
  readonly nodeName: string | undefined;
  readonly settings: BuildSettings;
}

/** What an attempt needs, or why it is not even begun. */
export type BuildPlan =
  /** The Job last; all named from the version's UID and owned by it. */
  | { readonly state: "ready"; readonly objects: readonly KubeObject[] }
  | { readonly state: "refused"; readonly reason: Reason; readonly message: string };

/** How an attempt stands. */
export type BuildOutcome =
  /** The message says what it waits for, when that is known. */
  | { readonly state: "running"; readonly message?: string }
  | { readonly state: "succeeded"; readonly image: BuiltImage }
  | BuildFailure;

/**
 * What another attempt is worth: nothing; a few tries, since the cause lies in the build and may pass; or as many as it takes,
 * since the cause lies outside of the build, and the build would succeed without it.
 */
export type Retry = "never" | "few" | "endless";

/** An attempt that is over, without an image. */
export interface BuildFailure {
  readonly state: "failed";
  readonly reason: Reason;
  readonly message: string;
  readonly retry: Retry;
}

/** An event (core/v1) as far as it is read. */
export interface ObservedEvent {
  readonly reason: string;
  readonly message: string;
}

/** What is seen of an attempt. */
export interface BuildObserved {
  readonly now: number;
  readonly job: Job;
  /** Pods of the Job, newest first. */
  readonly pods: readonly Pod[];
  /** Events of the Job and its newest pod, by their UIDs, oldest first; read only until a container has started. */
  readonly events: readonly ObservedEvent[];
}

/** All engines, by their names. */
export type Builders = Readonly<Record<Engine, Builder>>;

/** An engine that turns a directory into an image. */
export interface Builder {
  /** Objects of one attempt. */
  plan(request: BuildRequest): BuildPlan;
  /** Reads the attempt's outcome from its Job and pods. */
  outcome(observed: BuildObserved): BuildOutcome;
}
