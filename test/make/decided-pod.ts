import type { Decision } from "../../src/admission/decision.ts";
import { decidePod } from "../../src/admission/pod.ts";
import type { Snapshot } from "../../src/admission/snapshot.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import { patched } from "./patched.ts";
import type { MadePod } from "./pod.ts";

/** What is decided on the pod in namespace team-a; throws when the same pod, once it is let in, would be changed again. */
export function decided(pod: MadePod, snapshot: Snapshot): Decision {
  const decision = decidePod("team-a", pod, snapshot);
  if (!decision.allowed) return decision;
  const stored = deepFreeze(patched(pod, decision.operations));
  const again = decidePod("team-a", stored, snapshot);
  if (again.allowed && again.operations.length === 0) return decision;
  throw new Error(`the same again is ${JSON.stringify(again)}`);
}

/** The pod as it is stored; throws when it is denied. */
export function injected(pod: MadePod, snapshot: Snapshot): MadePod {
  const decision = decided(pod, snapshot);
  if (!decision.allowed) throw new Error(decision.message);
  return deepFreeze(patched(pod, decision.operations));
}

/** The reason of a denial, and what it says about each field; empty for a pod that is let in. */
export function faultsOf(pod: MadePod, snapshot: Snapshot): readonly string[] {
  const decision = decided(pod, snapshot);
  if (decision.allowed) return [];
  return [decision.reason, ...decision.causes.map(({ field, message }) => `${field}: ${message}`)];
}
