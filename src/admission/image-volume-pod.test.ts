import { describe, expect, test } from "vitest";
import { decided, faultsOf, injected } from "../../test/make/decided-pod.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { DIGEST, makeBuiltVersion } from "../../test/make/modelversion.ts";
import { makeNode, type MadeNode } from "../../test/make/node.ts";
import { makeServingPod, type MadePod } from "../../test/make/pod.ts";
import { makePolicy, makeSnapshot } from "../../test/make/snapshot.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { Container, VolumeMount } from "../api/kube-types.ts";
import { readStatus } from "../inject/serving-status.ts";
import type { Snapshot } from "./snapshot.ts";

const IMAGE = `registry.example/models/mnist@${DIGEST}`;
const OLD: Tweak<MadeNode> = (node) => void (node.status.nodeInfo.kubeletVersion = "v1.34.2");

/** A cluster of these nodes, that has mnist-v1. */
function cluster(nodes: readonly MadeNode[] = [makeNode()], shell?: boolean): Snapshot {
  const version = makeBuiltVersion((each) => {
    if (shell !== undefined) each.status = { ...each.status, shell };
  });
  return makeSnapshot([version], (each) => void (each.nodes = nodes));
}

function asking(delivery: string | undefined, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makeServingPod((pod) => {
    if (delivery !== undefined) {
      pod.metadata.annotations = {
        ...pod.metadata.annotations,
        [ANNOTATIONS.delivery]: delivery,
      };
    }
    tweak(pod);
  });
}

function mountsOf({ volumeMounts }: Container): readonly string[] {
  return (volumeMounts ?? []).map(
    ({ name, subPath, mountPath }) => `${name}/${subPath} at ${mountPath}`,
  );
}

describe("a pod all of whose nodes mount image volumes", () => {
  test("gets the image as a volume, and says why it is none of its own choice", () => {
    const pod = injected(asking(undefined), cluster());
    expect(pod.spec.volumes).toEqual([
      { name: "kubedl-model", image: { reference: IMAGE, pullPolicy: "IfNotPresent" } },
    ]);
    expect(pod.spec.containers.map(mountsOf)).toEqual([
      ["kubedl-model/kubedl-model at /kubedl-model"],
    ]);
    expect(pod.spec).not.toHaveProperty("initContainers");
    expect(readStatus(pod)).toMatchObject({
      delivery: "image-volume",
      why: "every node that the pod can go to mounts it",
    });
  });

  test("gets it when it asks for it, of an image without a shell too", () => {
    for (const shell of [undefined, true, false]) {
      const pod = injected(asking("image-volume"), cluster([makeNode()], shell));
      expect(readStatus(pod)).toMatchObject({ delivery: "image-volume" });
      expect(readStatus(pod)).not.toHaveProperty("why");
    }
  });

  test("gets it in every container, init containers and sidecars included", () => {
    const pod = asking("image-volume", ({ spec }) => {
      spec.initContainers = [{ name: "warm-up" }, { name: "proxy", restartPolicy: "Always" }];
    });
    const { spec } = injected(pod, cluster());
    for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
      expect(mountsOf(container)).toEqual(["kubedl-model/kubedl-model at /kubedl-model"]);
    }
  });

  test("gets a copy when it asks for one", () => {
    const pod = injected(asking("copy"), cluster());
    expect(pod.spec.initContainers?.map(({ image }) => image)).toEqual([IMAGE]);
    expect(readStatus(pod)).not.toHaveProperty("why");
  });

  test("gets a copy out of a volume when it asks for one and the image has no shell", () => {
    const { spec } = injected(asking("copy"), cluster([makeNode()], false));
    expect(spec.initContainers?.map(({ image }) => image)).toEqual(["registry.example/busybox:1"]);
    expect(spec.initContainers?.flatMap(mountsOf)).toContain(
      "kubedl-model-image/kubedl-model at /kubedl-model",
    );
    expect(spec.containers.map(mountsOf)).toEqual([["kubedl-model/model at /kubedl-model"]]);
    expect(spec.imagePullSecrets).toEqual([{ name: "regcred" }]);
  });

  test("is denied when no image of the administrator's could make that copy", () => {
    const policy = makePolicy((each) => void (each.baseImages = ["scratch"]));
    expect(faultsOf(asking("copy"), { ...cluster([makeNode()], false), policy })).toEqual([
      "NoShell",
      "metadata.annotations[model.kubedl.io/delivery]: the image of ModelVersion mnist-v1 has no shell to copy its model with, and the administrator names no base image that has one",
    ]);
  });
});

