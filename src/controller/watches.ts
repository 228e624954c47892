import { LABELS, MANAGED_BY } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import { isBuilding, type ModelVersion } from "../api/modelversion.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { locationOf, locationOfPod } from "../gather/export-location.ts";
import type { Stores } from "../gather/stores.ts";
import { uidKey } from "../gather/version-store.ts";
import { BARE_POD } from "../jobs/kinds.ts";
import type { OwningJob } from "../jobs/owner.ts";
import type { ApiServer } from "../kube/client.ts";
import { startInformer, type Informer } from "../kube/informer.ts";
import { resources, type Resource } from "../kube/resources.ts";
import type { Change, WritableStore } from "../kube/store.ts";
import { hasStarted } from "../reconcile/export-gate.ts";
import { isHeld, jobUidOf } from "../reconcile/exporting-job.ts";
import { references } from "../reconcile/observed.ts";
import type { Logger } from "../telemetry/logger.ts";
import { bindingsServing, bindingsServingModel } from "./binding-keys.ts";
import { startKindWatches } from "./kind-watches.ts";
import { keyOf, type Key } from "./loop.ts";
import { EXPORTED_VERSION, exportingJobs } from "./pod-reconcilers.ts";

/** Takes the keys to reconcile. */
export type Enqueue = (key: Key) => void;

/**
 * Starts the leader's watches: each by label, so that pods and jobs which asked for nothing cost nothing. Versions, models and
 * bindings are watched by every replica already.
 */
export function startWatches(
  stores: Stores,
  options: {
    readonly api: ApiServer;
    readonly enqueue: Enqueue;
    readonly log: Logger;
    readonly signal: AbortSignal;
  },
): readonly Pick<Informer, "synced" | "stopped">[] {
  const { api, enqueue, log, signal } = options;
  function watch<T extends KubeObject, I extends string>(
    resource: Resource,
    labelSelector: string | undefined,
    store: WritableStore<T, I>,
    keysOf: (object: T) => readonly Key[],
    until = signal,
  ): Informer {
    const onChange = ({ object }: Change<T>): void => keysOf(object).forEach(enqueue);
    return startInformer(api, resource, { store, labelSelector, onChange, log, signal: until });
  }
  const ofVersion = (object: KubeObject): readonly Key[] =>
    stores.versions
      .by("uid", object.metadata?.labels?.[LABELS.versionUid] ?? "")
      .filter(({ metadata }) =>
        [metadata.namespace, undefined].includes(object.metadata?.namespace),
      )
      .map((version) => keyOf("modelversion", version));

  const ofPreflight = ({ metadata }: KubeObject): readonly Key[] =>
    stores.exporters
      .by("uid", uidKey(metadata?.namespace, metadata?.labels?.[LABELS.preflight]))
      .map(keyOfExporter);

  return [
    watch(resources.pods, `${LABELS.gated}=true`, stores.gatedPods, (pod) => [
      keyOf("serving-pod", pod),
    ]),
    watch(resources.pods, `${LABELS.export}=true`, stores.exportPods, (pod) => [
      keyOf("exporting-pod", pod),
      ...stores.exporters
        .by("uid", uidKey(pod.metadata?.namespace, jobUidOf(pod)))
        .map(keyOfExporter),
      // Somebody may have become its controller since it was held.
      ...(isHeld(pod) ? [keyOfExporter({ job: pod, kind: BARE_POD })] : []),
      ...exportedBy(stores, pod),
      // The pods of a deleted job are the last that use its location.
      ...waitingFor(stores, locationOfPod(pod)),
    ]),
    startKindWatches(
      stores.exporters,
      ({ kind, store }, until) => {
        const keysOf = (job: KubeObject): readonly Key[] => [
          keyOfExporter({ job, kind }),
          ...waitingPods(stores, job.metadata?.namespace, job.metadata?.uid),
          ...exportedBy(stores, job),
          // Its end may free the location that others wait for.
          ...waitingFor(stores, locationOf({ job, kind })),
        ];
        const resource = { ...kind, namespaced: true };
        return watch(resource, `${LABELS.export}=true`, store, keysOf, until);
      },
      { api, log, signal },
    ),
    watch(resources.jobs, LABELS.preflight, stores.preflightJobs, ofPreflight),
    watch(resources.pods, LABELS.preflight, stores.preflightPods, ofPreflight),
    watch(resources.jobs, LABELS.versionUid, stores.buildJobs, ofVersion),
    watch(resources.pods, LABELS.versionUid, stores.buildPods, ofVersion),
    watch(resources.persistentvolumes, `${MANAGED_BY}=modelhook`, stores.volumes, ofVersion),
    watch(resources.persistentvolumeclaims, `${MANAGED_BY}=modelhook`, stores.claims, (claim) => [
      ...ofVersion(claim),
      // Pods wait for one that is being deleted, or that somebody deleted.
      ...(claim.metadata?.ownerReferences ?? []).flatMap(({ uid }) =>
        waitingPods(stores, claim.metadata?.namespace, uid),
      ),
    ]),
  ];
}

