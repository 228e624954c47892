import type { KubeObject } from "../api/kube-types.ts";
import type { ModelBindingStatus } from "../api/modelbinding.ts";
import type { ModelVersionStatus } from "../api/modelversion.ts";
import type { ModelStatus } from "../api/model.ts";
import type { Reason } from "../api/reasons.ts";
import type { PatchOperation } from "../api/review.ts";

/** An object by its type and name. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
}

/**
 * One step that a reconciler wants done. Steps run in order; the first that fails stops the pass, and the next pass starts
 * from what is then observed. A conflict of resourceVersion means "observe again", never an error.
 */
export type Action =
  /** Make the object; one that exists already with the same owner or labels is left as it is. */
  | {
      readonly type: "create";
      readonly object: KubeObject;
      /** What follows instead of the other steps when the API server refuses it; its words are added to the messages of events, and of conditions with reason CreateRefused. */
      readonly refused?: readonly Action[];
      /** The same when it refuses because the namespace is being deleted. */
      readonly namespaceEnds?: readonly Action[];
    }
  /** Delete with the UID, and the resourceVersion, as preconditions where they are given; gone or changed already is done. */
  | {
      readonly type: "delete";
      readonly ref: ObjectRef;
      readonly resourceVersion?: string | undefined;
    }
  /** Replace the status, with resourceVersion as precondition. */
  | {
      readonly type: "status";
      readonly ref: ObjectRef;
      readonly resourceVersion: string;
      readonly status: ModelVersionStatus | ModelStatus | ModelBindingStatus;
    }
  /** JSON Patch to the object's main resource; a failed `test` operation means "observe again". */
  | {
      readonly type: "patch";
      readonly ref: ObjectRef;
      readonly operations: readonly PatchOperation[];
    }
  /** Say it on the object that the user looks at; emitted only when the steps before it succeeded. */
  | {
      readonly type: "event";
      readonly ref: ObjectRef;
      readonly kind: "Normal" | "Warning";
      readonly reason: Reason;
      readonly message: string;
    }
  /** Look again after so many milliseconds, if nothing changes before. */
  | { readonly type: "requeueAfter"; readonly ms: number };

/** A Warning event. */
export function warningOn(ref: ObjectRef, reason: Reason, message: string): Action {
  return { type: "event", ref, kind: "Warning", reason, message };
}

/** The reference of an object. */
export function refOf(object: KubeObject): ObjectRef {
  return {
    apiVersion: object.apiVersion ?? "",
    kind: object.kind ?? "",
    namespace: object.metadata?.namespace,
    name: object.metadata?.name ?? "",
    uid: object.metadata?.uid,
  };
}
