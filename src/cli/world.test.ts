import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { makePod, makeUsingPod } from "../../test/make/pod.ts";
import { makeEnabledNamespace, makeWorld } from "../../test/make/world.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { BUILT_IN_POLICY } from "./built-in-limits.ts";
import { afterApplying, emptyWorld, snapshotIn, type World } from "./world.ts";

const NOTHING = emptyWorld(BUILT_IN_POLICY);

function applied(objects: readonly KubeObject[], world: World = NOTHING): World {
  return afterApplying(world, deepFreeze(objects), "default");
}

/** A pod with a model, of the controller with that UID. */
function usingPodOf(uid: string): KubeObject {
  return makeUsingPod(({ metadata }) => {
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web" };
    metadata.ownerReferences = [{ ...owner, uid, controller: true }];
  });
}

describe("an object of a file", () => {
  test("goes where its type belongs", () => {
    const world = applied([
      makeBuiltVersion(),
      makeModel(),
      makeBinding(),
      makeEnabledNamespace(),
      makeNode(),
      makePod(),
    ]);
    const names = Object.entries(world).flatMap(([list, objects]) =>
      Array.isArray(objects) ? [`${list} ${objects.length}`] : [],
    );
    expect(names).toEqual([
      "versions 1",
      "models 1",
      "bindings 1",
      "namespaces 1",
      "nodes 1",
      "served 0",
    ]);
  });

  test("comes into the given namespace when it names none", () => {
    const { metadata, ...version } = makeBuiltVersion();
    for (const namespace of [undefined, null, ""]) {
      const placed = { ...metadata, namespace } as NonNullable<KubeObject["metadata"]>;
      const [found] = applied([{ ...version, metadata: placed }]).versions;
      expect(found?.metadata.namespace).toBe("default");
    }
  });

  test("keeps the status that is known, since to apply it changes none", () => {
    const world = applied([makeModelVersion()], applied([makeBuiltVersion()]));
    expect(world.versions).toHaveLength(1);
    expect(world.versions[0]?.status).toEqual(makeBuiltVersion().status);
  });

  test("changes what it says, and keeps the labels of a namespace that it does not name", () => {
    const plain = { apiVersion: "v1", kind: "Namespace", metadata: { name: "team-a" } };
    const world = applied([plain], applied([makeEnabledNamespace()]));
    expect(snapshotIn(world, "team-a", {}, 0).injectionEnabled).toBe(true);
    const aliases = { production: "mnist-v1" };
    const models = applied(
      [makeModel((model) => void (model.spec = { aliases }))],
      applied([makeModel()]),
    );
    expect(models.models.map(({ spec }) => spec)).toEqual([{ aliases }]);
  });
});

describe("a binding that nobody has made yet", () => {
  test.each([[undefined], [null]])("is younger than every other (%s)", (creationTimestamp) => {
    const fresh = makeBinding(({ metadata }) => {
      metadata.name = "a";
      Object.assign(metadata, { creationTimestamp });
    });
    const { bindings } = applied([fresh], applied([makeBinding()]));
    const ages = bindings.map(({ metadata }) => metadata.creationTimestamp ?? "");
    expect(ages).toEqual(["2026-11-01T00:00:00Z", "9999-12-31T23:59:59Z"]);
  });

  test("keeps the age of the one that it changes", () => {
    const fresh = makeBinding(({ metadata }) => void delete metadata.creationTimestamp);
    const { bindings } = applied([fresh], applied([makeBinding()]));
    expect(bindings[0]?.metadata.creationTimestamp).toBe("2026-11-01T00:00:00Z");
  });
});

describe("a snapshot", () => {
  test("holds what is in the namespace, by name", () => {
    const elsewhere = makeBuiltVersion(({ metadata }) => void (metadata.namespace = "team-b"));
    const world = makeWorld((made) => {
      made.versions = [makeBuiltVersion(), elsewhere];
      made.models = [makeModel()];
    });
    const snapshot = snapshotIn(world, "team-a", {}, 0);
    expect(snapshot.versions).toEqual({ "mnist-v1": makeBuiltVersion() });
    expect(snapshot.versionNames).toEqual(["mnist-v1"]);
    expect(snapshot.modelNames).toEqual(["mnist"]);
  });

  test("has the namespace's bindings where they are in effect only", () => {
    const world = makeWorld((made) => void (made.bindings = [makeBinding()]));
    const enabled = { ...world, namespaces: [makeEnabledNamespace()] };
    expect(snapshotIn(world, "team-a", {}, 0).bindings).toEqual([]);
    expect(snapshotIn(enabled, "team-a", {}, 0).bindings).toEqual([makeBinding()]);
    expect(snapshotIn(enabled, "team-b", {}, 0).bindings).toEqual([]);
  });

  test("has the pods of the same controller", () => {
    const world = makeWorld(
      (made) => void (made.served = [usingPodOf("1"), usingPodOf("2"), makeUsingPod()]),
    );
    expect(snapshotIn(world, "team-a", usingPodOf("1"), 0).siblings).toEqual([usingPodOf("1")]);
    expect(snapshotIn(world, "team-a", makePod(), 0).siblings).toEqual([]);
  });

  test("tells unknown nodes from none", () => {
    expect(snapshotIn(NOTHING, "team-a", {}, 0).nodes).toBeUndefined();
    expect(snapshotIn({ ...NOTHING, nodes: [] }, "team-a", {}, 0).nodes).toEqual([]);
  });
});
