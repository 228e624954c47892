import { describe, expect, test } from "vitest";
import { createStore, type Change } from "./store.ts";

interface Thing {
  readonly kind: string;
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly color?: string;
}

describe("a store tells what a new state of an object means", () => {
  const stored = makeThing("a", { uid: "1", version: "10", color: "red" });
  test.each<{ what: string; next: Thing; changes: Change<Thing>[] }>([
    {
      what: "the same version: nothing",
      next: makeThing("a", { uid: "1", version: "10" }),
      changes: [],
    },
    {
      what: "another version: an update",
      next: makeThing("a", { uid: "1", version: "11" }),
      changes: [
        { type: "updated", object: makeThing("a", { uid: "1", version: "11" }), previous: stored },
      ],
    },
    {
      what: "another uid: a deletion and an addition",
      next: makeThing("a", { uid: "2", version: "11" }),
      changes: [
        { type: "deleted", object: stored },
        { type: "added", object: makeThing("a", { uid: "2", version: "11" }) },
      ],
    },
    {
      what: "another name: an addition",
      next: makeThing("b", { uid: "2", version: "11" }),
      changes: [{ type: "added", object: makeThing("b", { uid: "2", version: "11" }) }],
    },
    {
      what: "another namespace: an addition",
      next: makeThing("a", { namespace: "other", uid: "2", version: "11" }),
      changes: [
        { type: "added", object: makeThing("a", { namespace: "other", uid: "2", version: "11" }) },
      ],
    },
  ])("$what", ({ next, changes }) => {
    const store = createStore<Thing>();
    store.set(stored);

    expect(store.set(next)).toEqual(changes);
  });

  test("a deletion, with the last state", () => {
    const store = createStore<Thing>();
    store.set(stored);
    const last = makeThing("a", { uid: "1", version: "12" });

    expect(store.remove(last)).toEqual([{ type: "deleted", object: last }]);
    expect(store.size).toBe(0);
  });

  test("the deletion of what is not there, or of a former object of that name: nothing", () => {
    const store = createStore<Thing>();
    store.set(stored);

    expect(store.remove(makeThing("b", { uid: "9" }))).toEqual([]);
    expect(store.remove(makeThing("a", { uid: "0" }))).toEqual([]);
    expect(store.get("ns", "a")).toBe(stored);
  });

  test("a whole list: what is gone, what changed, what is new, and no word of the rest", () => {
    const store = createStore<Thing>();
    const [gone, changed, replaced, same] = ["gone", "changed", "replaced", "same"].map((name) =>
      makeThing(name, { uid: name }),
    );
    store.replace([gone, changed, replaced, same].filter((thing) => thing !== undefined));

    const changes = store.replace([
      makeThing("changed", { uid: "changed", version: "2" }),
      makeThing("replaced", { uid: "other" }),
      makeThing("same", { uid: "same" }),
      makeThing("new", { uid: "new" }),
    ]);

    expect(changes.map(({ type, object }) => `${type} ${object.metadata.uid}`)).toEqual([
      "deleted gone",
      "updated changed",
      "deleted replaced",
      "added other",
      "added new",
    ]);
    expect(store.get("ns", "same")).toBe(same);
    expect(store.size).toBe(4);
  });
});

describe("an index", () => {
  test("finds objects by every key it gave, and follows their changes", () => {
    const store = makeIndexed();
    store.set(makeThing("a", { uid: "1", version: "1", color: "red" }));
    store.set(makeThing("b", { uid: "2", version: "1", color: "red,blue" }));
    expect(namesOf(store.by("color", "red"))).toEqual(["a", "b"]);
    expect(namesOf(store.by("color", "blue"))).toEqual(["b"]);

    store.set(makeThing("b", { uid: "2", version: "2", color: "green" }));
    expect(namesOf(store.by("color", "red"))).toEqual(["a"]);
    expect(namesOf(store.by("color", "blue"))).toEqual([]);
    expect(namesOf(store.by("color", "green"))).toEqual(["b"]);

    store.replace([]);
    expect(store.by("color", "red")).toEqual([]);
  });

  test("gives the present state", () => {
    const store = makeIndexed();
    store.set(makeThing("a", { uid: "1", version: "1", color: "red" }));
    store.set(makeThing("a", { uid: "1", version: "2", color: "red" }));

    expect(store.by("color", "red").map(({ metadata }) => metadata.resourceVersion)).toEqual(["2"]);
  });

  test("that throws is reported and misses that object only", () => {
    const reports: object[] = [];
    const report = (fields: object): void => void reports.push(fields);
    const log = { debug: report, info: report, warn: report, error: report };
    const store = createStore({ indexes: { color: colorsOf }, log });

    store.set(makeThing("colorless", { uid: "1" }));
    store.set(makeThing("a", { uid: "2", color: "red" }));

    expect(namesOf(store.list())).toEqual(["colorless", "a"]);
    expect(namesOf(store.by("color", "red"))).toEqual(["a"]);
    expect(reports).toMatchObject([{ index: "color", kind: "Thing", object: "ns/colorless" }]);
    expect(store.remove(makeThing("colorless", { uid: "1" }))).toHaveLength(1);
  });
});

test("objects without a namespace are found without one", () => {
  const store = createStore<Thing>();
  const { namespace: _, ...metadata } = makeThing("node", { uid: "1" }).metadata;
  store.set({ kind: "Thing", metadata });

  expect(store.get(undefined, "node")?.metadata.uid).toBe("1");
});

test("stored objects cannot be changed at any depth", () => {
  const store = createStore<Thing & { spec: { list: { deep: number }[] } }>();
  store.set({ ...makeThing("a", { uid: "1" }), spec: { list: [{ deep: 1 }] } });
  const stored = store.get("ns", "a");

  expect(() => Object.assign(stored?.spec.list[0] ?? {}, { deep: 2 })).toThrow("read only");
  expect(() => stored?.spec.list.push({ deep: 3 })).toThrow("not extensible");
});

function makeThing(
  name: string,
  options: { uid: string; version?: string; namespace?: string; color?: string },
): Thing {
  const { uid, version = "1", namespace = "ns", color } = options;
  return {
    kind: "Thing",
    metadata: { namespace, name, uid, resourceVersion: version },
    ...(color === undefined ? {} : { color }),
  };
}

function colorsOf({ color }: Thing): string[] {
  // As a careless index does, for an object without the field.
  return (color as string).split(",");
}

function makeIndexed(): ReturnType<typeof createStore<Thing, "color">> {
  return createStore<Thing, "color">({ indexes: { color: colorsOf } });
}

function namesOf(things: readonly Thing[]): string[] {
  return things.map(({ metadata }) => metadata.name);
}
