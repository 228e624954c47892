import { describe, expect, test } from "vitest";
import { makePod } from "../../test/make/pod.ts";
import type { VolumeMount } from "../api/kube-types.ts";
import { freeName, mountsAt, reservedNames, withoutModel, withoutMount } from "./conflicts.ts";
import { draftPod } from "./pod-draft.ts";

const RESERVED = { volumes: ["kubedl-model"], containers: ["kubedl-model-loader"] };

describe("reservedNames", () => {
  test("finds none in a pod that uses other names", () => {
    expect(reservedNames(makePod(), RESERVED)).toEqual([]);
  });

  test("finds a volume", () => {
    const pod = makePod((each) => {
      each.spec.volumes = [{ name: "data" }, { name: "kubedl-model" }];
    });
    expect(reservedNames(pod, RESERVED)).toEqual([
      {
        field: "spec.volumes[1].name",
        message: '"kubedl-model" is reserved for the model; name the volume differently',
      },
    ]);
  });

  test.each(["containers", "initContainers"] as const)("finds one of the %s", (list) => {
    const pod = makePod((each) => {
      each.spec[list] = [{ name: "kubedl-model-loader" }];
    });
    expect(reservedNames(pod, RESERVED)).toEqual([
      {
        field: `spec.${list}[0].name`,
        message:
          '"kubedl-model-loader" is reserved for the model\'s loader; name the container differently',
      },
    ]);
  });

  test("finds none in a pod without lists", () => {
    expect(reservedNames({ spec: undefined } as never, RESERVED)).toEqual([]);
  });
});

describe("mountsAt", () => {
  test("says which container mounts what", () => {
    const pod = makePod((each) => {
      each.spec.containers[0].volumeMounts = [{ name: "data", mountPath: "/kubedl-model" }];
    });
    expect(mountsAt(draftPod(pod).containers, "/kubedl-model")).toEqual([
      {
        field: "spec.containers[0].volumeMounts[0].mountPath",
        message:
          'container server already mounts "data" at /kubedl-model; remove that mount or choose another path for the model',
      },
    ]);
  });

  test.each([
    "/kubedl-model/",
    "//kubedl-model",
    "/./kubedl-model",
    "/data/../kubedl-model",
    "kubedl-model",
  ])("takes %s for the same place, as the kubelet does", (mountPath) => {
    expect(mountsOf(mountPath)).toEqual(["spec.containers[0].volumeMounts[0].mountPath"]);
  });

  test("shows names as short as they can be", () => {
    const pod = makePod((each) => {
      each.spec.containers[0] = {
        name: "c".repeat(1000),
        volumeMounts: [{ name: "d".repeat(1000), mountPath: "/kubedl-model" }],
      };
    });
    expect(mountsAt(draftPod(pod).containers, "/kubedl-model")).toMatchObject([
      {
        message: `container ${"c".repeat(63)} already mounts "${"d".repeat(100)}…" at /kubedl-model; remove that mount or choose another path for the model`,
      },
    ]);
  });

  test("finds every mount at the place", () => {
    const pod = makePod((each) => {
      each.spec.containers[0].volumeMounts = ["/m", "/other", "m/", "//m"].map((mountPath) => ({
        name: "data",
        mountPath,
      }));
    });
    expect(mountsAt(draftPod(pod).containers, "/m").map(({ field }) => field)).toEqual(
      [0, 2, 3].map((index) => `spec.containers[0].volumeMounts[${index}].mountPath`),
    );
  });

  test.each(["/kubedl-models", "/kubedl-model/data", "/"])(
    "takes %s for another place",
    (mountPath) => {
      expect(mountsOf(mountPath)).toEqual([]);
    },
  );
});

describe("a container lacks a mount", () => {
  test("of a volume that it does not mount", () => {
    expect(lacking("kubedl-model")).toEqual(["other", "none", "null"]);
  });

  test("of a directory when it mounts another of that volume only", () => {
    expect(lacking("kubedl-model", "model-2")).toEqual(["model", "other", "none", "null"]);
  });
});

describe("a container has the model by a mount of its own", () => {
  const asked = { reference: "r/mnist@sha256:1", subPath: "kubedl-model", mountPath: "/m" };
  const own = { name: "mine", subPath: "kubedl-model", mountPath: "/m" };

  function has(volumeMount: VolumeMount, reference = "r/mnist@sha256:1"): boolean {
    const pod = makePod((each) => {
      each.spec.volumes = [{ name: "data" }, { name: "mine", image: { reference } }];
      each.spec.containers[0].volumeMounts = [volumeMount];
    });
    return withoutModel(draftPod(pod).containers, pod, asked).length === 0;
  }

  test.each<[string, VolumeMount]>([
    ["of the very image at the very path", own],
    ["at the path, written otherwise", { ...own, mountPath: "//m/./" }],
    ["that can be written to, since no image can", { ...own, readOnly: false }],
  ])("%s", (_, volumeMount) => {
    expect(has(volumeMount)).toBe(true);
  });

  test.each<[string, VolumeMount]>([
    ["at another path", { ...own, mountPath: "/other" }],
    ["of the whole image", { name: "mine", mountPath: "/m" }],
    ["of another directory", { ...own, subPath: "etc" }],
    ["of another volume", { ...own, name: "data" }],
    ["of a volume that is not there", { ...own, name: "gone" }],
  ])("but not %s", (_, volumeMount) => {
    expect(has(volumeMount)).toBe(false);
  });

  test.each(["r/mnist@sha256:2", "r/other@sha256:1", "r/mnist:v1", ""])(
    "but not of the image %j",
    (reference) => {
      expect(has(own, reference)).toBe(false);
    },
  );

  test("but not in a pod without volumes", () => {
    for (const volumes of [undefined, null, []]) {
      const pod = makePod((each) => void Object.assign(each.spec, { volumes }));
      expect(withoutModel(draftPod(pod).containers, pod, asked)).toHaveLength(1);
    }
  });
});

test.each([
  [[], "a"],
  [["b"], "a"],
  [["a"], "a-x"],
  [["a", "a-x"], "a-x-x"],
  [["a-x"], "a"],
])("beside %j the name a is %s", (taken, name) => {
  expect(freeName("a", new Set(taken))).toBe(name);
});

function mount(name: string, subPath: string): VolumeMount {
  return { name, subPath, mountPath: `/${subPath}` };
}

function lacking(volume: string, subPath?: string): readonly string[] {
  const pod = makePod((each) => {
    each.spec.containers = [
      { name: "model", volumeMounts: [mount("kubedl-model", "model")] },
      {
        name: "both",
        volumeMounts: [mount("kubedl-model", "model"), mount("kubedl-model", "model-2")],
      },
      { name: "other", volumeMounts: [mount("data", "model")] },
      { name: "none" },
      { name: "null", volumeMounts: null as never },
    ];
  });
  return withoutMount(draftPod(pod).containers, volume, subPath).map(
    ({ container }) => container.name,
  );
}

function mountsOf(mountPath: string): readonly string[] {
  const pod = makePod((each) => {
    each.spec.initContainers = [
      { name: "init", volumeMounts: [{ name: "tmp", mountPath: "/tmp" }] },
    ];
    each.spec.containers[0].volumeMounts = [{ name: "data", mountPath }];
  });
  return mountsAt(draftPod(pod).containers, "/kubedl-model").map(({ field }) => field);
}
