import { references } from "../admission/decide.ts";
import type { Policy } from "../admission/policy.ts";
import type { References, Snapshot } from "../admission/snapshot.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { boundBy } from "../inject/bound.ts";
import { candidates } from "../inject/resolution.ts";
import { servedModels } from "../inject/serving-status.ts";
import { templateKey } from "../jobs/owner.ts";
import type { ApiServer } from "../kube/client.ts";
import { isNotFound } from "../kube/errors.ts";
import { listAll } from "../kube/list.ts";
import { resources, type ObjectRef, type Resource } from "../kube/resources.ts";
import type { Store } from "../kube/store.ts";
import { get } from "../kube/write.ts";
import {
  SELECTORS,
  bindingsIn,
  differing,
  isInjectionEnabled,
  type AdmissionStores,
} from "./admission-stores.ts";
import { readOwners } from "./owners.ts";
import { readVersionUse } from "./version-use.ts";

/** Time that direct reads may take before the decision is made without them. */
const DIRECT_READ_MS = 500;

/** Where a snapshot comes from. */
export interface SnapshotSources {
  readonly api: ApiServer;
  readonly stores: AdmissionStores;
  readonly policy: Policy;
  /** Whether a KubeDL that builds was seen. */
  readonly standby: boolean;
  /** Whether the API server says, by the way in which it calls, that bindings are in effect in the namespace. */
  readonly isBound: boolean;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Reads what a decision on the request needs: from the cache, and directly where there is none, or it is not there yet. */
export async function gatherSnapshot(
  request: AdmissionRequest,
  sources: SnapshotSources,
): Promise<Snapshot> {
  const { stores } = sources;
  const { namespace = "" } = request;
  const deadline = AbortSignal.any([sources.signal, AbortSignal.timeout(DIRECT_READ_MS)]);
  const inEffect = await bindingsInEffect(request, sources, deadline);
  const wanted = references(request, inEffect);
  const [asked, missing, bindings, use, owners] = await Promise.all([
    askedFor(sources, wanted, deadline),
    missingOf(sources, wanted, deadline),
    wanted.bindings === true ? bindingsOf(sources, namespace, deadline) : inEffect,
    wanted.use === true ? readVersionUse(sources, namespace) : undefined,
    wanted.owner === undefined
      ? undefined
      : readOwners(sources.api, namespace, wanted.owner, sources.policy.jobKinds, deadline),
  ]);
  return {
    now: sources.now(),
    policy: sources.policy,
    standby: sources.standby,
    ...asked,
    imageRivals: wanted.image === undefined ? [] : stores.versions.by("image", wanted.image),
    bindings,
    injectionEnabled: sources.isBound || isInjectionEnabled(stores, namespace),
    ...(isPodAsked(request, wanted) ? { nodes: stores.nodes.list() } : {}),
    missing,
    ...(wanted.model === undefined
      ? {}
      : { versionsOfModel: namesOf(stores.versions.by("model", `${namespace}/${wanted.model}`)) }),
    ...(use === undefined ? {} : { use }),
    ...(owners === undefined ? {} : { owners }),
  };
}

/**
 * The bindings that are in effect for the review. A pod of a labelled namespace that none in the cache selects may belong to one that
 * was made a moment ago: the API server is asked, and without its answer there is no decision.
 */
async function bindingsInEffect(
  { namespace = "", object }: AdmissionRequest,
  { api, stores, isBound }: SnapshotSources,
  signal: AbortSignal,
): Promise<readonly ModelBinding[]> {
  if (!isBound) return bindingsIn(stores, namespace);
  const cached = stores.bindings.by("namespace", namespace);
  if (boundBy(cached, object?.metadata?.labels) !== undefined) return cached;
  return listBindings(api, namespace, signal);
}

/** The Models and versions that are named, by the pod's own words or by what these lead to. */
async function askedFor(
  sources: SnapshotSources,
  { namespace, versions, wanted, template }: References,
  deadline: AbortSignal,
): Promise<Pick<Snapshot, "models" | "modelNames" | "versions" | "versionNames" | "siblings">> {
  const { stores } = sources;
  const modelsAsked = wanted.flatMap((each) => ("model" in each ? [each.model] : []));
  const [models, siblings] = await Promise.all([
    readAll<Model>(sources, stores.models, resources.models, namespace, modelsAsked, deadline),
    template === undefined ? [] : siblingsOf(sources, namespace, template, deadline),
  ]);
  const known = { models, siblings };
  const names = [...versions, ...wanted.flatMap((each) => candidates(each, known))];
  const found = await readAll<ModelVersion>(
    sources,
    stores.versions,
    resources.modelversions,
    namespace,
    names,
    deadline,
    // What siblings have must not be taken for gone.
    siblings.length > 0,
  );
  return {
    models,
    siblings,
    versions: found,
    versionNames: names.some((name) => !Object.hasOwn(found, name))
      ? namesOf(stores.versions.by("namespace", namespace))
      : [],
    modelNames: modelsAsked.some((name) => !Object.hasOwn(models, name))
      ? namesOf(stores.models.by("namespace", namespace))
      : [],
  };
}

/** Those of the named objects that there are. One that no answer came about counts as unknown, since the gate waits for both, unless it is needed. */
async function readAll<T extends KubeObject>(
  { api }: SnapshotSources,
  store: Pick<Store<T>, "get">,
  resource: Resource,
  namespace: string,
  names: readonly string[],
  deadline: AbortSignal,
  isNeeded = false,
): Promise<Record<string, T>> {
  const found = await Promise.all(
    [...new Set(names)].map(async (name) => {
      const cached = store.get(namespace, name);
      const object = cached ?? (await read<T>(api, resource, { namespace, name }, deadline));
      if (object === undefined && isNeeded)
        throw new Error(`no answer about ${resource.kind} ${name}`);
      return typeof object === "object" ? ([[name, object]] as const) : [];
    }),
  );
  return Object.fromEntries(found.flat());
}

/**
 * The pods of the template that have a model. When the cache shows none the API server is asked: controllers make their first pod
 * before the others, so that whoever is not the first finds one, however little time has passed. Without an answer there is no
 * decision, and the controller tries again: a guess could mix versions.
 */
async function siblingsOf(
  { api, stores }: SnapshotSources,
  namespace: string,
  template: string,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const cached = differing(stores.served.by("template", template));
  if (cached.some(hasDigest)) return cached;
  const { items } = await listAll<Pod>(api, resources.pods, {
    namespace,
    labelSelector: SELECTORS.served,
    metadataOnly: true,
    signal,
  });
  return differing(items.filter((pod) => templateKey(namespace, pod) === template));
}

function hasDigest(pod: Pod): boolean {
  return servedModels(pod).some(({ digest }) => digest !== undefined);
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
  return listBindings(api, namespace, signal).catch(() => []);
}

async function listBindings(
  api: ApiServer,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly ModelBinding[]> {
  return (await listAll<ModelBinding>(api, resources.modelbindings, { namespace, signal })).items;
}

/** A workload is told what is certain when it is applied; the nodes may be others when its pods come. */
function isPodAsked({ kind }: AdmissionRequest, { wanted }: References): boolean {
  return wanted.length > 0 && kind.group === "" && kind.kind === "Pod";
}

function namesOf(objects: readonly KubeObject[]): readonly string[] {
  return objects.map(({ metadata }) => metadata?.name ?? "");
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
