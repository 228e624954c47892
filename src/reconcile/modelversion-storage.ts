import { LABELS } from "../api/annotations.ts";
import type { KubeObject, PersistentVolumeClaim } from "../api/kube-types.ts";
import { buildVolumeName } from "../api/names.ts";
import { controlledBy } from "../api/owner-reference.ts";
import type { Reason } from "../api/reasons.ts";
import { parseTime } from "../api/time.ts";
import type { VolumePlan } from "../storage/provider.ts";
import { refOf, type Action } from "./action.ts";
import { storageFaults, versionStorage } from "./modelversion-spec.ts";
import { withStorage } from "./modelversion-status.ts";
import { createOrSay } from "./modelversion-steps.ts";
import { references, type ModelVersionObserved } from "./observed.ts";

/** How the storage of a version stands. */
export type StorageState =
  /** Pods can mount it; a claim that waits for its first consumer is not bound yet. */
  | { readonly state: "ready"; readonly plan: VolumePlan; readonly bound: boolean }
  /** Something has to be made, or to happen; the message is absent while that is only a matter of seconds. */
  | { readonly state: "waiting"; readonly actions: readonly Action[]; readonly message?: string }
  | { readonly state: "refused"; readonly reason: Reason; readonly message: string };

/** How long a claim of ours may take to be bound before that is worth a word. */
const BINDING_MS = 10_000;

/** Looks at the storage, and says what it takes to mount it. The objects it makes carry the version's UID as label. */
export function prepareStorage(observed: ModelVersionObserved): StorageState {
  const { version, limits, hostname } = observed;
  const { uid = "", namespace = "" } = version.metadata;
  const storage = versionStorage(version);
  if (storage === undefined) {
    return {
      state: "refused",
      reason: "InvalidObject",
      message: storageFaults(version).join("; "),
    };
  }
  const faults = storage.validate("spec.storage", limits);
  if (faults.length > 0) {
    const message = faults.map((fault) => `${fault.field}: ${fault.message}`).join("; ");
    const reason = storage.type === "localStorage" ? "PathNotAllowed" : "InvalidObject";
    return { state: "refused", reason, message };
  }
  const plan = storage.plan({
    name: buildVolumeName(uid),
    namespace,
    labels: { [LABELS.versionUid]: uid },
    limits,
    hostname,
  });
  if (plan.make === undefined) return userClaim(observed, plan);
  if (storage.nodeName !== undefined && hostname === undefined) {
    return waiting(`node ${storage.nodeName}, which has the data, does not exist`);
  }
  return ourClaim(observed, plan, plan.make);
}

/** Deletes of the volume and claim that were made for the version: also unseen, since a cache may lag behind what was made. */
export function deleteStorage(observed: ModelVersionObserved): readonly Action[] {
  const { version, claim, volume } = observed;
  const { claimName, volumeName } = references(version);
  if (claimName === undefined || volumeName === undefined) return [];
  const { namespace } = version.metadata;
  const objects: readonly KubeObject[] = [
    claim ?? {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: claimName, ...(namespace === undefined ? {} : { namespace }) },
    },
    volume ?? { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: volumeName } },
  ];
  return objects
    .filter((object) => object.metadata?.uid === undefined || isOurs(observed, object))
    .filter((object) => object.metadata?.deletionTimestamp === undefined)
    .map((object) => ({ type: "delete", ref: refOf(object) }));
}

/** It may wait for its first consumer, so anything that a pod could still start with is ready. */
function userClaim({ claim }: ModelVersionObserved, plan: VolumePlan): StorageState {
  if (claim === undefined) return waiting(`claim ${plan.claimName} does not exist`);
  if (claim.metadata?.deletionTimestamp !== undefined) {
    return waiting(`claim ${plan.claimName} is being deleted`);
  }
  const phase = claim.status?.phase;
  if (phase === "Lost") return waiting(`claim ${plan.claimName} has lost its volume`);
  return { state: "ready", plan, bound: phase === "Bound" };
}

function ourClaim(
  observed: ModelVersionObserved,
  plan: VolumePlan,
  make: NonNullable<VolumePlan["make"]>,
): StorageState {
  const { version, claim, volume, now } = observed;
  const foreign = [claim, volume].find(
    (object) => object !== undefined && !isOurs(observed, object),
  );
  if (foreign !== undefined) {
    return waiting(
      `${foreign.kind} ${plan.claimName} exists, but it was not made for this version`,
    );
  }
  // Neither binds again to another object of the same name: both are made anew.
  const spent = [
    ...(volume?.status?.phase === "Released" || volume?.status?.phase === "Failed" ? [volume] : []),
    ...(claim?.status?.phase === "Lost" ? [claim] : []),
  ];
  const leaving = [claim, volume].some(
    (object) => object?.metadata?.deletionTimestamp !== undefined,
  );
  if (spent.length > 0 || leaving) {
    const actions = spent
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map((object): Action => ({ type: "delete", ref: refOf(object) }));
    return { state: "waiting", actions };
  }
  const missing: readonly KubeObject[] = [
    ...(volume === undefined ? [make.volume] : []),
    ...(claim === undefined ? [ownedClaim(make.claim, observed)] : []),
  ];
  if (missing.length > 0) {
    return {
      state: "waiting",
      actions: missing.map((object) =>
        createOrSay(observed, object, (message) => ({
          ...withStorage(observed, version.status ?? {}, "CreateRefused", message),
          message: `CreateRefused: ${message}`,
        })),
      ),
    };
  }
  const phase = claim?.status?.phase;
  if (phase === "Bound") return { state: "ready", plan, bound: true };
  const created = parseTime(claim?.metadata?.creationTimestamp ?? "");
  if (now - created < BINDING_MS) return { state: "waiting", actions: [] };
  return waiting(`claim ${plan.claimName} of ${version.metadata.name} is ${phase ?? "not bound"}`);
}

/** The volume can have no owner in a namespace: it goes by the version's finalizer. */
function ownedClaim(
  claim: PersistentVolumeClaim,
  { version }: ModelVersionObserved,
): PersistentVolumeClaim {
  return { ...claim, metadata: { ...claim.metadata, ownerReferences: [controlledBy(version)] } };
}

function isOurs({ version }: ModelVersionObserved, object: KubeObject): boolean {
  return object.metadata?.labels?.[LABELS.versionUid] === version.metadata.uid;
}

function waiting(message: string): StorageState {
  return { state: "waiting", actions: [], message };
}
