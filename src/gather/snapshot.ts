import { references } from "../admission/decide.ts";
import type { Policy } from "../admission/policy.ts";
import type { Snapshot } from "../admission/snapshot.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { AdmissionRequest } from "../api/review.ts";
import type { ApiServer } from "../kube/client.ts";
import { isNotFound } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import { get } from "../kube/write.ts";
import type { VersionStore } from "./stores.ts";

/** Time that a direct read of a version may take before the pod counts as naming an unknown one. */
const DIRECT_READ_MS = 500;

/** Reads what a decision on the request needs: from the cache, and directly where the cache is not there yet. */
export async function gatherSnapshot(
  request: AdmissionRequest,
  sources: {
    readonly api: ApiServer;
    readonly versions: VersionStore;
    readonly policy: Policy;
    readonly now: () => number;
    readonly signal: AbortSignal;
  },
): Promise<Snapshot> {
  const { namespace, versions: names } = references(request);
  const versions: Record<string, ModelVersion> = {};
  const found = await Promise.all(
    names.map(
      async (name) =>
        sources.versions.get(namespace, name) ?? (await readVersion(sources, namespace, name)),
    ),
  );
  for (const [index, name] of names.entries()) {
    const version = found[index];
    if (version !== undefined) versions[name] = version;
  }
  const hasUnknown = names.some((name) => versions[name] === undefined);
  return {
    now: sources.now(),
    policy: sources.policy,
    versions,
    versionNames: hasUnknown
      ? sources.versions.by("namespace", namespace).map(({ metadata }) => metadata.name ?? "")
      : [],
  };
}

/** A version that the cache does not hold; undefined when there is none, or no answer in time: the gate waits for both. */
async function readVersion(
  { api, signal }: { readonly api: ApiServer; readonly signal: AbortSignal },
  namespace: string,
  name: string,
): Promise<ModelVersion | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DIRECT_READ_MS)]);
  try {
    return await get(api, resources.modelversions, { namespace, name }, { signal: deadline });
  } catch (error) {
    if (isNotFound(error) || deadline.aborted) return undefined;
    throw error;
  }
}
