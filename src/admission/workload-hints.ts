import { isAsking } from "../api/annotations.ts";
import type { Job, KubeObject, Pod } from "../api/kube-types.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { Warning } from "../api/review.ts";
import type { Wanted } from "../api/wanted.ts";
import { isForeignNamespace } from "../inject/untouched.ts";
import { BATCH_JOB, JOB_KINDS, kindNames } from "../jobs/kinds.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { JOB, type Controller, type Workload } from "../jobs/places.ts";
import { jobOf, podOf, templatesAt } from "../jobs/templates.ts";
import { allow, type Decision } from "./decision.ts";
import { decideExportingJob, isDecidedAsJob } from "./exporting-job.ts";
import { decidePod, wantedBy } from "./pod.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a template makes: pods of a controller, or Jobs with a say in what becomes of their model. */
type Made =
  | { readonly path: string; readonly makes: "pods"; readonly pod: Pod }
  | { readonly path: string; readonly makes: "jobs"; readonly job: Job };

/** As many warnings as an answer shows: more templates would cost time and say nothing. */
const MAX_TEMPLATES = 16;

/** What the pods of a workload ask for, when these bindings are in effect. */
export function wantedByWorkload(
  object: KubeObject,
  workload: Workload,
  bindings: readonly ModelBinding[],
): readonly Wanted[] {
  return madeBy(object, workload).flatMap((made) =>
    made.makes === "pods" ? wantedBy(made.pod, bindings) : [],
  );
}

/**
 * Tells whoever applies a workload what its pods will meet, by deciding on the pods that its templates make. Never a denial: it
 * is the pods that are denied, and a template may be right before they come.
 */
export function hintWorkload(
  namespace: string,
  object: KubeObject,
  workload: Workload,
  snapshot: Snapshot,
): Decision {
  if (isForeignNamespace(namespace, snapshot.policy.systemNamespace)) return allow("NotOurs");
  const idle = idleOnWorkload(object, workload);
  const made = madeBy(object, workload);
  if (idle.length === 0 && made.length === 0) return allow("NothingAsked");
  return allow("Valid", [...idle, ...made.flatMap((each) => hint(namespace, each, snapshot))]);
}

/** What the templates make that say something in our words. */
function madeBy(object: KubeObject, workload: Workload): readonly Made[] {
  const itself = { apiVersion: apiVersionOf(workload), kind: workload.kind };
  return workload.places
    .flatMap((place) =>
      templatesAt(object, place).flatMap(({ path, value }): readonly Made[] => {
        if (place.makes === "pods") {
          const pod = podOf(value);
          const owner = place.owner === "itself" ? itself : place.owner;
          return speaks(pod) ? [podsOf(path, pod, owner)] : [];
        }
        const job = jobOf(value);
        if (isDecidedAsJob(job, BATCH_JOB)) return [{ path, makes: "jobs", job }];
        const pod = job.spec?.template ?? {};
        return speaks(pod) ? [podsOf(`${path}.spec.template`, pod, JOB)] : [];
      }),
    )
    .slice(0, MAX_TEMPLATES);
}

/** The pod as its controller makes it. */
function podsOf(path: string, pod: Pod, owner: Controller): Made {
  const ownerReferences = [{ ...owner, name: "", uid: "", controller: true }];
  return { path, makes: "pods", pod: { ...pod, metadata: { ...pod.metadata, ownerReferences } } };
}

function speaks({ metadata }: Pod): boolean {
  return Object.keys(metadata?.annotations ?? {}).some(isAsking);
}

function hint(namespace: string, made: Made, snapshot: Snapshot): readonly Warning[] {
  const decision =
    made.makes === "pods"
      ? decidePod(namespace, made.pod, snapshot)
      : decideExportingJob(namespace, made.job, BATCH_JOB, snapshot);
  return hintsOf(decision, made);
}

/** What a decision on that which a template makes means to whoever applies the template; `path` is where it is. */
export function hintsOf(
  decision: Decision,
  { path, makes }: Pick<Made, "path" | "makes">,
): readonly Warning[] {
  const said = decision.warnings.map(({ reason, message }) => ({
    reason,
    message: `${path}: ${message}`,
  }));
  if (decision.allowed) return said;
  const faults = decision.causes.map(({ field, message }) => ({
    reason: decision.reason,
    message: followed(`${fieldAt(path, field)}: ${message}`, `its ${makes} will be denied`),
  }));
  return [...faults, ...said];
}

/** A binding is another object than the one with the template. */
function fieldAt(path: string, field: string): string {
  return field.startsWith("ModelBinding ") ? `${path}: ${field}` : `${path}.${field}`;
}

/** A sentence, and what follows from it. */
function followed(sentence: string, consequence: string): string {
  if (!sentence.endsWith("?")) return `${sentence}; ${consequence}`;
  return `${sentence} ${consequence.slice(0, 1).toUpperCase()}${consequence.slice(1)}`;
}

/** Keys that say something on pods, and nothing on what has them made. */
export function idleOnWorkload({ metadata }: KubeObject, workload: Workload): readonly Warning[] {
  return Object.keys(metadata?.annotations ?? {})
    .filter(isAsking)
    .map((key) => ({
      reason: "IdleAnnotation",
      message: `metadata.annotations[${key}]: has no effect on a ${workload.kind}; ${remedy(workload)}`,
    }));
}

function remedy({ places }: Workload): string {
  const paths = places.map(
    ({ path, makes }) =>
      `${makes === "pods" ? path : `${path}.spec.template`}.metadata.annotations`,
  );
  if (paths.length > 0) return `set it in ${paths.join(" or ")}`;
  return `it has one on pods, and an export on ${kindNames(JOB_KINDS)}`;
}
