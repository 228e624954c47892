import type { KubeObject, Pod } from "../../../src/api/kube-types.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import type { Change } from "../../../src/kube/store.ts";

/** How a version stands. */
export function describeVersion({ status, metadata }: ModelVersion): string {
  const { imageBuildPhase = "not begun", digest = "", message = "" } = status ?? {};
  const state = [imageBuildPhase, digest, message].filter((word) => word !== "").join(" ");
  return `version ${metadata.name} (${metadata.uid}) ${state}`;
}

/** How a pod and its containers stand. */
export function describePod({ status }: Pod): string {
  const containers = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ];
  const states = containers.map(({ name, state }) => {
    if (state?.terminated !== undefined) return `${name} ended (${state.terminated.exitCode})`;
    return `${name} ${state?.running === undefined ? "waits" : "runs"}`;
  });
  return [status?.phase ?? "", ...states].join(", ");
}

/** Whether an object is going or has gone, as the end of a sentence. */
export function endOf(type: Change<KubeObject>["type"], { metadata }: KubeObject): string {
  if (type === "deleted") return " gone";
  return metadata?.deletionTimestamp === undefined ? "" : " deleted";
}
