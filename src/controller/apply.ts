import type { KubeObject } from "../api/kube-types.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import type { ApiServer } from "../kube/client.ts";
import { isAlreadyExists, isConflict, isFailedTest, isNotFound } from "../kube/errors.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { resources, type Resource } from "../kube/resources.ts";
import { create, get, jsonPatch, removeOnce } from "../kube/write.ts";
import type { Action } from "../reconcile/action.ts";
import type { Logger } from "../telemetry/logger.ts";
import { emitEvent } from "./events.ts";
import { createThrottle } from "./throttle.ts";
import { createFailPoints, type FailPoint } from "./fail-point.ts";
import { insteadOf, isRefusal, tellOwners } from "./refusal.ts";

/** How a pass ended. */
export interface Applied {
  /** False when what was observed is no longer so; observe again. */
  readonly upToDate: boolean;
  /** Milliseconds after which the reconciler wants to look again. */
  readonly requeueAfterMs: number | undefined;
}

/** The one writer of the controller. */
export interface Applier {
  /** Does the steps in order. Rejects with what the API server said when a step fails for another reason than staleness. */
  apply(actions: readonly Action[], signal: AbortSignal): Promise<Applied>;
}

/** What waits says so at every look; the API server hears it this often. */
const REPEAT_EVENT_MS = 300_000;
const REMEMBERED_EVENTS = 10_000;

/** Makes the writer; `instance` names this process in Events, `die` ends it at the fail point. */
export function createApplier(options: {
  readonly api: ApiServer;
  readonly instance: string;
  /** Kinds of jobs that it writes besides the kinds of `resources`. */
  readonly jobKinds: readonly JobKind[];
  readonly log: Logger;
  readonly now: () => number;
  readonly failPoint?: FailPoint | undefined;
  readonly die: () => void;
}): Applier {
  const { api, instance, log, now } = options;
  const known: readonly Resource[] = [
    ...Object.values(resources),
    ...options.jobKinds.map((kind) => ({ ...kind, namespaced: true })),
  ];
  function resourceOf(object: Pick<KubeObject, "apiVersion" | "kind">): Resource {
    const found = known.find(
      (resource) => resource.kind === object.kind && apiVersionOf(resource) === object.apiVersion,
    );
    if (found === undefined) throw new Error(`no resource for ${object.apiVersion} ${object.kind}`);
    return found;
  }
  const failPoints = createFailPoints(options.failPoint, options.die);
  const saying = createThrottle({ everyMs: REPEAT_EVENT_MS, most: REMEMBERED_EVENTS });

  async function step(action: Action): Promise<boolean> {
    switch (action.type) {
      case "create":
        return createOnce(api, resourceOf(action.object), action.object);
      case "delete":
        return removeOnce(api, resourceOf(action.ref), action.ref, action.resourceVersion);
      case "status":
        return unlessStale(() =>
          jsonPatch(
            api,
            resourceOf(action.ref),
            action.ref,
            [
              // A replaced resourceVersion makes the API server answer 409 when the object has changed.
              { op: "replace", path: "/metadata/resourceVersion", value: action.resourceVersion },
              { op: "add", path: "/status", value: action.status },
            ],
            { subresource: "status" },
          ),
        );
      case "patch":
        return unlessStale(() =>
          jsonPatch(api, resourceOf(action.ref), action.ref, action.operations),
        );
      case "event":
        if (!saying.isDue(JSON.stringify(action), now())) return true;
        try {
          await emitEvent(api, action, instance, now());
        } catch (err) {
          // An event tells; nothing depends on it.
          log.warn(
            { err, object: action.ref.name, reason: action.reason },
            "Event was not written",
          );
        }
        return true;
      case "requeueAfter":
        return true;
    }
  }

  async function apply(actions: readonly Action[], signal: AbortSignal): Promise<Applied> {
    let requeueAfterMs: number | undefined;
    for (const action of actions) {
      signal.throwIfAborted();
      if (action.type === "requeueAfter") {
        requeueAfterMs = Math.min(requeueAfterMs ?? Infinity, action.ms);
        continue;
      }
      try {
        const upToDate = await failPoints.around(() => step(action));
        logStep(log, action, upToDate);
        if (!upToDate) return { upToDate, requeueAfterMs };
      } catch (error) {
        if (action.type !== "create" || !isRefusal(error)) throw error;
        const instead = insteadOf(action, error);
        if (instead !== undefined) return apply(instead, signal);
        await apply(tellOwners(action.object, error), signal);
        throw error;
      }
    }
    return { upToDate: true, requeueAfterMs };
  }

  return { apply };
}

/** False when another object has the name: one that does not carry our labels and owner. */
async function createOnce(
  api: ApiServer,
  resource: Resource,
  object: KubeObject,
): Promise<boolean> {
  try {
    await create(api, resource, object);
    return true;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const { namespace, name = "" } = object.metadata ?? {};
  try {
    return isSame(object, await get(api, resource, { namespace, name }));
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

function isSame(wanted: KubeObject, existing: KubeObject): boolean {
  const labels = existing.metadata?.labels ?? {};
  const owners = new Set((existing.metadata?.ownerReferences ?? []).map(({ uid }) => uid));
  return (
    existing.metadata?.deletionTimestamp === undefined &&
    Object.entries(wanted.metadata?.labels ?? {}).every(([key, value]) => labels[key] === value) &&
    (wanted.metadata?.ownerReferences ?? []).every(({ uid }) => owners.has(uid))
  );
}

async function unlessStale(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (isConflict(error) || isNotFound(error) || isFailedTest(error)) return false;
    throw error;
  }
}

function logStep(log: Logger, action: Action, upToDate: boolean): void {
  if (action.type === "requeueAfter") return;
  const { kind, namespace, name } =
    action.type === "create"
      ? { kind: action.object.kind, ...action.object.metadata }
      : { ...action.ref, kind: action.ref.kind };
  const reason = action.type === "event" ? { reason: action.reason } : {};
  log.info({ step: action.type, kind, namespace, name, upToDate, ...reason }, "Step done");
}
