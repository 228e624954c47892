import type { Reason } from "../api/reasons.ts";
import type { Cause, PatchOperation, Warning } from "../api/review.ts";

/** As many faults as one answer names: an object of 3 MB can have a hundred thousand. */
const MAX_CAUSES = 100;

/** What admission answers, and the facts that the shell counts and logs. */
export type Decision = Allowed | Denied;

interface Allowed {
  readonly allowed: true;
  readonly reason: Reason;
  /** JSON Patch to the object; empty when nothing changes. */
  readonly operations: readonly PatchOperation[];
  readonly warnings: readonly Warning[];
}

interface Denied {
  readonly allowed: false;
  readonly reason: Reason;
  /** The whole text that the user reads. */
  readonly message: string;
  /** Every fault with its field; empty when the message says it all. */
  readonly causes: readonly Cause[];
  readonly warnings: readonly Warning[];
}

/** Allowed as it is. */
export function allow(reason: Reason, warnings: readonly Warning[] = []): Decision {
  return { allowed: true, reason, operations: [], warnings };
}

/** Allowed with a patch. */
export function patch(
  reason: Reason,
  operations: readonly PatchOperation[],
  warnings: readonly Warning[] = [],
): Decision {
  return { allowed: true, reason, operations, warnings };
}

/** Denied, every fault named in one answer, as far as somebody can read them all. */
export function deny(
  reason: Reason,
  faults: readonly Cause[],
  warnings: readonly Warning[] = [],
): Decision {
  const causes = faults.slice(0, MAX_CAUSES);
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const more = faults.length - causes.length;
  const message = [...texts, ...(more === 0 ? [] : [`and ${more} more faults`])].join("; ");
  return { allowed: false, reason, message, causes, warnings };
}
