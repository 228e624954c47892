import { references } from "../../src/admission/decide.ts";
import type { Snapshot } from "../../src/admission/snapshot.ts";
import type { AdmissionRequest } from "../../src/api/review.ts";

/** UID of a review: which one it is, and which of the snapshots it meets. */
export function uidOf(index: number, snapshot: number): string {
  return `${padded(index, 8)}-0000-4000-8000-${padded(snapshot, 12)}`;
}

/** Which review has the UID; undefined for one that the mutations took from it. */
export function indexOf(uid: unknown): number | undefined {
  return typeof uid === "string" && /^\d{8,}-0000-4000-8000-\d{12}$/.test(uid)
    ? Number(uid.split("-")[0])
    : undefined;
}

/**
 * Answers with the snapshot that the UID of a request names, less what nobody would have read for this request. Asks what the
 * request refers to first, as one must.
 */
export function gatherFrom(
  snapshots: readonly Snapshot[],
): (request: AdmissionRequest) => Promise<Snapshot> {
  return async (request) => {
    const named = indexOf(request.uid) === undefined ? 0 : Number(request.uid.slice(-12));
    const whole = snapshots[named] ?? snapshots[0];
    if (whole === undefined) throw new Error("there is no snapshot");
    const { image, model, use: isUseRead } = references(request, whole.bindings);
    const { imageRivals, versionsOfModel, use, ...snapshot } = whole;
    return {
      ...snapshot,
      imageRivals: image === undefined ? [] : imageRivals,
      ...(model === undefined || versionsOfModel === undefined ? {} : { versionsOfModel }),
      ...(isUseRead !== true || use === undefined ? {} : { use }),
    };
  };
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}
