import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyKey, anyPod } from "../../test/make/any-pod.ts";
import { patched } from "../../test/make/patched.ts";
import { makePod } from "../../test/make/pod.ts";
import type { Container, Pod } from "../api/kube-types.ts";
import { draftPod, type ContainerRef, type PodDraft } from "./pod-draft.ts";

const LOADER: Container = { name: "loader" };

function edit(pod: Pod, edits: (draft: PodDraft, first: ContainerRef) => void): Pod {
  const draft = draftPod(pod);
  const [first] = draft.containers;
  if (first === undefined) throw new Error("the pod has no container");
  edits(draft, first);
  return patched(pod, draft.operations());
}

describe("a draft", () => {
  test("without edits has no operations", () => {
    expect(draftPod(makePod()).operations()).toEqual([]);
  });

  test("names the containers in the order in which they start", () => {
    const pod = makePod((each) => {
      each.spec.initContainers = [{ name: "first" }, { name: "second" }];
    });
    expect(draftPod(pod).containers.map(({ container }) => container.name)).toEqual([
      "first",
      "second",
      "server",
    ]);
  });

  test("adds lists that are not there, and to lists that are", () => {
    const after = edit(makePod(), (draft, first) => {
      draft.addVolume({ name: "one" });
      draft.addVolume({ name: "two" });
      draft.addMount(first, { name: "one", mountPath: "/one" });
      draft.addMount(first, { name: "two", mountPath: "/two" });
      draft.addGate("gate");
      draft.addPullSecret("pull");
      draft.addFirstInitContainer(LOADER);
    });
    expect(after.spec).toMatchObject({
      volumes: [{ name: "one" }, { name: "two" }],
      containers: [
        {
          volumeMounts: [
            { name: "one", mountPath: "/one" },
            { name: "two", mountPath: "/two" },
          ],
        },
      ],
      schedulingGates: [{ name: "gate" }],
      imagePullSecrets: [{ name: "pull" }],
      initContainers: [LOADER],
    });
  });

  test("changes the init container that it was given, although another is put before it", () => {
    const pod = makePod((each) => {
      each.spec.initContainers = [{ name: "init" }];
    });
    const after = edit(pod, (draft, first) => {
      draft.addFirstInitContainer(LOADER);
      draft.addEnv(first, { name: "KEY", value: "value" });
    });
    expect(after.spec?.initContainers).toEqual([
      LOADER,
      { name: "init", env: [{ name: "KEY", value: "value" }] },
    ]);
  });

  test("keeps a variable, a gate and a pull secret that the pod has", () => {
    const pod = makePod((each) => {
      each.spec.containers[0].env = [{ name: "KEY", value: "the user's" }];
      each.spec.schedulingGates = [{ name: "other" }, { name: "gate" }];
      each.spec.imagePullSecrets = [{ name: "other" }, { name: "pull" }];
    });
    const after = edit(pod, (draft, first) => {
      draft.addEnv(first, { name: "KEY", value: "ours" });
      draft.addGate("gate");
      draft.addPullSecret("pull");
    });
    expect(after).toEqual(pod);
  });

  test("adds a variable, a gate and a pull secret once", () => {
    const after = edit(makePod(), (draft, first) => {
      draft.addEnv(first, { name: "KEY", value: "first" });
      draft.addEnv(first, { name: "KEY", value: "second" });
      for (const name of ["one", "two", "one"]) {
        draft.addGate(name);
        draft.addPullSecret(name);
      }
    });
    const names = [{ name: "one" }, { name: "two" }];
    expect(after.spec?.containers[0]?.env).toEqual([{ name: "KEY", value: "first" }]);
    expect(after.spec).toMatchObject({ schedulingGates: names, imagePullSecrets: names });
  });

  test.each<[string, readonly Container[] | null | undefined]>([
    ["there are none", undefined],
    ["there are null", null],
    ["the list is empty", []],
    ["there are others", [{ name: "init" }]],
  ])("puts several containers first in the order of the calls, where %s", (_, initContainers) => {
    const pod = makePod((each) => void Object.assign(each.spec, { initContainers }));
    const after = edit(pod, (draft) => {
      for (const name of ["one", "two", "three"]) draft.addFirstInitContainer({ name });
    });
    expect(after.spec?.initContainers?.map(({ name }) => name)).toEqual([
      "one",
      "two",
      "three",
      ...(initContainers ?? []).map(({ name }) => name),
    ]);
  });

  test("sets annotations and labels, and leaves those that are right", () => {
    const pod = makePod((each) => {
      each.metadata.annotations = { "a/b~c": "old", same: "same" };
    });
    const draft = draftPod(pod);
    draft.setAnnotation("a/b~c", "new");
    draft.setAnnotation("same", "same");
    draft.setLabel("label", "x");
    draft.setLabel("label", "y");
    expect(patched(pod, draft.operations()).metadata).toMatchObject({
      annotations: { "a/b~c": "new", same: "same" },
      labels: { label: "y" },
    });
    expect(draft.operations()).toHaveLength(2);
  });

  test("takes null for a list that is not there, as Go writes it", () => {
    const pod = makePod((each) => {
      Object.assign(each.spec, { initContainers: null, volumes: null, schedulingGates: null });
      Object.assign(each.metadata, { labels: null });
      Object.assign(each.spec.containers[0], { env: null, volumeMounts: null });
    });
    const after = edit(pod, (draft, first) => {
      draft.addVolume({ name: "one" });
      draft.addMount(first, { name: "one", mountPath: "/one" });
      draft.addEnv(first, { name: "KEY" });
      draft.addGate("gate");
      draft.setLabel("label", "x");
      draft.addFirstInitContainer(LOADER);
    });
    expect(after.spec).toMatchObject({ volumes: [{ name: "one" }], initContainers: [LOADER] });
  });
});

