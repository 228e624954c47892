import type { KubeObject } from "../api/kube-types.ts";
import { parseTime } from "../api/time.ts";

/** Oldest first: by creation, then by name, then by namespace; no two objects of a kind are equal. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return (
    created(a) - created(b) ||
    compare(a.metadata?.name, b.metadata?.name) ||
    compare(a.metadata?.namespace, b.metadata?.namespace)
  );
}

function created({ metadata }: KubeObject): number {
  return parseTime(metadata?.creationTimestamp ?? "");
}

/** By code units, as etcd sorts names; independent of the process' language. */
function compare(a = "", b = ""): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
