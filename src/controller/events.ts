import { hashOf } from "../api/names.ts";
import { formatMicroTime } from "../api/time.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { ApiServer } from "../kube/client.ts";
import { isAlreadyExists } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import { create, get, mergePatch } from "../kube/write.ts";
import type { Action } from "../reconcile/action.ts";

type EventAction = Extract<Action, { type: "event" }>;

/** An Event of events.k8s.io/v1, the fields that we write. */
interface KubeEvent extends KubeObject {
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** Longest note of an Event (events.k8s.io/v1), in bytes. */
const MAX_NOTE = 1024;

/** Longest reportingInstance of an Event. */
const MAX_INSTANCE = 128;

/** Who the events come from. */
const REPORTER = "modelhook";

/**
 * Writes an Event on the object that the user looks at. The same words about the same object are one Event with a count, so a
 * pod that waits for a day does not fill the API server.
 */
export async function emitEvent(
  api: ApiServer,
  action: EventAction,
  instance: string,
  now: number,
): Promise<void> {
  const { ref, reason, kind } = action;
  const note = truncate(action.message);
  const namespace = ref.namespace ?? "default";
  const name = `${startOf(ref.name)}.${hashOf([ref.kind, ref.uid ?? "", reason, note], 16)}`;
  const time = formatMicroTime(now);
  const event = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name, namespace },
    action: reason,
    eventTime: time,
    note,
    reason,
    // As it is: kubectl looks for the events of an object without a namespace under no namespace.
    regarding: ref,
    reportingController: REPORTER,
    reportingInstance: instance.slice(0, MAX_INSTANCE),
    type: kind,
  };
  try {
    await create(api, resources.events, event);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const existing = await get<KubeEvent>(api, resources.events, { namespace, name });
    const series = { count: (existing.series?.count ?? 1) + 1, lastObservedTime: time };
    await mergePatch(api, resources.events, { namespace, name }, { series });
  }
}

/** As much of a name as leaves room for the hash, ending so that a dot may follow. */
function startOf(name: string): string {
  return name.slice(0, 200).replace(/[^a-z0-9]+$/, "");
}

function truncate(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_NOTE) return text;
  // A cut inside a character leaves its first bytes, which decode to the replacement character.
  return `${bytes
    .subarray(0, MAX_NOTE - 3)
    .toString("utf8")
    .replace(/\uFFFD$/, "")}…`;
}
