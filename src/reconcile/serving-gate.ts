import { ANNOTATIONS, GATES, LABELS } from "../api/annotations.ts";
import { ZERO_DIGEST } from "../api/image-ref.ts";
import type { Pod } from "../api/kube-types.ts";
import { hasNoShell } from "../api/modelversion.ts";
import { pointerToken, type PatchOperation } from "../api/review.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { wantedText } from "../api/wanted.ts";
import { loadersOf, type FoundLoader } from "../inject/init-container.ts";
import { builtImage, resolve, type Known, type Resolved } from "../inject/resolution.ts";
import { STATUS_PATH, printStatus, type ServingStatus } from "../inject/serving-status.ts";
import { statusOf } from "../inject/waiting.ts";
import { controllerOf } from "../jobs/owner.ts";
import { refOf, warningOn, type Action, type ObjectRef } from "./action.ts";

/** A pod with the label `gated`, and what is known of what it waits for. */
export interface GatedPodObserved {
  readonly pod: Pod;
  readonly known: Known;
}

/** A loader that waits for its image. */
interface Pending {
  readonly loader: FoundLoader;
  /** What it waits for, as sentences name it. */
  readonly what: string;
  readonly resolved: Resolved;
}

const SPOILT = `waits, but nobody knows for what: its annotation ${ANNOTATIONS.status} was changed; delete the pod, so that its controller makes it anew`;

type Built = Extract<Resolved, { state: "built" }>;

/**
 * Lifts the gate of a serving pod once all its models are built, and sets their digests in the same patch, so that no half of it is
 * ever seen. A failed build is said on the pod and on its owner; the pod stays gated.
 */
export function reconcileGatedPod({ pod, known }: GatedPodObserved): readonly Action[] {
  if (pod.metadata?.deletionTimestamp !== undefined) return [];
  const gate = (pod.spec?.schedulingGates ?? []).findIndex(({ name }) => name === GATES.build);
  const loaders = loadersOf(pod);
  if (gate === -1 || loaders.length === 0) return dropLabel(pod);
  const status = statusOf(pod);
  const waiting = loaders.filter(
    ({ container, model }) =>
      status.models[model]?.digest === undefined || container.image?.endsWith(ZERO_DIGEST),
  );
  const pending = waiting.flatMap((loader): Pending[] => {
    const wanted = status.models[loader.model]?.wanted;
    if (wanted === undefined) return [];
    return [{ loader, what: wantedText(wanted), resolved: resolve(wanted, known) }];
  });
  if (pending.length < waiting.length) return [warningOn(refOf(pod), "InvalidAnnotation", SPOILT)];
  const hindered = pending.flatMap((each) => hindrances(pod, each));
  const built = pending.filter(isBuilt);
  if (built.length < pending.length || hindered.length > 0) return hindered;
  return [
    { type: "patch", ref: refOf(pod), operations: lift(pod, gate, built, status) },
    ...built.map(({ what, resolved }): Action => {
      const message = `${what} is built: ${builtImage(resolved)}`;
      return { type: "event", ref: refOf(pod), kind: "Normal", reason: "ModelReady", message };
    }),
    ...built.flatMap(({ resolved }) => missingSecret(pod, resolved)),
  ];
}

function isBuilt(each: Pending): each is Pending & { readonly resolved: Built } {
  return each.resolved.state === "built";
}

/** What is said, for as long as it holds, of a model that is not on its way. */
function hindrances(pod: Pod, { resolved }: Pending): readonly Action[] {
  if (resolved.state === "failed") {
    const owner = controllerOf(pod);
    const refs = [refOf(pod), ...(owner === undefined ? [] : [ownerRef(owner, pod)])];
    return refs.map((ref) => warningOn(ref, "ModelBuildFailed", `waits, but ${resolved.message}`));
  }
  if (resolved.state === "waiting") {
    const { reason, message, version } = resolved;
    const isComing =
      reason === "ModelNotBuilt" && version?.status?.imageBuildPhase !== "ImageBuildSucceeded";
    return isComing ? [] : [warningOn(refOf(pod), reason, `waits: ${message}`)];
  }
  if (!hasNoShell(resolved.version)) return [];
  const message = `waits, but the image of ModelVersion ${resolved.name} has no shell to copy its model with; delete the pod, so that its controller makes one that mounts the image`;
  return [warningOn(refOf(pod), "NoShell", message)];
}

/** Only its images can be changed, so a Secret that was not known of when the pod was made can not be added. */
function missingSecret(pod: Pod, { version, name }: Built): readonly Action[] {
  const secret = storedSpec(version).builder?.pushSecret?.name;
  const has = (pod.spec?.imagePullSecrets ?? []).some((each) => each.name === secret);
  if (secret === undefined || has) return [];
  const message = `ModelVersion ${name} is pulled with the Secret ${secret}, of which nobody knew when the pod was made; if the image can not be pulled, delete the pod, so that its controller makes it anew`;
  return [warningOn(refOf(pod), "PullSecretMissing", message)];
}

function lift(
  pod: Pod,
  gate: number,
  built: readonly (Pending & { readonly resolved: Built })[],
  status: ServingStatus,
): readonly PatchOperation[] {
  const models = status.models.map((model, index) => {
    const found = built.find(({ loader }) => loader.model === index)?.resolved;
    return found === undefined
      ? model
      : { ...model, modelVersion: found.name, digest: found.digest };
  });
  return [
    { op: "test", path: "/metadata/uid", value: pod.metadata?.uid },
    ...built.flatMap(({ loader, resolved }): PatchOperation[] => {
      const path = `/spec/initContainers/${loader.index}`;
      return [
        { op: "test", path: `${path}/name`, value: loader.container.name },
        { op: "replace", path: `${path}/image`, value: builtImage(resolved) },
      ];
    }),
    { op: "test", path: `/spec/schedulingGates/${gate}/name`, value: GATES.build },
    { op: "remove", path: `/spec/schedulingGates/${gate}` },
    { op: "add", path: STATUS_PATH, value: printStatus({ ...status, models }) },
    ...labelRemoval(pod),
  ];
}

/** The watch selects by this label; a pod without a gate of ours need not be watched. */
function dropLabel(pod: Pod): readonly Action[] {
  const operations = labelRemoval(pod);
  return operations.length === 0 ? [] : [{ type: "patch", ref: refOf(pod), operations }];
}

function labelRemoval(pod: Pod): readonly PatchOperation[] {
  const value = pod.metadata?.labels?.[LABELS.gated];
  if (value === undefined) return [];
  const path = `/metadata/labels/${pointerToken(LABELS.gated)}`;
  return [
    { op: "test", path, value },
    { op: "remove", path },
  ];
}

function ownerRef(owner: NonNullable<ReturnType<typeof controllerOf>>, pod: Pod): ObjectRef {
  const { apiVersion, kind, name, uid } = owner;
  return { apiVersion, kind, name, uid, namespace: pod.metadata?.namespace };
}
