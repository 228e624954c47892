import { setTimeout as sleep } from "node:timers/promises";
import type { ApiServer } from "../kube/client.ts";
import { ApiError, isConflict, isFailedTest, isNotFound } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import { get, jsonPatch, mergePatch, removeOnce } from "../kube/write.ts";
import { withoutFinalizer } from "../api/finalizer.ts";
import { observeInstallation } from "./uninstall-installation.ts";
import type { Found, Installation, Step } from "./uninstall-plan.ts";
import { nameOf } from "./uninstall-text.ts";

/** What became of a step. */
export interface StepDone {
  /** The step for what it succeeded with; undefined when that is nothing. */
  readonly done: Step | undefined;
  readonly faults: readonly string[];
}

/** Pods get 45 s to end, and nodes are not always quick. */
const STOP_MS = 120_000;

/** Somebody who changes an object each time we do is given in to. */
const ATTEMPTS = 10;

/** Does a step; what the API server refuses for one object keeps none of the others from it. What is done already is done. */
export async function applyStep(api: ApiServer, step: Step): Promise<StepDone> {
  if (step.type === "stop") return stop(api, step.installation);
  const objects: Found[] = [];
  const faults: string[] = [];
  for (const found of step.objects) {
    try {
      await (step.type === "delete"
        ? removeOnce(api, found.resource, refOf(found.object))
        : release(api, found, step.finalizer));
      objects.push(found);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      faults.push(`${nameOf(found)}: ${error.message}`);
    }
  }
  return { done: objects.length === 0 ? undefined : { ...step, objects }, faults };
}

async function stop(api: ApiServer, installation: Installation): Promise<StepDone> {
  const { namespace, replicas } = installation;
  const ref = { namespace, name: "modelhook" };
  const scaled = { spec: { replicas: 0 } };
  if (replicas > 0) await mergePatch(api, resources.deployments, ref, scaled);
  const deadline = performance.now() + STOP_MS;
  for (;;) {
    const { pods } = await observeInstallation(api, namespace);
    if (pods.length === 0) return { done: { type: "stop", installation }, faults: [] };
    if (performance.now() > deadline) {
      const names = pods.join(", ");
      const fault = `pods of Deployment ${namespace}/modelhook do not end: ${names}; run this again when they have`;
      return { done: undefined, faults: [fault] };
    }
    await sleep(500);
  }
}

async function release(
  api: ApiServer,
  { resource, object }: Found,
  finalizer: string,
): Promise<void> {
  try {
    let live = object;
    for (let attempt = 1; ; attempt += 1) {
      const operations = withoutFinalizer(live, finalizer);
      if (operations.length === 0) return;
      try {
        await jsonPatch(api, resource, refOf(object), operations);
        return;
      } catch (error) {
        const isStale = isConflict(error) || isFailedTest(error);
        if (!isStale || attempt === ATTEMPTS) throw error;
      }
      live = await get(api, resource, refOf(object));
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function refOf({ metadata }: Found["object"]) {
  return { namespace: metadata?.namespace, name: metadata?.name ?? "", uid: metadata?.uid };
}
