import { ANNOTATIONS } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { Reason } from "../api/reasons.ts";
import type { PatchOperation } from "../api/review.ts";
import { STATUS_PATH, readStatus, type ServingStatus } from "../inject/serving-status.ts";
import { controllerOf } from "../jobs/owner.ts";
import { templatesAt } from "../jobs/templates.ts";
import { workloadOf } from "../jobs/workloads.ts";
import { modelText } from "./explanation-has.ts";
import { answerMadePod, type PodAnswer } from "./pod-answer.ts";
import { isUnread, type Line, type PodFacts } from "./pod-facts.ts";

/** What the next pod of the same kind would get: by the template of the pod's controller, else as this one came. */
export function explainNext(facts: PodFacts): readonly Line[] {
  if (!isKnown(facts)) return [];
  const owner = controllerOf(facts.pod);
  const who =
    owner === undefined ? "a new pod like it" : `a new pod of ${owner.kind} ${owner.name}`;
  const answer = answerOf(facts);
  if (answer.state === "silent") return [["Next", `${who} would be left as it is`]];
  if (answer.state === "broken") return [["Next", `${who} would be refused: ${answer.fault}`]];
  const { decision } = answer;
  const said = decision.warnings.map(({ message }): Line => ["", message]);
  if (!decision.allowed) {
    return [["Next", `${who} would be denied: ${decision.message}`], ...said];
  }
  const status = statusIn(decision.operations);
  if (decision.reason === "ExportHooked") {
    return [["Next", `${who} would get a place to write its model to`], ...said];
  }
  if (status === undefined)
    return [["Next", `${who} ${unchangedText(facts, decision.reason)}`], ...said];
  if (isSame(status, facts.status)) return [["Next", `${who} would get the same`]];
  const [first = "", ...others] = status.models.map((model) => modelText(model, status));
  return [
    ["Next", `${who} would get ${first}`],
    ...others.map((text): Line => ["", text]),
    ...said,
  ];
}

function isKnown(facts: PodFacts): boolean {
  if (isUnread(facts, "modelversions", "models", "modelbindings")) return false;
  // Of a job that could not be read it is not known whether it exists.
  const isOrphan = facts.owners.length === 0 && controllerOf(facts.pod) !== undefined;
  const isExport = facts.read.ok && facts.read.intent.export !== undefined;
  if (isExport && isOrphan && facts.unread.length > 0) return false;
  // Whether bindings are in effect matters where there are some and the pod itself names no model.
  const isOwnWord = facts.read.ok && facts.read.intent.serve !== undefined;
  return isOwnWord || facts.bindings.length === 0 || !isUnread(facts, "namespaces");
}

function unchangedText({ isGiven }: PodFacts, reason: Reason): string {
  if (reason !== "AlreadyInjected") return "would be left as it is";
  // What it has from us is taken from it before it is decided on anew, but for a place to write to.
  return isGiven
    ? "would get the same"
    : "would be left as it is: it mounts the very image by itself";
}

function answerOf({ owners, pod, world, namespace, now, again }: PodFacts): PodAnswer {
  const [owner] = owners;
  const template = owner === undefined ? undefined : onlyTemplate(owner);
  if (template === undefined || controllerOf(pod) === undefined) return again;
  return answerMadePod(template, owners, { world, namespace, now });
}

/** Undefined for an owner that makes pods of several kinds, or none that we know. */
function onlyTemplate(owner: KubeObject) {
  const places = workloadOf(owner)?.places ?? [];
  const found = places.flatMap((place) => templatesAt(owner, place));
  return found.length === 1 ? found[0]?.value : undefined;
}

function statusIn(operations: readonly PatchOperation[]): ServingStatus | undefined {
  const annotations: Record<string, string> = {};
  for (const operation of operations) {
    if (operation.op !== "add" && operation.op !== "replace") continue;
    if (operation.path === STATUS_PATH) annotations[ANNOTATIONS.status] = String(operation.value);
    if (operation.path === "/metadata/annotations") Object.assign(annotations, operation.value);
  }
  return readStatus({ metadata: { annotations } });
}

function isSame(next: ServingStatus, now: ServingStatus | undefined): boolean {
  return now !== undefined && textOf(next) === textOf(now);
}

/** Why it is delivered in this way is not what is delivered. */
function textOf(status: ServingStatus): string {
  return status.models.map((model) => modelText(model, { ...status, why: undefined })).join();
}
