import fastJsonPatch, { type Operation } from "fast-json-patch";
import { allow, type Decision } from "../admission/decision.ts";
import { decideExportingJob, isDecidedAsJob } from "../admission/exporting-job.ts";
import { hintsOf, idleOnWorkload } from "../admission/workload-hints.ts";
import { isFields } from "../api/fields.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { PatchOperation } from "../api/review.ts";
import { isForeignNamespace } from "../inject/untouched.ts";
import { BATCH_JOB, jobKind } from "../jobs/kinds.ts";
import { topmostJob, type OwningJob } from "../jobs/owner.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { JOB, type Workload } from "../jobs/places.ts";
import { templatesAt, type Found } from "../jobs/templates.ts";
import { sizeOf } from "../jobs/writer.ts";
import { workloadOf } from "../jobs/workloads.ts";
import {
  answerMadePod,
  answerPod,
  controllerReference,
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

const EXAMPLE =
  "note: names of volumes and claims, and the label of the job, are made from its UID, which it gets when it is created; those here are examples";

const EACH_ITS_OWN =
  "note: what a pod gets depends on whether it writes, and is given to each when it is made";

/** Decides on the pods of an object as admission does: on a pod itself, of others on the pods that their controllers would make. */
export function injectionOf(object: KubeObject, context: PodContext): Injection {
  const { apiVersion = "", kind = "" } = object;
  if (apiVersion === "v1" && kind === "Pod") return ofPods(WHOLE, answerPod(object, [], context));
  const { policy } = context.world;
  const job = jobKind(policy.jobKinds, object);
  const workload = job ?? workloadOf(object);
  if (workload === undefined) return NOTHING;
  if (isForeignNamespace(context.namespace, policy.systemNamespace)) return NOTHING;
  return job === undefined
    ? ofWorkload(object, workload, context)
    : ofJob(WHOLE, { job: object, kind: job }, [], context);
}

function ofWorkload(object: KubeObject, workload: Workload, context: PodContext): Injection {
  const idle = idleOnWorkload(object, workload).map(({ message }) => warning(message));
  const parts = madeBy(WHOLE, object, workload, [], context);
  return joined([{ patches: [], said: idle }, ...parts]);
}

/** What becomes of that which the templates of an object make; `above` stands over the object. */
function madeBy(
  { path, pointer }: Part,
  object: KubeObject,
  { places, ...type }: Workload,
  above: readonly KubeObject[],
  context: PodContext,
): readonly Injection[] {
  const itself = { ...object, apiVersion: apiVersionOf(type), kind: type.kind };
  return places.flatMap((place) =>
    templatesAt(object, place).map(({ value, ...found }) => {
      const part = {
        path: path === "" ? found.path : `${path}.${found.path}`,
        pointer: pointer + found.pointer,
      };
      if (place.makes === "jobs") {
        const { metadata }: KubeObject = value;
        const ownerReferences = [controllerReference(itself)];
        const { completionMode } = place;
        const spec =
          isFields(value["spec"]) && completionMode !== undefined
            ? { spec: { completionMode, ...value["spec"] } }
            : {};
        const job = { ...value, ...spec, ...JOB, metadata: { ...metadata, ownerReferences } };
        return ofJob(part, { job, kind: BATCH_JOB }, [itself, ...above], context);
      }
      const owners =
        place.owner === "itself" ? [itself, ...above] : [{ ...place.owner }, itself, ...above];
      const answer = answerMadePod(value, owners, context);
      const isHooked = answer.state === "decided" && answer.decision.reason === "ExportHooked";
      return isHooked && !isOfOnePod(owners, context)
        ? withoutPatch(ofPods(part, { ...answer, isExample: false }))
        : ofPods(part, answer);
    }),
  );
}

/** True below a Job of one pod; of others each pod gets what is its own, which their template can not say. */
function isOfOnePod(owners: readonly KubeObject[], { world }: PodContext): boolean {
  const owning = topmostJob(owners, world.policy.jobKinds);
  return owning?.kind === BATCH_JOB && sizeOf(BATCH_JOB, owning.job) === 1;
}

function withoutPatch({ said }: Injection): Injection {
  return { patches: [], said: [...said, { level: "note", message: EACH_ITS_OWN }] };
}

/** A job is decided on before its pods, which get its export. */
function ofJob(
  part: Part,
  { job, kind }: OwningJob,
  above: readonly KubeObject[],
  context: PodContext,
): Injection {
  if (!isDecidedAsJob(job, kind)) {
    const idle = part === WHOLE ? idleOnWorkload(job, kind) : [];
    const said = idle.map(({ message }) => warning(message));
    return joined([{ patches: [], said }, ...madeBy(part, job, kind, above, context)]);
  }
  const fault = shapeOf(kind, job);
  if (fault !== undefined) return broken(part, fault);
  const { world, namespace, now } = context;
  const snapshot = snapshotIn(world, namespace, {}, now);
  const decision = decideExportingJob(namespace, job, kind, snapshot);
  const ofIt = resultOf(part, decision, "jobs");
  if (!decision.allowed) return ofIt;
  const hooked = applied(job, decision.operations);
  const below = joined(madeBy(part, hooked, kind, above, context));
  // The job's answer tells of the annotations of its pods, too.
  const isNew = ({ message }: Said): boolean =>
    !ofIt.said.some((each) => message.endsWith(each.message));
  const isDenied = below.said.some(({ level }) => level === "denied" || level === "broken");
  return joined([
    { said: ofIt.said, patches: isDenied ? [] : ofIt.patches },
    { ...below, said: below.said.filter(isNew) },
  ]);
}

/** The object as the API server would store it. */
function applied(job: KubeObject, operations: readonly PatchOperation[]): KubeObject {
  if (operations.length === 0) return job;
  const copy = structuredClone(job);
  return fastJsonPatch.applyPatch(copy, operations as Operation[]).newDocument;
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
    said: unique(parts.flatMap(({ said }) => said)),
  };
}

/** Each once: what is so of one template is so of the others. */
function unique(said: readonly Said[]): readonly Said[] {
  return said.filter(
    (each, index) =>
      each.level !== "note" || said.findIndex(({ message }) => message === each.message) === index,
  );
}
