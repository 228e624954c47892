import { references } from "../admission/decide.ts";
import type { Policy } from "../admission/policy.ts";
import type { References, Snapshot } from "../admission/snapshot.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { AdmissionRequest } from "../api/review.ts";
import type { ApiServer } from "../kube/client.ts";
import { isNotFound } from "../kube/errors.ts";
import { listAll } from "../kube/list.ts";
import { resources, type ObjectRef, type Resource } from "../kube/resources.ts";
import { get } from "../kube/write.ts";
import type { VersionStore } from "./stores.ts";
import { readVersionUse } from "./version-use.ts";

/** Time that direct reads may take before the decision is made without them. */
const DIRECT_READ_MS = 500;

/** Where a snapshot comes from. */
export interface SnapshotSources {
  readonly api: ApiServer;
  readonly versions: VersionStore;
  readonly policy: Policy;
  /** Whether a KubeDL that builds was seen. */
  readonly standby: boolean;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Reads what a decision on the request needs: from the cache, and directly where there is none, or it is not there yet. */
export async function gatherSnapshot(
  request: AdmissionRequest,
  sources: SnapshotSources,
): Promise<Snapshot> {
  const wanted = references(request);
  const { namespace, versions: names } = wanted;
  const deadline = AbortSignal.any([sources.signal, AbortSignal.timeout(DIRECT_READ_MS)]);
  const [found, missing, bindings, use] = await Promise.all([
    versionsOf(sources, wanted, deadline),
    missingOf(sources, wanted, deadline),
    wanted.bindings === true ? bindingsOf(sources, namespace, deadline) : [],
    wanted.use === true ? readVersionUse(sources, namespace) : undefined,
  ]);
  const hasUnknown = names.some((name) => found[name] === undefined);
  return {
    now: sources.now(),
    policy: sources.policy,
    standby: sources.standby,
    versions: found,
    versionNames: hasUnknown
      ? sources.versions.by("namespace", namespace).map(({ metadata }) => metadata.name ?? "")
      : [],
    imageRivals: wanted.image === undefined ? [] : sources.versions.by("image", wanted.image),
    bindings,
    missing,
    ...(wanted.model === undefined
      ? {}
      : { versionsOfModel: namesOf(sources.versions, namespace, wanted.model) }),
    ...(use === undefined ? {} : { use }),
  };
}

function namesOf(store: VersionStore, namespace: string, model: string): readonly string[] {
  return store.by("model", `${namespace}/${model}`).map(({ metadata }) => metadata.name ?? "");
}

/** The versions that there are; one that no answer came about counts as unknown: the gate waits for both. */
async function versionsOf(
  { api, versions }: SnapshotSources,
  { namespace, versions: names }: References,
  deadline: AbortSignal,
): Promise<Record<string, ModelVersion>> {
  const found = await Promise.all(
    names.map(
      async (name) =>
        versions.get(namespace, name) ??
        (await read<ModelVersion>(api, resources.modelversions, { namespace, name }, deadline)),
    ),
  );
  const named = found.flatMap((version, index) =>
    typeof version === "object" ? [[names[index] ?? "", version] as const] : [],
  );
  return Object.fromEntries(named);
}

/** What is not there. It is only warned of, so what can not be looked for counts as there. */
async function missingOf(
  { api }: SnapshotSources,
  { namespace, claim, node }: References,
  deadline: AbortSignal,
): Promise<Snapshot["missing"]> {
  const isMissing = async (resource: Resource, ref: ObjectRef): Promise<boolean> => {
    try {
      return (await read(api, resource, ref, deadline)) === "absent";
    } catch {
      return false;
    }
  };
  const [noClaim, noNode] = await Promise.all([
    claim !== undefined && isMissing(resources.persistentvolumeclaims, { namespace, name: claim }),
    node !== undefined && isMissing(resources.nodes, { name: node }),
  ]);
  return { ...(noClaim && { claim }), ...(noNode && { node }) };
}

/** The bindings of a namespace; none when they can not be read, since they are only warned of. */
async function bindingsOf(
  { api }: SnapshotSources,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly ModelBinding[]> {
  try {
    return (await listAll<ModelBinding>(api, resources.modelbindings, { namespace, signal })).items;
  } catch {
    return [];
  }
}

/** One object, `absent` when there is none, undefined when no answer came in time. */
async function read<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  ref: ObjectRef,
  deadline: AbortSignal,
): Promise<T | "absent" | undefined> {
  try {
    return await get<T>(api, resource, ref, { signal: deadline });
  } catch (error) {
    if (isNotFound(error)) return "absent";
    if (deadline.aborted) return undefined;
    throw error;
  }
}
