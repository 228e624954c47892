import { LABELS } from "../api/annotations.ts";
import type { Job, PodSpec } from "../api/kube-types.ts";
import { buildJobName } from "../api/names.ts";
import { controlledBy } from "../api/owner-reference.ts";
import type { BuildRequest, BuildSettings } from "./builder.ts";
import { certificateAnnotations } from "./registry-certificates.ts";

/** The Job of one attempt, in the version's namespace; named and labelled from the version's UID, by which it is found again. */
export function buildJob({ version, attempt, settings }: BuildRequest, pod: PodSpec): Job {
  const { uid = "", namespace = "" } = version.metadata;
  const labels = { [LABELS.versionUid]: uid };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: buildJobName(uid, attempt),
      namespace,
      labels,
      ownerReferences: [controlledBy(version)],
    },
    spec: {
      // Attempts are counted in the version's status, where they survive the Job.
      backoffLimit: 0,
      activeDeadlineSeconds: settings.deadlineSeconds,
      template: { metadata: { labels, ...certificateAnnotations(settings) }, spec: pod },
    },
  };
}

/** What the pods of all engines have in common. */
export function podOfBuild({
  nodeName,
  settings,
}: BuildRequest): Pick<
  PodSpec,
  | "restartPolicy"
  | "automountServiceAccountToken"
  | "enableServiceLinks"
  | "terminationGracePeriodSeconds"
  | "tolerations"
  | "imagePullSecrets"
> {
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // Nothing in here has an end worth waiting for; 0 would take the pod out of the API while it still runs.
    terminationGracePeriodSeconds: 1,
    // Only that node has the data, so a taint that keeps others away must not keep us away.
    ...(nodeName === undefined
      ? {}
      : { tolerations: [{ operator: "Exists", effect: "NoSchedule" }] }),
    ...pullSecrets(settings),
  };
}

/** How nodes pull the images of a pod of ours in a namespace of others. */
export function pullSecrets({
  imagePullSecrets,
}: BuildSettings): Pick<PodSpec, "imagePullSecrets"> {
  if (imagePullSecrets.length === 0) return {};
  return { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) };
}