test("whatever the pod is, the patch fits and nothing that the user set is lost", () => {
  fc.assert(
    fc.property(anyPod, anyKey, (pod, mapKey) => {
      const after = editAll(pod, mapKey);
      expect(after.spec?.initContainers?.[0]).toEqual(LOADER);
      expect(after.metadata?.annotations?.[mapKey]).toBe("ours");
      expect(ofTheUser(after, mapKey)).toEqual(ofTheUser(pod, mapKey));
    }),
  );
});

function editAll(pod: Pod, mapKey: string): Pod {
  return edit(pod, (draft) => {
    draft.addVolume({ name: "volume" });
    for (const ref of draft.containers) {
      draft.addMount(ref, { name: "volume", mountPath: "/volume" });
      draft.addEnv(ref, { name: "KEY", value: "ours" });
    }
    draft.addFirstInitContainer(LOADER);
    draft.addGate("gate");
    draft.addPullSecret("pull");
    draft.setAnnotation(mapKey, "ours");
    draft.setLabel(mapKey, "ours");
  });
}

/** The pod without what `editAll` adds; lists and maps that are not there are empty ones. */
function ofTheUser({ metadata, spec }: Pod, mapKey: string): unknown {
  return {
    name: metadata?.name,
    annotations: entriesBut(mapKey, metadata?.annotations),
    labels: entriesBut(mapKey, metadata?.labels),
    containers: containersOf(spec?.containers),
    initContainers: containersOf(spec?.initContainers),
    volumes: namesBut("volume", spec?.volumes),
    gates: namesBut("gate", spec?.schedulingGates),
    secrets: namesBut("pull", spec?.imagePullSecrets),
  };
}

function entriesBut(ours: string, entries: object | null | undefined): unknown {
  return Object.entries(entries ?? {}).filter(([each]) => each !== ours);
}

function namesBut(ours: string, items: readonly { name?: string }[] | null | undefined): unknown {
  return (items ?? []).map(({ name }) => name).filter((name) => name !== ours);
}

function containersOf(items: readonly Container[] | null | undefined): unknown {
  return (items ?? [])
    .filter(({ name }) => name !== LOADER.name)
    .map(({ name, env, volumeMounts }) => ({
      name,
      // A KEY of the user keeps its value; one that says "ours" was added.
      env: (env ?? []).filter(({ value }) => value !== "ours"),
      volumeMounts: (volumeMounts ?? []).filter(({ mountPath }) => mountPath !== "/volume"),
    }));
}