/** What a change of a model may concern: itself, and its versions, which make it anew when somebody deletes it, and those who serve it. */
export function keysOfModel(stores: Stores, model: Model): readonly Key[] {
  const { namespace, name } = model.metadata;
  const versions = stores.versions.by("model", `${namespace}/${name}`);
  return [
    keyOf("model", model),
    keyOf("retention", model),
    ...stores.gatedPods.by("model", `${namespace}/${name}`).map((pod) => keyOf("serving-pod", pod)),
    ...versions.map((version) => keyOf("modelversion", version)),
    ...bindingsServingModel(stores, model),
  ];
}

/** What a change of a version may concern: itself, its model, the models whose aliases name it, its rivals, the pods and jobs that wait for it, those who serve it. */
export function keysOfVersion(stores: Stores, version: ModelVersion): readonly Key[] {
  const { modelName } = storedSpec(version);
  const { namespace, name, labels } = version.metadata;
  const { location, image } = references(version);
  return [
    keyOf("modelversion", version),
    ...(isHeld(version) ? [keyOf(EXPORTED_VERSION, version)] : []),
    ...building(stores.versions.by("image", image ?? "")),
    ...(modelName === undefined
      ? []
      : ([`model/${namespace}/${modelName}`, `retention/${namespace}/${modelName}`] as const)),
    ...stores.models.by("alias", `${namespace}/${name}`).map((model) => keyOf("model", model)),
    ...[
      ...stores.gatedPods.by("version", `${namespace}/${name}`),
      ...stores.gatedPods.by("model", `${namespace}/${modelName}`),
    ].map((pod) => keyOf("serving-pod", pod)),
    ...stores.exporters.by("uid", uidKey(namespace, labels?.[LABELS.jobUid])).map(keyOfExporter),
    ...waitingFor(stores, location),
    ...bindingsServing(stores, version),
  ];
}

/** What other limits may let go on, or stop: pods that wait behind our gate, and builds that have not ended. */
export function keysUnderLimits(stores: Stores): readonly Key[] {
  return [
    ...stores.exportPods.list().map((pod) => keyOf("exporting-pod", pod)),
    ...building(stores.versions.list()),
  ];
}

/** Who may wait for a location: pods of the jobs that write to it, and versions that are built from it. */
function waitingFor(stores: Stores, location = ""): readonly Key[] {
  return [
    ...stores.exporters
      .by("location", location)
      .flatMap(({ job: { metadata } }) => waitingPods(stores, metadata?.namespace, metadata?.uid)),
    ...building(stores.versions.by("location", location)),
  ];
}

/** The versions whose build may go on; nothing that becomes of others concerns those that have ended. */
function building(versions: readonly ModelVersion[]): readonly Key[] {
  return versions
    .filter((version) => isBuilding(version))
    .map((version) => keyOf("modelversion", version));
}

/** The versions that a job or pod was exported as, which wait for it to be let go. */
function exportedBy(stores: Stores, { metadata }: KubeObject): readonly Key[] {
  return stores.versions
    .by("job", uidKey(metadata?.namespace, metadata?.uid))
    .filter(isHeld)
    .map((version) => keyOf(EXPORTED_VERSION, version));
}

function keyOfExporter({ job, kind }: OwningJob): Key {
  return keyOf(exportingJobs(kind), job);
}

/** The pods of a job that wait; nothing that becomes of others concerns those that run. */
function waitingPods(
  stores: Stores,
  namespace: string | undefined,
  jobUid: string | undefined,
): readonly Key[] {
  return stores.exportPods
    .by("job", uidKey(namespace, jobUid))
    .filter((pod) => !hasStarted(pod))
    .map((pod) => keyOf("exporting-pod", pod));
}
