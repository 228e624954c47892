import { describe, expect, test } from "vitest";
import type { ConfigMap, Pod } from "../../../src/api/kube-types.ts";
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from "../../../src/kube/errors.ts";
import { listAll } from "../../../src/kube/list.ts";
import { resources, type Resource } from "../../../src/kube/resources.ts";
import {
  apply,
  create,
  get,
  jsonPatch,
  mergePatch,
  patchStatus,
  remove,
  update,
  updateStatus,
} from "../../../src/kube/write.ts";
import { useCluster } from "./cluster.ts";

const cluster = useCluster();
const { configmaps, pods } = resources;
const STALE = "1";

describe("a precondition that does not hold is a conflict and changes nothing", () => {
  test.each<{ write: string; attempt: (map: ConfigMap & Named) => Promise<unknown> }>([
    {
      write: "update",
      attempt: async (map) =>
        update(cluster.api, configmaps, {
          ...map,
          metadata: { ...map.metadata, resourceVersion: STALE },
          data: { text: "other" },
        }),
    },
    {
      write: "mergePatch",
      attempt: async ({ metadata }) =>
        mergePatch(cluster.api, configmaps, metadata, {
          metadata: { resourceVersion: STALE },
          data: { text: "other" },
        }),
    },
    {
      write: "remove by resourceVersion",
      attempt: async ({ metadata }) =>
        remove(cluster.api, configmaps, metadata, { resourceVersion: STALE }),
    },
    {
      write: "remove by uid",
      attempt: async ({ metadata }) => remove(cluster.api, configmaps, metadata, { uid: "other" }),
    },
  ])("$write", async ({ attempt }) => {
    const map = await makeMap();

    const error = await failureOf(attempt(map));

    expect(isConflict(error)).toBe(true);
    expect(await get(cluster.api, configmaps, map.metadata)).toEqual(map);
  });

  test("patchStatus and updateStatus", async () => {
    const pod = await makePod();
    const stale = { ...pod.metadata, resourceVersion: STALE };
    const status = { phase: "Running" };

    const patched = await failureOf(patchStatus(cluster.api, pods, stale, status));
    const updated = await failureOf(
      updateStatus(cluster.api, pods, { ...pod, metadata: stale, status }),
    );

    expect([isConflict(patched), isConflict(updated)]).toEqual([true, true]);
    expect(await get<Pod>(cluster.api, pods, pod.metadata)).toEqual(pod);
  });
});

describe("what is not there", () => {
  test.each<{
    write: string;
    attempt: (ref: { namespace: string; name: string }) => Promise<unknown>;
  }>([
    { write: "get", attempt: async (ref) => get(cluster.api, configmaps, ref) },
    { write: "mergePatch", attempt: async (ref) => mergePatch(cluster.api, configmaps, ref, {}) },
    { write: "jsonPatch", attempt: async (ref) => jsonPatch(cluster.api, configmaps, ref, []) },
    { write: "patchStatus", attempt: async (ref) => patchStatus(cluster.api, pods, ref, {}) },
    { write: "remove", attempt: async (ref) => remove(cluster.api, configmaps, ref) },
  ])("is not found by $write", async ({ attempt }) => {
    const namespace = await cluster.makeNamespace();

    const error = await failureOf(attempt({ namespace, name: "absent" }));

    expect(isNotFound(error)).toBe(true);
    expect(error).toMatchObject({ details: { name: "absent" } });
  });

  test("is created by apply", async () => {
    const namespace = await cluster.makeNamespace();
    const metadata = { namespace, name: "applied" };

    await apply(cluster.api, configmaps, { metadata, data: { text: "a" } } as ConfigMap);

    const stored = await get<ConfigMap>(cluster.api, configmaps, metadata);
    expect(stored).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { text: "a" } });
    expect(stored.metadata?.managedFields).toMatchObject([
      { manager: "modelhook", operation: "Apply" },
    ]);
  });
});

