import { FINALIZERS, LABELS } from "../api/annotations.ts";
import { setEntry } from "../api/entry-patch.ts";
import { hasFinalizer } from "../api/finalizer.ts";
import type { OwnerReference } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { PatchOperation } from "../api/review.ts";
import { modelNameOf } from "../api/stored-spec.ts";
import { refOf, type Action } from "./action.ts";
import { references, type ModelVersionObserved } from "./observed.ts";

/** One patch of what a version carries for us: label, finalizer, and no owner that is a Model; empty when all is as it should be. */
export function repair(
  { version }: ModelVersionObserved,
  finalizer: "add" | "remove" | "keep",
): readonly Action[] {
  const operations = [
    ...labelOperations(version),
    ...finalizerOperations(version, finalizer),
    ...ownerOperations(version),
  ];
  if (operations.length === 0) return [];
  const unchanged: PatchOperation = {
    op: "test",
    path: "/metadata/resourceVersion",
    value: version.metadata.resourceVersion,
  };
  return [{ type: "patch", ref: refOf(version), operations: [unchanged, ...operations] }];
}

/** True for a version that is deleted and still there only for what we made for it. */
export function isLeaving(version: ModelVersion): boolean {
  return (
    version.metadata.deletionTimestamp !== undefined && hasFinalizer(version, FINALIZERS.volume)
  );
}

/** A volume is not of any namespace, so nothing but a finalizer sees that it goes with its version. */
export function needsFinalizer(version: ModelVersion): boolean {
  return references(version).volumeName !== undefined;
}

function labelOperations(version: ModelVersion): readonly PatchOperation[] {
  const { labels } = version.metadata;
  const value = modelNameOf(version);
  return value === undefined ? [] : setEntry("/metadata/labels", labels, LABELS.modelName, value);
}

function finalizerOperations(
  version: ModelVersion,
  change: "add" | "remove" | "keep",
): readonly PatchOperation[] {
  const finalizers = version.metadata.finalizers ?? [];
  const index = finalizers.indexOf(FINALIZERS.volume);
  if (change === "add" && index === -1) {
    return finalizers.length === 0
      ? [{ op: "add", path: "/metadata/finalizers", value: [FINALIZERS.volume] }]
      : [{ op: "add", path: "/metadata/finalizers/-", value: FINALIZERS.volume }];
  }
  if (change === "remove" && index !== -1) {
    return [{ op: "remove", path: `/metadata/finalizers/${index}` }];
  }
  return [];
}

/**
 * KubeDL makes the Model the owner of its versions, so that whoever deletes a Model would have the garbage collector delete every
 * version of it, images and all that is served from them. Last to first, since each removal moves those behind it.
 */
function ownerOperations({ metadata, apiVersion }: ModelVersion): readonly PatchOperation[] {
  return (metadata.ownerReferences ?? [])
    .map((owner, index) => ({ owner, path: `/metadata/ownerReferences/${index}` }))
    .filter(({ owner }) => isModel(owner, apiVersion))
    .toReversed()
    .flatMap(({ owner, path }): readonly PatchOperation[] => [
      { op: "test", path: `${path}/uid`, value: owner.uid },
      { op: "remove", path },
    ]);
}

function isModel({ kind, apiVersion }: OwnerReference, own: string | undefined): boolean {
  return kind === "Model" && apiVersion === own;
}
