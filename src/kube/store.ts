import type { KubeObject } from "../api/kube-types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { deepFreeze } from "./freeze.ts";

/** What became of one object; a name that got a new uid is a deletion and an addition. */
export type Change<T> =
  | { readonly type: "added"; readonly object: T }
  | { readonly type: "updated"; readonly object: T; readonly previous: T }
  | { readonly type: "deleted"; readonly object: T };

/** The keys under which an index finds an object; pure, and ready for any shape that the API server accepts. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Objects of one kind as last seen on the server: plain JSON, deeply frozen, with apiVersion and kind. */
export interface Store<T, I extends string = never> {
  readonly size: number;
  /** `namespace` is undefined for a cluster-scoped kind. */
  get(namespace: string | undefined, name: string): T | undefined;
  list(): T[];
  /** Every object for which the index gave `key`. */
  by(index: I, key: string): T[];
}

/** The informer's side of a store: what it returns has already been done. */
export interface WritableStore<T, I extends string = never> extends Store<T, I> {
  set(object: T): Change<T>[];
  /** Does nothing when the name has passed to another uid. */
  remove(object: T): Change<T>[];
  /** Makes the store equal to a whole list. */
  replace(objects: readonly T[]): Change<T>[];
}

interface Index<T> {
  readonly keysOf: IndexFunction<T>;
  readonly buckets: Map<string, Map<string, T>>;
}

/** Makes an empty store. An index that throws is logged and does not find that object. */
export function createStore<T extends KubeObject, I extends string = never>(
  options: {
    readonly indexes?: Readonly<Record<I, IndexFunction<T>>>;
    readonly log?: Logger;
  } = {},
): WritableStore<T, I> {
  const objects = new Map<string, T>();
  const indexes = new Map<string, Index<T>>(
    Object.entries<IndexFunction<T>>(options.indexes ?? {}).map(([name, keysOf]) => [
      name,
      { keysOf: guard(name, keysOf, options.log), buckets: new Map<string, Map<string, T>>() },
    ]),
  );

  function put(id: string, object: T): void {
    take(id);
    objects.set(id, object);
    for (const { keysOf, buckets } of indexes.values()) {
      for (const key of keysOf(object)) {
        const bucket = buckets.get(key) ?? new Map<string, T>();
        buckets.set(key, bucket.set(id, object));
      }
    }
  }

  function take(id: string): void {
    const object = objects.get(id);
    if (object === undefined) return;
    objects.delete(id);
    for (const { keysOf, buckets } of indexes.values()) {
      for (const key of keysOf(object)) {
        const bucket = buckets.get(key);
        bucket?.delete(id);
        if (bucket?.size === 0) buckets.delete(key);
      }
    }
  }

  function set(object: T): Change<T>[] {
    const id = idOf(object);
    const previous = objects.get(id);
    if (previous !== undefined && isSameVersion(previous, object)) return [];
    put(id, deepFreeze(object));
    if (previous === undefined) return [{ type: "added", object }];
    if (isSameObject(previous, object)) return [{ type: "updated", object, previous }];
    return [
      { type: "deleted", object: previous },
      { type: "added", object },
    ];
  }

  function remove(object: T): Change<T>[] {
    const id = idOf(object);
    const previous = objects.get(id);
    if (previous === undefined || !isSameObject(previous, object)) return [];
    take(id);
    return [{ type: "deleted", object: deepFreeze(object) }];
  }

  return {
    get size() {
      return objects.size;
    },
    get: (namespace, name) => objects.get(`${namespace ?? ""}/${name}`),
    list: () => [...objects.values()],
    by(index, key) {
      return [...(indexes.get(index)?.buckets.get(key)?.values() ?? [])];
    },
    set,
    remove,
    replace(listed) {
      const present = new Set(listed.map((object) => idOf(object)));
      const absent = [...objects].filter(([id]) => !present.has(id)).map(([, object]) => object);
      return [...absent.flatMap(remove), ...listed.flatMap(set)];
    },
  };
}

function guard<T extends KubeObject>(
  name: string,
  keysOf: IndexFunction<T>,
  log: Logger | undefined,
): IndexFunction<T> {
  return (object) => {
    try {
      return keysOf(object);
    } catch (err) {
      log?.error({ err, index: name, kind: object.kind, object: idOf(object) }, "Index failed");
      return [];
    }
  };
}

function idOf({ metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}

function isSameObject(one: KubeObject, other: KubeObject): boolean {
  return one.metadata?.uid === other.metadata?.uid;
}

function isSameVersion(one: KubeObject, other: KubeObject): boolean {
  return (
    isSameObject(one, other) && one.metadata?.resourceVersion === other.metadata?.resourceVersion
  );
}
