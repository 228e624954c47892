import { GROUP } from "../api/crd.ts";
import type { Pod } from "../api/kube-types.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { jobKind } from "../jobs/kinds.ts";
import { workloadOf, type Workload } from "../jobs/workloads.ts";
import { allow, type Decision } from "./decision.ts";
import { decideExportingJob, isDecidedAsJob } from "./exporting-job.ts";
import { decideModelVersion } from "./modelversion.ts";
import { decidePod, versionsOf } from "./pod.ts";
import type { References, Snapshot } from "./snapshot.ts";
import { hintWorkload, workloadVersions } from "./workload-hints.ts";

/** Names the objects that a decision on this request reads. */
export function references(request: AdmissionRequest): References {
  const namespace = request.namespace ?? "";
  const { object } = request;
  if (isPodCreation(request)) return { namespace, versions: versionsOf(object as Pod) };
  const workload = workloadIn(request);
  if (workload === undefined) return { namespace, versions: [] };
  return { namespace, versions: workloadVersions(object ?? {}, workload) };
}

/** Decides on a request, from the request and the snapshot alone. */
export function decide(request: AdmissionRequest, snapshot: Snapshot): Decision {
  const { kind, operation, object } = request;
  const namespace = request.namespace ?? "";
  if (object === undefined || object === null || request.subResource) return allow("NothingAsked");
  if (isPodCreation(request)) return decidePod(namespace, object, snapshot);
  if (kind.group === GROUP && kind.kind === "ModelVersion" && operation !== "DELETE") {
    return decideModelVersion(request, snapshot.policy);
  }
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  const job = jobKind(apiVersion, kind.kind);
  if (job !== undefined && operation === "CREATE" && isDecidedAsJob(object)) {
    return decideExportingJob(namespace, object, job, snapshot);
  }
  const workload = workloadIn(request);
  return workload === undefined
    ? allow("Valid")
    : hintWorkload(namespace, object, workload, snapshot);
}

function isPodCreation(request: AdmissionRequest): boolean {
  const { kind, operation, subResource } = request;
  return kind.group === "" && kind.kind === "Pod" && operation === "CREATE" && !subResource;
}

/** The row of a workload that is applied; undefined for other requests, and for a Job on which more is decided than hints. */
function workloadIn({ kind, operation, object }: AdmissionRequest): Workload | undefined {
  if (operation === "DELETE" || operation === "CONNECT") return undefined;
  const workload = workloadOf(kind);
  const isJob = kind.group === "batch" && kind.kind === "Job";
  return isJob && isDecidedAsJob(object ?? {}) ? undefined : workload;
}
