import { describe, expect, test } from "vitest";
import { decided, faultsOf, injected } from "../../test/make/decided-pod.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { DIGEST, makeBuiltVersion, makeFailedVersion } from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { makePod, makeServingPod, type MadePod } from "../../test/make/pod.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { Container } from "../api/kube-types.ts";
import { deepFreeze } from "../kube/freeze.ts";
import type { Snapshot } from "./snapshot.ts";

const COPY = makeSnapshot([makeBuiltVersion()]);
const VOLUME = makeSnapshot([makeBuiltVersion()], (each) => void (each.nodes = [makeNode()]));
const WITHOUT_SHELL = makeSnapshot(
  [makeBuiltVersion((version) => void (version.status = { ...version.status, shell: false }))],
  (each) => void (each.nodes = [makeNode()]),
);
const IMAGE = `registry.example/models/mnist@${DIGEST}`;
const SHOWN = "kubedl-model at /kubedl-model";

/** The pod as it comes again, after another webhook changed it. */
function changed(pod: MadePod, tweak: Tweak<MadePod>): MadePod {
  const copy = structuredClone(pod);
  tweak(copy);
  return deepFreeze(copy);
}

const late: Tweak<MadePod> = ({ spec }) => void spec.containers.push({ name: "late" });

function early({ spec }: MadePod): void {
  spec.initContainers = [{ name: "early" }, ...(spec.initContainers ?? []), { name: "after" }];
}

function mountsOf({ volumeMounts }: Container): readonly string[] {
  return (volumeMounts ?? []).map(({ name, mountPath }) => `${name} at ${mountPath}`);
}

function annotated(annotations: Readonly<Record<string, string>>): MadePod {
  return makeServingPod((pod) => {
    pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  });
}

const SEVERAL = makePod((pod) => {
  const list = [
    { modelVersion: "mnist-v1", mountPath: "/a" },
    { modelVersion: "mnist-v1", mountPath: "/b" },
  ];
  pod.metadata.annotations = { [ANNOTATIONS.models]: JSON.stringify(list) };
});

const WAYS: readonly (readonly [string, Snapshot, MadePod])[] = [
  ["a copy", COPY, makeServingPod()],
  ["an image volume", VOLUME, makeServingPod()],
  ["a copy out of an image volume", WITHOUT_SHELL, annotated({ [ANNOTATIONS.delivery]: "copy" })],
];

describe.each(WAYS)("a pod that has %s", (_, snapshot, asking) => {
  const before = injected(asking, snapshot);

  test("is not given it again", () => {
    expect(decided(before, snapshot)).toEqual({
      allowed: true,
      reason: "AlreadyInjected",
      operations: [],
      warnings: [],
    });
  });

  test("is left alone though its version failed since, or is gone", () => {
    for (const version of [[makeFailedVersion()], []]) {
      expect(decided(before, makeSnapshot(version))).toMatchObject({
        reason: "AlreadyInjected",
        operations: [],
      });
    }
  });

  test("shows it to a container that another webhook added, and tells it where", () => {
    const after = injected(changed(before, late), snapshot);
    expect(after.spec.containers.map(mountsOf)).toEqual([[SHOWN], [SHOWN]]);
    expect(after.spec.containers.map(({ env }) => env)).toEqual([
      [{ name: "KUBEDL_MODEL_PATH", value: "/kubedl-model" }],
      [{ name: "KUBEDL_MODEL_PATH", value: "/kubedl-model" }],
    ]);
    expect(after.spec.initContainers).toEqual(before.spec.initContainers);
    expect(after.spec.volumes).toEqual(before.spec.volumes);
    expect(after.metadata).toEqual(before.metadata);
  });

  test("does not show it to one that the pod does not name", () => {
    const named = makeServingPod((pod) => {
      pod.metadata.annotations = {
        ...asking.metadata.annotations,
        [ANNOTATIONS.containers]: "server",
      };
    });
    const again = changed(injected(named, snapshot), late);
    expect(injected(again, snapshot)).toEqual(again);
  });

  test("is denied when a container that was added mounts something else there", () => {
    const mounting = changed(before, ({ spec }) => {
      spec.containers.push({
        name: "late",
        volumeMounts: [{ name: "data", mountPath: "/kubedl-model" }],
      });
    });
    expect(faultsOf(mounting, snapshot)).toEqual([
      "MountConflict",
      'spec.containers[1].volumeMounts[0].mountPath: container late already mounts "data" at /kubedl-model; remove that mount or choose another path for the model',
    ]);
  });

  test("leaves a container alone that mounts the very image by itself", () => {
    const mounting = changed(before, ({ spec }) => {
      spec.volumes = [{ name: "mine", image: { reference: IMAGE } }, ...(spec.volumes ?? [])];
      spec.containers.push({
        name: "late",
        volumeMounts: [{ name: "mine", mountPath: "/kubedl-model", subPath: "kubedl-model" }],
      });
    });
    expect(injected(mounting, snapshot)).toEqual(mounting);
  });
});

