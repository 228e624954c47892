import { LABELS } from "../api/annotations.ts";
import { GROUP } from "../api/crd.ts";
import type { Pod } from "../api/kube-types.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { readIntent } from "../inject/intent.ts";
import { jobKind } from "../jobs/kinds.ts";
import { decideConfigMap } from "./configmap.ts";
import { allow, deny, type Decision } from "./decision.ts";
import { decideExportingJob } from "./exporting-job.ts";
import { decideModel, decideModelDeletion, modelReferences } from "./model.ts";
import { decideModelBinding } from "./modelbinding.ts";
import { decideModelVersion, versionReferences } from "./modelversion.ts";
import { decideServingPod } from "./serving-pod.ts";
import type { References, Snapshot } from "./snapshot.ts";
import { decideTrainingPod } from "./training-pod.ts";
import { decideVersionDeletion } from "./version-deletion.ts";

/** Namespace of the control plane; its pods are never touched. */
const KUBE_SYSTEM = "kube-system";

/** Annotation of a pod that the kubelet runs from a file. */
const MIRROR = "kubernetes.io/config.mirror";

/** Names the objects that a decision on this request reads. */
export function references(request: AdmissionRequest): References {
  const namespace = request.namespace ?? "";
  const { operation, object, oldObject } = request;
  if (operation === "DELETE") {
    if (isOurs(request, "ModelVersion")) return { namespace, versions: [], use: true };
    const model = isOurs(request, "Model") ? oldObject?.metadata?.name : undefined;
    return { namespace, versions: [], ...(model === undefined ? {} : { model }) };
  }
  if (object && isOurs(request, "Model")) return modelReferences(request);
  if (object && isOurs(request, "ModelVersion")) return versionReferences(request);
  if (object && isOurs(request, "ModelBinding")) return { namespace, versions: [], bindings: true };
  if (!isPodCreation(request)) return { namespace, versions: [] };
  const read = readIntent((request.object as Pod).metadata?.annotations, "metadata.annotations");
  const serve = read.ok ? read.intent.serve : undefined;
  return { namespace, versions: serve === undefined ? [] : [serve.modelVersion] };
}

/** Decides on a request, from the request and the snapshot alone. */
export function decide(request: AdmissionRequest, snapshot: Snapshot): Decision {
  const { kind, operation, object } = request;
  if (operation === "DELETE") {
    if (isOurs(request, "ModelVersion")) return decideVersionDeletion(request, snapshot);
    return isOurs(request, "Model") ? decideModelDeletion(request, snapshot) : allow("Valid");
  }
  if (object === undefined || object === null || request.subResource) return allow("NothingAsked");
  if (isPodCreation(request)) return decidePod(request, object, snapshot);
  if (isOurs(request, "Model")) return decideModel(request, snapshot);
  if (isOurs(request, "ModelVersion")) return decideModelVersion(request, snapshot);
  if (isOurs(request, "ModelBinding")) return decideModelBinding(request, snapshot);
  if (isOwnConfigMap(request, snapshot)) return decideConfigMap(object);
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  const job = jobKind(apiVersion, kind.kind);
  if (job !== undefined && operation === "CREATE") {
    return decideExportingJob(request.namespace ?? "", object, job, snapshot);
  }
  return allow("Valid");
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

function decidePod(request: AdmissionRequest, pod: Pod, snapshot: Snapshot): Decision {
  const namespace = request.namespace ?? "";
  if (isNeverTouched(namespace, pod, snapshot)) return allow("NotOurs");
  const read = readIntent(pod.metadata?.annotations, "metadata.annotations");
  if (!read.ok) return deny(read.reason, read.causes, read.warnings);
  const { intent, warnings } = read;
  if (intent.optedOut) return allow("OptedOut", warnings);
  if (intent.serve === undefined && intent.export === undefined) {
    return allow("NothingAsked", warnings);
  }
  if (isWindows(pod)) {
    const message = "a Windows pod can not be given a model; left as it is";
    return allow("NotOurs", [...warnings, { reason: "NotOurs", message }]);
  }
  if (intent.export !== undefined) {
    return decideTrainingPod(namespace, pod, intent.export, snapshot, warnings);
  }
  return intent.serve === undefined
    ? allow("NothingAsked", warnings)
    : decideServingPod(pod, intent.serve, snapshot, warnings);
}

function isNeverTouched(namespace: string, pod: Pod, snapshot: Snapshot): boolean {
  const { annotations, labels } = pod.metadata ?? {};
  return (
    namespace === KUBE_SYSTEM ||
    namespace === snapshot.policy.systemNamespace ||
    annotations?.[MIRROR] !== undefined ||
    // A build pod's label names the version it belongs to; a user's pod gains nothing by wearing it.
    labels?.[LABELS.versionUid] !== undefined
  );
}

function isWindows(pod: Pod): boolean {
  const { os, nodeSelector } = pod.spec ?? {};
  return (os?.name ?? nodeSelector?.["kubernetes.io/os"]) === "windows";
}
