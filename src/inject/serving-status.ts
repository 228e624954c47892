import { ANNOTATIONS, GATES } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";

/** The version that the webhook gave a pod, or that the pod waits for. */
export interface ServedVersion {
  readonly modelVersion: string;
  /** Digest of the image that is in the pod; absent while the pod waits. */
  readonly digest?: string;
}

/** Value of the status annotation of a serving pod; the version is there before the digest is. */
export function servingStatus(modelVersion: string, digest: string | undefined): string {
  return JSON.stringify({
    modelVersion,
    ...(digest === undefined ? { waitsFor: GATES.build } : { digest }),
    delivery: "copy",
  });
}

/** What the status annotation says that a pod got; undefined when it says nothing that we could have written. */
export function servedVersion({ metadata }: Pod): ServedVersion | undefined {
  const status = parse(metadata?.annotations?.[ANNOTATIONS.status]);
  if (typeof status !== "object" || status === null) return undefined;
  const { modelVersion, digest } = status as { modelVersion?: unknown; digest?: unknown };
  if (typeof modelVersion !== "string") return undefined;
  return { modelVersion, ...(typeof digest === "string" ? { digest } : {}) };
}

/** What is said, after its name, of a version that was built but has no digest: pods run digests only. */
export const WITHOUT_DIGEST =
  "is built, but its status has no digest: another controller built it, and its tag may name anything by now; name one that modelhook has built";

/** True for a pod whose containers have not all ended and that nobody deletes. */
export function isAlive({ metadata, status }: Pod): boolean {
  const { phase = "Pending" } = status ?? {};
  return metadata?.deletionTimestamp === undefined && phase !== "Succeeded" && phase !== "Failed";
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}