describe("an init container that another webhook put before the loader", () => {
  test.each([WAYS[0], WAYS[2]].filter((way) => way !== undefined))(
    "does not get %s, and is warned",
    (_, snapshot, asking) => {
      const again = changed(injected(asking, snapshot), early);
      expect(decided(again, snapshot).warnings).toEqual([
        {
          reason: "StartsBeforeModel",
          message: "init container early starts before the model is there and does not get it",
        },
      ]);
      expect(injected(again, snapshot).spec.initContainers?.map(mountsOf)).toEqual([
        [],
        expect.anything(),
        [SHOWN],
      ]);
    },
  );

  test("gets an image volume, which is there before every container", () => {
    const again = changed(injected(makeServingPod(), VOLUME), early);
    expect(decided(again, VOLUME).warnings).toEqual([]);
    expect(injected(again, VOLUME).spec.initContainers?.map(mountsOf)).toEqual([[SHOWN], [SHOWN]]);
  });

  test("is warned of once, however many models it does not get", () => {
    const again = changed(injected(SEVERAL, COPY), early);
    expect(decided(again, COPY).warnings).toHaveLength(1);
  });

  test("is not warned of when it is none of those that get the model", () => {
    const named = annotated({ [ANNOTATIONS.containers]: "server" });
    expect(decided(changed(injected(named, COPY), early), COPY).warnings).toEqual([]);
  });
});

describe("a pod that has several models", () => {
  test.each([
    ["copies", COPY, ["kubedl-model at /a", "kubedl-model at /b"]],
    ["image volumes", VOLUME, ["kubedl-model at /a", "kubedl-model-2 at /b"]],
  ])("by %s shows all to a container that another webhook added", (_, snapshot, mounts) => {
    const again = changed(injected(SEVERAL, snapshot), late);
    const { spec } = injected(again, snapshot);
    expect(spec.containers.map(mountsOf)).toEqual([mounts, mounts]);
    expect(spec.containers[1]?.env).toEqual([
      { name: "KUBEDL_MODEL_PATH", value: "/a" },
      { name: "KUBEDL_MODEL_PATHS", value: "/a:/b" },
    ]);
  });

  test("shows no directory in which there is no model", () => {
    // Somebody stored the pod, asked for one model more, and made it again.
    const one = injected(makeServingPod(), COPY);
    const more = changed(one, ({ metadata }) => {
      metadata.annotations = { ...SEVERAL.metadata.annotations };
    });
    const { spec } = injected(changed(more, late), COPY);
    expect(spec.containers[1]?.volumeMounts?.map(({ subPath }) => subPath)).toEqual(["model"]);
  });

  test("by volumes finds them beside a user's own of such a name", () => {
    const own = changed(SEVERAL, ({ spec }) => {
      spec.volumes = [{ name: "kubedl-model-2", image: { reference: IMAGE } }];
    });
    const again = changed(injected(own, VOLUME), late);
    expect(injected(again, VOLUME).spec.containers.map(mountsOf)).toEqual([
      ["kubedl-model at /a", "kubedl-model-2-x at /b"],
      ["kubedl-model at /a", "kubedl-model-2-x at /b"],
    ]);
  });
});

describe("a pod that waits", () => {
  const waiting = injected(makeServingPod(), makeSnapshot());

  test("waits on, and is not gated again", () => {
    expect(decided(waiting, makeSnapshot())).toMatchObject({
      reason: "AlreadyInjected",
      operations: [],
    });
  });

  test("shows its model to a container that another webhook added", () => {
    const after = injected(changed(waiting, late), makeSnapshot());
    expect(after.spec.containers.map(mountsOf)).toEqual([[SHOWN], [SHOWN]]);
    expect(after.metadata.labels).toHaveProperty([LABELS.gated], "true");
  });
});

test("a pod that KubeDL gave a model is left alone", () => {
  const pod = makeServingPod((each) => {
    each.spec.initContainers = [
      {
        name: "kubedl-model-loader",
        volumeMounts: [{ name: "kubedl-model-loader", mountPath: "/mnt/kubedl-model/" }],
      },
    ];
  });
  expect(decided(pod, COPY)).toMatchObject({ reason: "AlreadyInjected", operations: [] });
});
