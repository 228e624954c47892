import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { storedSpec } from "../api/stored-spec.ts";
import type { Stores } from "../gather/stores.ts";
import type { Change } from "../kube/store.ts";
import { wantedByBinding } from "../reconcile/binding.ts";
import { keyOf, type Key } from "./loop.ts";

/** What a change of a binding may concern: itself, and the others of its namespace, of which the oldest has a pod. */
export function keysOfBinding(
  stores: Pick<Stores, "bindings">,
  change: Change<ModelBinding>,
): readonly Key[] {
  const { metadata } = change.object;
  const isOnlyStatus =
    change.type === "updated" &&
    change.previous.metadata.generation === metadata.generation &&
    change.previous.metadata.deletionTimestamp === metadata.deletionTimestamp;
  const own = keyOfBinding(change.object);
  return isOnlyStatus ? [own] : [own, ...keysOfNamespace(stores, metadata.namespace)];
}

/** The bindings that the label of a namespace puts into effect. */
export function keysOfNamespace(
  { bindings }: Pick<Stores, "bindings">,
  namespace: string | undefined,
): readonly Key[] {
  return bindings.by("namespace", namespace ?? "").map(keyOfBinding);
}

/** The bindings that serve a version, by its name or as one of its Model. */
export function bindingsServing(
  stores: Pick<Stores, "bindings">,
  version: ModelVersion,
): readonly Key[] {
  const { namespace, name } = version.metadata;
  const { modelName } = storedSpec(version);
  return serving(stores, namespace, (wanted) =>
    "model" in wanted ? wanted.model === modelName : wanted.modelVersion === name,
  );
}

/** The bindings that serve a Model, by an alias or its latest version. */
export function bindingsServingModel(
  stores: Pick<Stores, "bindings">,
  { metadata }: Model,
): readonly Key[] {
  return serving(
    stores,
    metadata.namespace,
    (wanted) => "model" in wanted && wanted.model === metadata.name,
  );
}

function serving(
  { bindings }: Pick<Stores, "bindings">,
  namespace: string | undefined,
  isMeant: (wanted: NonNullable<ReturnType<typeof wantedByBinding>>) => boolean,
): readonly Key[] {
  return bindings
    .by("namespace", namespace ?? "")
    .filter((binding) => {
      const wanted = wantedByBinding(binding);
      return wanted !== undefined && isMeant(wanted);
    })
    .map(keyOfBinding);
}

/** The key of a binding. */
export function keyOfBinding(binding: ModelBinding): Key {
  return keyOf("modelbinding", binding);
}
