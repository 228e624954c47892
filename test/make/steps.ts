import type { KubeObject } from "../../src/api/kube-types.ts";
import type { Action } from "../../src/reconcile/action.ts";
import { patched } from "./patched.ts";

/** Actions in short: what is made or changed, and which event is emitted. */
export function stepsOf(actions: readonly Action[]): readonly string[] {
  return actions.map((action) => {
    switch (action.type) {
      case "create":
        return `create ${action.object.kind}`;
      case "event":
        return `${action.kind} ${action.reason} on ${action.ref.kind}`;
      case "patch":
      case "status":
      case "delete":
        return `${action.type} ${action.ref.kind}`;
      case "requeueAfter":
        return `again after ${action.ms} ms`;
    }
  });
}

/** What the first event says. */
export function messageOf(actions: readonly Action[]): string | undefined {
  return actions.find((action) => action.type === "event")?.message;
}

/** The object after all patches of its kind; throws when one does not fit. */
export function afterPatches<T extends KubeObject>(object: T, actions: readonly Action[]): T {
  return actions.reduce(
    (before, action) =>
      action.type === "patch" && action.ref.kind === object.kind
        ? patched(before, action.operations)
        : before,
    object,
  );
}
