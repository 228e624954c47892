import type { Condition } from "../api/conditions.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { ApiError, isForbidden, isInvalid } from "../kube/errors.ts";
import type { Action } from "../reconcile/action.ts";

/** Cause that the admission plugin NamespaceLifecycle gives. */
const NAMESPACE_ENDS = "NamespaceTerminating";

/** True when the API server understood, and said no: a quota, a policy, a rule of the kind, a namespace that ends. */
export function isRefusal(error: unknown): error is ApiError {
  return (
    isForbidden(error) || isInvalid(error) || (error instanceof ApiError && error.status === 400)
  );
}

/** What the reconciler wants done instead of a creation, with the refusal in the messages that tell of it; undefined when it does not say. */
export function insteadOf(
  { refused, namespaceEnds }: Extract<Action, { type: "create" }>,
  refusal: ApiError,
): readonly Action[] | undefined {
  const ends = (refusal.details.causes ?? []).some(({ reason }) => reason === NAMESPACE_ENDS);
  const actions = ends ? (namespaceEnds ?? refused) : refused;
  return actions?.map((action) => explained(action, refusal));
}

/** Tells the owners of an object that it is refused. */
export function tellOwners({ kind, metadata }: KubeObject, refusal: ApiError): readonly Action[] {
  const { namespace, name, ownerReferences = [] } = metadata ?? {};
  return ownerReferences.map((owner) => ({
    type: "event",
    ref: {
      apiVersion: owner.apiVersion,
      kind: owner.kind,
      namespace,
      name: owner.name,
      uid: owner.uid,
    },
    kind: "Warning",
    reason: "CreateRefused",
    message: `${kind} ${name} is refused; it is tried again: ${refusal.message}`,
  }));
}

function explained(action: Action, { message }: ApiError): Action {
  if (action.type === "event") return { ...action, message: `${action.message}: ${message}` };
  if (action.type !== "status") return action;
  const { status } = action;
  if (status.conditions?.some(isOfRefusal) !== true) return action;
  const conditions = status.conditions.map((condition) =>
    isOfRefusal(condition)
      ? { ...condition, message: `${condition.message}: ${message}` }
      : condition,
  );
  const summary = "message" in status ? { message: `${status.message}: ${message}` } : {};
  return { ...action, status: { ...status, ...summary, conditions } };
}

function isOfRefusal({ reason }: Condition): boolean {
  return reason === "CreateRefused";
}
