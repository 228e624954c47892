import type { KubeObject } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { ApiServer } from "../kube/client.ts";
import { startInformer, type InformerOptions } from "../kube/informer.ts";
import { createListeners, type Listeners } from "../kube/listeners.ts";
import { resources, type Resource } from "../kube/resources.ts";
import type { Change } from "../kube/store.ts";
import type { Logger } from "../telemetry/logger.ts";
import { SELECTORS, pickNode, pickServed, type AdmissionStores } from "./admission-stores.ts";

/** Adds a listener to every change of a kind, until the signal aborts. */
type Subscribe<T> = Listeners<[Change<T>]>["add"];

/** The stores of a replica, kept current; the changes are for the controller, whose terms they outlive. */
export interface Following {
  /** Resolves when all stores are filled; rejects when the process stops before. */
  readonly synced: Promise<unknown>;
  readonly onVersion: Subscribe<ModelVersion>;
  readonly onModel: Subscribe<Model>;
  readonly onBinding: Subscribe<ModelBinding>;
  readonly onNamespace: Subscribe<KubeObject>;
}

/** Keeps the stores equal to the cluster, until the signal aborts. */
export function followCluster(
  api: ApiServer,
  options: { readonly stores: AdmissionStores; readonly log: Logger; readonly signal: AbortSignal },
): Following {
  const { stores, ...common } = options;
  const informers: Promise<void>[] = [];
  function follow<T extends KubeObject, I extends string>(
    resource: Resource,
    about: Omit<InformerOptions<T, I>, "onChange" | "log" | "signal">,
  ): Subscribe<T> {
    const { add, callAll } = createListeners<[Change<T>]>();
    const informer = startInformer(api, resource, { ...about, ...common, onChange: callAll });
    informers.push(informer.synced);
    return add;
  }
  const onVersion = follow(resources.modelversions, { store: stores.versions });
  const onModel = follow(resources.models, { store: stores.models });
  // Beside a KubeDL only its own definitions may be there.
  const onBinding = follow(resources.modelbindings, {
    store: stores.bindings,
    absentIsEmpty: true,
  });
  const onNamespace = follow(resources.namespaces, {
    store: stores.namespaces,
    labelSelector: SELECTORS.namespaces,
    metadataOnly: true,
  });
  follow(resources.nodes, { store: stores.nodes, pick: pickNode });
  follow(resources.pods, {
    store: stores.served,
    labelSelector: SELECTORS.served,
    metadataOnly: true,
    pick: pickServed,
    // Anybody can label pods, and write a quarter of a megabyte into the annotations of each.
    pageSize: 50,
  });
  const synced = Promise.all(informers);
  // Whoever awaits it still gets the rejection; nobody has to.
  synced.catch(() => {});
  return { synced, onVersion, onModel, onBinding, onNamespace };
}
