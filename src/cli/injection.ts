import { allow, type Decision } from "../admission/decision.ts";
import { decideExportingJob, isDecidedAsJob } from "../admission/exporting-job.ts";
import { hintsOf, idleOnWorkload } from "../admission/workload-hints.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { Job, KubeObject } from "../api/kube-types.ts";
import type { PatchOperation } from "../api/review.ts";
import { isForeignNamespace } from "../inject/untouched.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import { templatesAt, type Found } from "../jobs/templates.ts";
import { JOB, workloadOfObject, type TemplatePlace, type Workload } from "../jobs/workloads.ts";
import {
  answerMadePod,
  answerPod,
  shapeOf,
  type PodAnswer,
  type PodContext,
} from "./pod-answer.ts";
import { snapshotIn } from "./world.ts";

/** What the cluster would make of an object, and tell whoever applies it. */
export interface Injection {
  /** In the order in which they are applied; `pointer` is where in the object. */
  readonly patches: readonly {
    readonly pointer: string;
    readonly operations: readonly PatchOperation[];
  }[];
  readonly said: readonly Said[];
}

/** Something that is said of an object. */
export interface Said {
  /** `broken` is what no API server would take; a note is ours, and no word of the cluster. */
  readonly level: "broken" | "denied" | "warning" | "note";
  readonly message: string;
}

/** A part of an object; the whole has an empty path. */
type Part = Omit<Found, "value">;

const WHOLE: Part = { path: "", pointer: "" };
const NOTHING: Injection = { patches: [], said: [] };
const OF_JOB: TemplatePlace = { path: "spec.template", makes: "pods", owner: "itself" };

const EXAMPLE =
  "note: names of volumes and claims are made from the Job's UID, which it gets when it is created; those here are examples";

/** Decides on the pods of an object as admission does: on a pod itself, of others on the pods that their controllers would make. */
export function injectionOf(object: KubeObject, context: PodContext): Injection {
  const { apiVersion = "", kind = "" } = object;
  if (apiVersion === "v1" && kind === "Pod") return ofPods(WHOLE, answerPod(object, context));
  const workload = workloadOfObject(object);
  if (workload === undefined) return NOTHING;
  if (isForeignNamespace(context.namespace, context.world.policy.systemNamespace)) return NOTHING;
  if (apiVersion === JOB.apiVersion && kind === JOB.kind) return ofJob(WHOLE, object, context);
  const idle = idleOnWorkload(object, workload).map(({ message }) => warning(message));
  const parts = workload.places.flatMap((place) =>
    templatesAt(object, place).map((found) => ofTemplate(object, workload, place, found, context)),
  );
  return joined([{ patches: [], said: idle }, ...parts]);
}

function ofTemplate(
  object: KubeObject,
  { group, version, kind }: Workload,
  place: TemplatePlace,
  found: Found,
  context: PodContext,
): Injection {
  if (place.makes === "jobs") return ofJob(found, found.value, context);
  const itself = { apiVersion: `${group}/${version}`, kind, uid: object.metadata?.uid };
  const owner = place.owner === "itself" ? itself : place.owner;
  return ofPods(found, answerMadePod(found.value, owner, context));
}

/** A Job is decided on before its pods, which get its export. */
function ofJob(part: Part, job: Job, context: PodContext): Injection {
  const [template] = templatesAt(job, OF_JOB);
  if (template === undefined) return NOTHING;
  const pods = {
    path: fieldAt(part, template.path),
    pointer: part.pointer + template.pointer,
  };
  const owner = { ...JOB, uid: part === WHOLE ? job.metadata?.uid : undefined };
  if (!isDecidedAsJob(job)) return ofPods(pods, answerMadePod(template.value, owner, context));
  const fault = shapeOf("batch", "Job", job);
  if (fault !== undefined) return broken(part, fault);
  const { world, namespace, now } = context;
  const snapshot = snapshotIn(world, namespace, {}, now);
  const decision = decideExportingJob(namespace, job, BATCH_JOB, snapshot);
  const ofIt = resultOf(part, decision, "jobs");
  if (!decision.allowed) return ofIt;
  const isExport = decision.reason === "ExportHooked";
  const made = isExport ? withExportOf(job, template.value) : template.value;
  const ofItsPods = ofPods(pods, answerMadePod(made, owner, context));
  // The Job's answer tells of the annotations of its pods, too.
  const isNew = ({ message }: Said): boolean =>
    !ofIt.said.some((each) => message.endsWith(each.message));
  const isDenied = ofItsPods.said.some(({ level }) => level === "denied" || level === "broken");
  return joined([
    { said: ofIt.said, patches: isDenied ? [] : ofIt.patches },
    { ...ofItsPods, said: ofItsPods.said.filter(isNew) },
  ]);
}

/** The template as the patch of its Job leaves it. */
function withExportOf(job: Job, template: Found["value"]): Found["value"] {
  const text = job.metadata?.annotations?.[ANNOTATIONS.export];
  if (text === undefined) return template;
  const { metadata }: KubeObject = template;
  const annotations = { ...metadata?.annotations, [ANNOTATIONS.export]: text };
  return { ...template, metadata: { ...metadata, annotations } };
}

function ofPods(part: Part, answer: PodAnswer): Injection {
  switch (answer.state) {
    case "silent":
      return NOTHING;
    case "broken":
      return broken(part, answer.fault);
    case "decided": {
      const { patches, said } = resultOf(part, answer.decision, "pods");
      const notes: readonly Said[] = answer.isExample ? [{ level: "note", message: EXAMPLE }] : [];
      return { patches, said: [...said, ...notes] };
    }
  }
}

function resultOf(part: Part, decision: Decision, makes: "pods" | "jobs"): Injection {
  const place = { path: part.path, makes };
  const operations = decision.allowed ? decision.operations : [];
  const warned = allow(decision.reason, decision.warnings);
  const isWhole = part.path === "";
  const warnings = isWhole ? decision.warnings : hintsOf(warned, place);
  const faults = decision.allowed
    ? []
    : isWhole
      ? [decision]
      : hintsOf({ ...decision, warnings: [] }, place);
  return {
    patches: operations.length === 0 ? [] : [{ pointer: part.pointer, operations }],
    said: [
      ...faults.map(({ message }): Said => ({
        level: "denied",
        message: isWhole ? `denied: ${message}` : message,
      })),
      ...warnings.map(({ message }) => warning(message)),
    ],
  };
}

function broken(part: Part, fault: string): Injection {
  return { patches: [], said: [{ level: "broken", message: fieldAt(part, fault) }] };
}

function fieldAt({ path }: Part, below: string): string {
  return path === "" ? below : `${path}.${below}`;
}

function warning(message: string): Said {
  return { level: "warning", message };
}

function joined(parts: readonly Injection[]): Injection {
  return {
    patches: parts.flatMap(({ patches }) => patches),
    said: parts.flatMap(({ said }) => said),
  };
}
