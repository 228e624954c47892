import { describe, expect, test } from "vitest";
import { makePod } from "../../test/make/pod.ts";
import { mountsAt, reservedNames, withoutMount } from "./conflicts.ts";
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

  test.each(["/kubedl-models", "/kubedl-model/data", "/"])(
    "takes %s for another place",
    (mountPath) => {
      expect(mountsOf(mountPath)).toEqual([]);
    },
  );
});

test("a container without a mount of the volume is one that lacks it", () => {
  const pod = makePod((each) => {
    each.spec.containers = [
      { name: "a", volumeMounts: [{ name: "kubedl-model", mountPath: "/m" }] },
      { name: "b", volumeMounts: [{ name: "data", mountPath: "/m" }] },
      { name: "c" },
    ];
  });
  const names = withoutMount(draftPod(pod).containers, "kubedl-model").map(
    ({ container }) => container.name,
  );
  expect(names).toEqual(["b", "c"]);
});

function mountsOf(mountPath: string): readonly string[] {
  const pod = makePod((each) => {
    each.spec.initContainers = [
      { name: "init", volumeMounts: [{ name: "tmp", mountPath: "/tmp" }] },
    ];
    each.spec.containers[0].volumeMounts = [{ name: "data", mountPath }];
  });
  return mountsAt(draftPod(pod).containers, "/kubedl-model").map(({ field }) => field);
}