describe("a pod that can go to a node that does not", () => {
  const nodes = [makeNode(), makeNode(OLD)];

  test("gets a copy, and says why", () => {
    expect(readStatus(injected(asking("auto"), cluster(nodes)))).toMatchObject({
      delivery: "copy",
      why: "node node-1 has Kubernetes 1.34.2, 1.35 is needed",
    });
  });

  test("is denied when it asks for a volume", () => {
    expect(faultsOf(asking("image-volume"), cluster(nodes))).toEqual([
      "ImageVolumesUnsupported",
      'metadata.annotations[model.kubedl.io/delivery]: "image-volume" is not possible: node node-1 has Kubernetes 1.34.2, 1.35 is needed; use copy, or keep the pod from such nodes',
    ]);
  });

  test.each(["auto", "copy"])("is denied with %s when the image has no shell", (delivery) => {
    expect(faultsOf(asking(delivery), cluster(nodes, false))).toEqual([
      "NoShell",
      "metadata.annotations[model.kubedl.io/delivery]: the image of ModelVersion mnist-v1 has no shell to copy its model with, and not every node can mount it as a volume: node node-1 has Kubernetes 1.34.2, 1.35 is needed",
    ]);
  });

  test("gets the volume when its node selector keeps it from there", () => {
    const labelled = [makeNode(inPool("p0")), makeNode(both(OLD, inPool("p1")))];
    const pod = asking("image-volume", ({ spec }) => void (spec.nodeSelector = { pool: "p0" }));
    expect(decided(pod, cluster(labelled))).toMatchObject({ reason: "Injected" });
    const other = asking("image-volume", ({ spec }) => void (spec.nodeSelector = { pool: "p1" }));
    expect(faultsOf(other, cluster(labelled))[0]).toBe("ImageVolumesUnsupported");
  });
});

describe("a user's own volume of the image", () => {
  test.each([[cluster()], [cluster([])]])(
    "at the path is the model, delivered already",
    (snapshot) => {
      expect(decided(own(), snapshot)).toEqual({
        allowed: true,
        reason: "AlreadyInjected",
        operations: [],
        warnings: [],
      });
    },
  );

  test.each<[string, MadePod]>([
    ["of another digest", own({}, `registry.example/models/mnist@sha256:${"b".repeat(64)}`)],
    ["by a tag", own({}, "registry.example/models/mnist:v1")],
    ["of which the root is mounted", own({ subPath: "" })],
    ["of which another directory is mounted", own({ subPath: "etc" })],
  ])("%s is in the way", (_, pod) => {
    expect(faultsOf(pod, cluster())[0]).toBe("MountConflict");
  });

  test("is in the way of a model that is not built, of which nobody knows the digest", () => {
    expect(faultsOf(own(), makeSnapshot())[0]).toBe("MountConflict");
  });

  test.each([
    ["an image volume", cluster(), "kubedl-model/kubedl-model at /kubedl-model"],
    ["a copy", cluster([]), "kubedl-model/model at /kubedl-model"],
  ])("counts for its container; another gets %s", (_, snapshot, mount) => {
    const pod = asking(undefined, (each) => {
      const { spec } = own();
      Object.assign(each.spec, structuredClone(spec));
      each.spec.containers.push({ name: "sidecar" });
    });
    expect(injected(pod, snapshot).spec.containers.map(mountsOf)).toEqual([
      ["mine/kubedl-model at /kubedl-model"],
      [mount],
    ]);
  });

  test("elsewhere is none of our business", () => {
    expect(injected(own({ mountPath: "/other" }), cluster()).spec.containers.map(mountsOf)).toEqual(
      [["mine/kubedl-model at /other", "kubedl-model/kubedl-model at /kubedl-model"]],
    );
  });

  test("by our name is denied like any other of that name", () => {
    const pod = asking(undefined, ({ spec }) => {
      spec.volumes = [{ name: "kubedl-model", image: { reference: IMAGE } }];
    });
    expect(faultsOf(pod, cluster())[0]).toBe("NameConflict");
  });
});

function inPool(pool: string): Tweak<MadeNode> {
  return (node) => void (node.metadata.labels = { ...node.metadata.labels, pool });
}

function both<T>(one: Tweak<T>, other: Tweak<T>): Tweak<T> {
  return (object) => {
    one(object);
    other(object);
  };
}

/** A pod that mounts the image at the path by itself. */
function own(volumeMount: Partial<VolumeMount> = {}, reference = IMAGE): MadePod {
  return asking(undefined, ({ spec }) => {
    spec.volumes = [{ name: "mine", image: { reference } }];
    spec.containers[0].volumeMounts = [
      { name: "mine", mountPath: "/kubedl-model", subPath: "kubedl-model", ...volumeMount },
    ];
  });
}
