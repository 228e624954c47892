import type { KubeObject } from "./kube-types.ts";
import type { Reason } from "./reasons.ts";
import type { Rule } from "./rules.ts";

/** Group, version and kind of an object. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** `request` of an AdmissionReview (admission.k8s.io/v1), the fields that decisions read. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: GroupVersionKind;
  readonly subResource?: string | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly userInfo: { readonly username?: string; readonly groups?: readonly string[] };
  readonly object?: KubeObject | null;
  readonly oldObject?: KubeObject | null;
  readonly dryRun?: boolean | undefined;
}

/** One fault of an object. */
export interface Cause {
  /** JSON path of the field, such as `spec.storage`. */
  readonly field: string;
  readonly message: string;
  /** The rule of the table that is broken; absent for what is no rule of one of our kinds, such as a pod's annotations. */
  readonly rule?: Rule;
  /** `FieldValueInvalid` when absent. */
  readonly type?: CauseType;
}

/** Something that is allowed and worth a word to whoever applies it. */
export interface Warning {
  readonly reason: Reason;
  readonly message: string;
}

/** A fault as `metav1.StatusCause` carries it; the reason is a `metav1.CauseType`. */
interface StatusCause {
  readonly reason: CauseType;
  readonly field: string;
  readonly message: string;
}

/** The words of Kubernetes for what is wrong with a field. */
export type CauseType =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueDuplicate";

/** `response` of an AdmissionReview; the patch is base64 of a JSON Patch (RFC 6902). */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patchType?: "JSONPatch";
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly status?: {
    readonly code: number;
    readonly reason: string;
    readonly message: string;
    readonly details?: { readonly causes: readonly StatusCause[] };
  };
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** One operation of a JSON Patch (RFC 6902) that we write. */
export type PatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "test"; readonly path: string; readonly value: unknown };

/** One token of a JSON Pointer, escaped (RFC 6901). */
export function pointerToken(text: string): string {
  return text.replaceAll("~", "~0").replaceAll("/", "~1");
}
