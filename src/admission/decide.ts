import { GROUP } from "../api/crd.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { AdmissionRequest } from "../api/review.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { JOB_KINDS, jobKind } from "../jobs/kinds.ts";
import { apiVersionOf } from "../api/api-version.ts";
import type { Workload } from "../jobs/places.ts";
import { workloadOf } from "../jobs/workloads.ts";
import { decideConfigMap } from "./configmap.ts";
import { allow, type Decision } from "./decision.ts";
import { decideExportingJob, isDecidedAsJob } from "./exporting-job.ts";
import { decideModel, decideModelDeletion, modelReferences } from "./model.ts";
import { decideModelBinding } from "./modelbinding.ts";
import { decideModelVersion, versionReferences } from "./modelversion.ts";
import { decidePod, podReferences } from "./pod.ts";
import type { References, Snapshot } from "./snapshot.ts";
import { decideVersionDeletion } from "./version-deletion.ts";
import { hintWorkload, wantedByWorkload } from "./workload-hints.ts";

/** Names the objects that a decision on this request reads, when these bindings are in effect in its namespace. */
export function references(
  request: AdmissionRequest,
  bindings: readonly ModelBinding[],
): References {
  const namespace = request.namespace ?? "";
  const nothing = { namespace, versions: [], wanted: [] };
  const { operation, object, oldObject } = request;
  if (operation === "DELETE") {
    if (isOurs(request, "ModelVersion")) return { ...nothing, use: true };
    const model = isOurs(request, "Model") ? oldObject?.metadata?.name : undefined;
    return { ...nothing, ...(model === undefined ? {} : { model }) };
  }
  if (object && isOurs(request, "Model")) return modelReferences(request);
  if (object && isOurs(request, "ModelVersion")) return versionReferences(request);
  if (object && isOurs(request, "ModelBinding")) return { ...nothing, bindings: true };
  if (object && isPodCreation(request)) return podReferences(namespace, object, bindings);
  const workload = workloadIn(request, JOB_KINDS);
  if (object === undefined || object === null || workload === undefined) return nothing;
  return { ...nothing, wanted: wantedByWorkload(object, workload, bindings) };
}

/** Decides on a request, from the request and the snapshot alone. */
export function decide(request: AdmissionRequest, snapshot: Snapshot): Decision {
  const { kind, operation, object } = request;
  const namespace = request.namespace ?? "";
  if (operation === "DELETE") {
    if (isOurs(request, "ModelVersion")) return decideVersionDeletion(request, snapshot);
    return isOurs(request, "Model") ? decideModelDeletion(request, snapshot) : allow("Valid");
  }
  if (object === undefined || object === null || request.subResource) return allow("NothingAsked");
  if (isPodCreation(request)) return decidePod(namespace, object, snapshot);
  if (isOurs(request, "Model")) return decideModel(request, snapshot);
  if (isOurs(request, "ModelVersion")) return decideModelVersion(request, snapshot);
  if (isOurs(request, "ModelBinding")) return decideModelBinding(request, snapshot);
  if (isOwnConfigMap(request, snapshot)) return decideConfigMap(object);
  const { jobKinds } = snapshot.policy;
  const job = jobKind(jobKinds, typeOf(kind));
  if (job !== undefined && operation === "CREATE" && isDecidedAsJob(object, job)) {
    return decideExportingJob(namespace, object, job, snapshot);
  }
  return decideHint(request, snapshot);
}

/** What whoever applies a workload is told of its pods; never a denial, and nothing of a job on which more is decided. */
export function decideHint(request: AdmissionRequest, snapshot: Snapshot): Decision {
  const { object, subResource } = request;
  const workload = workloadIn(request, snapshot.policy.jobKinds);
  if (workload === undefined || object === undefined || object === null || subResource) {
    return allow("Valid");
  }
  return hintWorkload(request.namespace ?? "", object, workload, snapshot);
}

function isOurs(
  { kind, subResource }: AdmissionRequest,
  name: "Model" | "ModelVersion" | "ModelBinding",
): boolean {
  return kind.group === GROUP && kind.kind === name && !subResource;
}

function isPodCreation(request: AdmissionRequest): boolean {
  const { kind, operation, subResource } = request;
  return kind.group === "" && kind.kind === "Pod" && operation === "CREATE" && !subResource;
}

/** Its name is the registration's to know: no other ConfigMap reaches us. */
function isOwnConfigMap({ kind, namespace }: AdmissionRequest, { policy }: Snapshot): boolean {
  return kind.group === "" && kind.kind === "ConfigMap" && namespace === policy.systemNamespace;
}

/** The row of a workload that is applied; undefined for other requests, and for a job on which more is decided than hints. */
function workloadIn(
  { kind, operation, object }: AdmissionRequest,
  jobKinds: readonly JobKind[],
): Workload | undefined {
  if (operation === "DELETE" || operation === "CONNECT") return undefined;
  const job = jobKind(jobKinds, typeOf(kind));
  if (job !== undefined && isDecidedAsJob(object ?? {}, job)) return undefined;
  return job ?? workloadOf(typeOf(kind));
}

function typeOf(kind: AdmissionRequest["kind"]): Pick<KubeObject, "apiVersion" | "kind"> {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind };
}
