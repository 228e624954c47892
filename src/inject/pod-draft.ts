import type { Container, EnvVar, Pod, Volume, VolumeMount } from "../api/kube-types.ts";
import { pointerToken, type PatchOperation } from "../api/review.ts";

/** A container of the pod as it came in. */
export interface ContainerRef {
  readonly list: "containers" | "initContainers";
  /** Index in the incoming list. */
  readonly index: number;
  readonly container: Container;
}

/**
 * Edits to a pod that are recorded as JSON Patch (RFC 6902) and seen by later edits; the pod itself is never copied or
 * changed. Nothing that the user set is replaced.
 */
export interface PodDraft {
  /** The pod's containers and init containers, in the order in which they start. */
  readonly containers: readonly ContainerRef[];
  addVolume(volume: Volume): void;
  addMount(ref: ContainerRef, mount: VolumeMount): void;
  /** Adds a variable unless the container has one of that name. */
  addEnv(ref: ContainerRef, env: EnvVar): void;
  /** Puts a container before the pod's own init containers, after those that were put there by earlier calls. */
  addFirstInitContainer(container: Container): void;
  /** Adds a gate unless the pod has it. */
  addGate(name: string): void;
  /** Adds a Secret unless the pod has it. */
  addPullSecret(name: string): void;
  /** Adds a finalizer unless the pod has it. */
  addFinalizer(name: string): void;
  setAnnotation(key: string, value: string): void;
  setLabel(key: string, value: string): void;
  /** The recorded operations, to be applied in order. */
  operations(): readonly PatchOperation[];
}

type Named = { readonly name?: string };

/** Starts a draft of the pod. */
export function draftPod(pod: Pod): PodDraft {
  const appended = new Map<string, unknown[]>();
  const set = new Map<string, Map<string, string>>();
  const first: Container[] = [];
  const spec = pod.spec;

  function append(path: string, item: unknown): void {
    const items = appended.get(path);
    if (items === undefined) appended.set(path, [item]);
    else items.push(item);
  }
  function appendNamed(path: string, existing: readonly Named[] | undefined, name: string): void {
    const known = [...(existing ?? []), ...((appended.get(path) ?? []) as Named[])];
    if (!known.some((each) => each.name === name)) append(path, { name });
  }
  function put(map: "annotations" | "labels", key: string, value: string): void {
    if (pod.metadata?.[map]?.[key] === value) return;
    const entries = set.get(map) ?? new Map<string, string>();
    set.set(map, entries.set(key, value));
  }

  return {
    containers: [
      ...(spec?.initContainers ?? []).map((container, index): ContainerRef => ({
        list: "initContainers",
        index,
        container,
      })),
      ...(spec?.containers ?? []).map((container, index): ContainerRef => ({
        list: "containers",
        index,
        container,
      })),
    ],
    addVolume: (volume) => append("/spec/volumes", volume),
    addMount: (ref, mount) => append(`${pathOf(ref)}/volumeMounts`, mount),
    addEnv: (ref, env) => {
      const path = `${pathOf(ref)}/env`;
      const known = [...(ref.container.env ?? []), ...((appended.get(path) ?? []) as EnvVar[])];
      if (!known.some(({ name }) => name === env.name)) append(path, env);
    },
    addFirstInitContainer: (container) => void first.push(container),
    addGate: (name) => appendNamed("/spec/schedulingGates", spec?.schedulingGates, name),
    addPullSecret: (name) => appendNamed("/spec/imagePullSecrets", spec?.imagePullSecrets, name),
    addFinalizer: (name) => {
      if (pod.metadata?.finalizers?.includes(name) !== true) append("/metadata/finalizers", name);
    },
    setAnnotation: (key, value) => put("annotations", key, value),
    setLabel: (key, value) => put("labels", key, value),
    operations: () => [
      ...[...set].flatMap(([map, entries]) =>
        setEntries(`/metadata/${map}`, pod.metadata?.[map as "labels"], entries),
      ),
      ...[...appended].flatMap(([path, items]) => appendItems(path, listAt(pod, path), items)),
      // Last, because it moves the init containers that the operations above name by index.
      ...prepend(spec?.initContainers, first),
    ],
  };
}

function pathOf(ref: ContainerRef): string {
  return `/spec/${ref.list}/${ref.index}`;
}

function setEntries(
  path: string,
  existing: object | null | undefined,
  entries: ReadonlyMap<string, string>,
): PatchOperation[] {
  if (existing === undefined || existing === null) {
    return [{ op: "add", path, value: Object.fromEntries(entries) }];
  }
  return [...entries].map(([key, value]) => ({
    op: "add",
    path: `${path}/${pointerToken(key)}`,
    value,
  }));
}

function appendItems(
  path: string,
  existing: readonly unknown[] | undefined,
  items: readonly unknown[],
): PatchOperation[] {
  if (existing === undefined) return [{ op: "add", path, value: items }];
  return items.map((value) => ({ op: "add", path: `${path}/-`, value }));
}

function prepend(
  existing: readonly Container[] | null | undefined,
  containers: readonly Container[],
): readonly PatchOperation[] {
  if (containers.length === 0) return [];
  if (existing === undefined || existing === null) {
    return [{ op: "add", path: "/spec/initContainers", value: containers }];
  }
  return containers.map((value, index) => ({
    op: "add",
    path: `/spec/initContainers/${index}`,
    value,
  }));
}

/** The list at one of the paths that a draft appends to; none of their tokens is escaped. */
function listAt(pod: Pod, path: string): readonly unknown[] | undefined {
  let node: unknown = pod;
  for (const token of path.split("/").slice(1)) node = (node as Record<string, unknown>)?.[token];
  return Array.isArray(node) ? node : undefined;
}