test("apply takes fields that somebody else owns and leaves the others alone", async () => {
  const { metadata } = await makeMap();
  const { namespace, name } = metadata;
  await cluster.plane.kubectl([
    "patch",
    "configmap",
    name,
    "-n",
    namespace,
    "-p",
    '{"data":{"text":"theirs","more":"theirs"}}',
  ]);

  await apply(cluster.api, configmaps, {
    metadata: { namespace, name },
    data: { text: "ours" },
  } as ConfigMap);

  const { data } = await get<ConfigMap>(cluster.api, configmaps, metadata);
  expect(data).toEqual({ text: "ours", more: "theirs" });
});

test("a second object of the same name already exists", async () => {
  const { metadata } = await makeMap();
  const { namespace, name } = metadata;

  const error = await failureOf(create(cluster.api, configmaps, { metadata: { namespace, name } }));

  expect(isAlreadyExists(error)).toBe(true);
  expect(isConflict(error)).toBe(false);
});

test("an object against its schema is invalid, with the field's path", async () => {
  const namespace = await cluster.makeNamespace();

  const error = await failureOf(
    create(cluster.api, configmaps, { metadata: { namespace, name: "UPPER" } }),
  );

  expect(isInvalid(error)).toBe(true);
  expect(error).toMatchObject({ details: { causes: [{ field: "metadata.name" }] } });
});

test("jsonPatch changes an object only when its tests hold", async () => {
  const { metadata } = await makeMap();
  const path = "/data/text";
  const replace = { op: "replace", path, value: "new" } as const;

  const error = await failureOf(
    jsonPatch(cluster.api, configmaps, metadata, [{ op: "test", path, value: "other" }, replace]),
  );
  expect(isInvalid(error)).toBe(true);

  const patched = await jsonPatch<ConfigMap>(cluster.api, configmaps, metadata, [
    { op: "test", path, value: "text" },
    replace,
  ]);
  expect(patched.data).toEqual({ text: "new" });
});

test("patchStatus changes the status alone", async () => {
  const { metadata, spec } = await makePod();

  await patchStatus(cluster.api, pods, metadata, { phase: "Failed", message: "out of disk" });

  const stored = await get<Pod>(cluster.api, pods, metadata);
  expect(stored).toMatchObject({ spec, status: { phase: "Failed", message: "out of disk" } });
});

test("a dry run answers as if, and changes nothing", async () => {
  const map = await makeMap();

  const answer = await mergePatch<ConfigMap>(
    cluster.api,
    configmaps,
    map.metadata,
    { data: { text: "tried" } },
    { dryRun: true },
  );

  expect(answer.data).toEqual({ text: "tried" });
  expect(await get(cluster.api, configmaps, map.metadata)).toEqual(map);
});

test("a list reads every page, and every item has its type", async () => {
  const namespace = await cluster.makeNamespace();
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names)
    await create(cluster.api, configmaps, { metadata: { namespace, name } });

  const { items, resourceVersion } = await listAll(cluster.api, configmaps, {
    namespace,
    pageSize: 2,
  });

  expect(items.map(({ metadata }) => metadata?.name)).toEqual(names);
  expect(items.every(({ kind, apiVersion }) => kind === "ConfigMap" && apiVersion === "v1")).toBe(
    true,
  );
  expect(resourceVersion).toMatch(/^\d+$/);
});

test.each(
  // Questions of authorization are answered, and not kept: they can not be listed.
  Object.entries<Resource>(resources).filter(
    ([, { group }]) => group !== "model.kubedl.io" && group !== "authorization.k8s.io",
  ),
)("the server knows %s at that address", async (_, resource) => {
  const { items } = await listAll(cluster.api, resource);

  expect(items).toBeInstanceOf(Array);
});

interface Named {
  readonly metadata: { readonly namespace: string; readonly name: string };
}

async function makeMap(): Promise<ConfigMap & Named> {
  const namespace = await cluster.makeNamespace();
  const metadata = { namespace, name: "map" };
  const map = { metadata, data: { text: "text" } };
  return create(cluster.api, configmaps, map as ConfigMap & Named);
}

async function makePod(): Promise<Pod & Named> {
  const namespace = await cluster.makeNamespace();
  const metadata = { namespace, name: "pod" };
  const spec = { containers: [{ name: "main", image: "registry.example/image:1" }] };
  return create(cluster.api, pods, { metadata, spec });
}

async function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => expect.fail("It should have been refused"),
    (error: unknown) => error,
  );
}
