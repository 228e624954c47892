import { GATES } from "../api/annotations.ts";
import { own } from "../api/fields.ts";
import { editsFor, nearest } from "../api/nearest.ts";
import type { Warning } from "../api/review.ts";
import type { Wanted } from "../api/wanted.ts";
import type { Resolved } from "../inject/resolution.ts";
import type { Snapshot } from "./snapshot.ts";

/** Edits within which another name is suggested for one that is unknown. */
const SUGGEST_DISTANCE = 3;

/** What a pod is told that has to wait for a model, with the name that may have been meant. */
export function gateWarning(
  wanted: Wanted,
  { reason, message, unknown }: Extract<Resolved, { state: "waiting" }>,
  snapshot: Snapshot,
): Warning {
  const meant = unknown && nearestName(unknown, namesOf(unknown.kind, wanted, snapshot));
  const suggestion = meant === undefined ? "" : `; did you mean ${meant}?`;
  const waits = `the pod waits behind the scheduling gate ${GATES.build}`;
  return { reason, message: `${message}; ${waits}${suggestion}` };
}

function nearestName({ name }: { name: string }, names: readonly string[]): string | undefined {
  return nearest(name, names, editsFor(name, SUGGEST_DISTANCE));
}

function namesOf(
  kind: "ModelVersion" | "Model" | "alias",
  wanted: Wanted,
  { versionNames, modelNames, models }: Snapshot,
): readonly string[] {
  if (kind === "ModelVersion") return versionNames;
  if (kind === "Model" || !("model" in wanted)) return modelNames;
  return Object.keys(own(models, wanted.model)?.spec?.aliases ?? {});
}
