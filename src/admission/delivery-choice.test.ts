import { describe, expect, test } from "vitest";
import { makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { makePod } from "../../test/make/pod.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { ServeIntent } from "../inject/intent.ts";
import { chooseDelivery, type ChosenDelivery, type DeliveryFacts } from "./delivery-choice.ts";

type Asked = ServeIntent["delivery"];
type Nodes = "all" | "not all" | "unknown";

const BUSYBOX = "registry.example/busybox:1";
const OBSTACLE = "node node-1 has Kubernetes 1.34.2, 1.35 is needed";
const WAITS = "the pod waits for a build, and only images of a pod that waits can be changed";
const CAN = "every node that the pod can go to mounts it";

const NODES: Readonly<Record<Nodes, DeliveryFacts["nodes"]>> = {
  all: [makeNode()],
  "not all": [
    makeNode((node) => void (node.status.nodeInfo.kubeletVersion = "v1.34.2")),
    makeNode((node) => void (node.metadata.name = "node-2")),
  ],
  unknown: undefined,
};

const WITH_SHELL = makeBuiltVersion();
const WITHOUT_SHELL = makeBuiltVersion((version) => {
  version.status = { ...version.status, shell: false };
});

function intentOf(delivery: Asked): ServeIntent {
  return {
    models: [],
    delivery,
    deliveryField: "metadata.annotations[model.kubedl.io/delivery]",
    containers: undefined,
    containersField: "",
    loaderResources: undefined,
  };
}

function choose(delivery: Asked, facts: Partial<DeliveryFacts> = {}): ChosenDelivery {
  return chooseDelivery(intentOf(delivery), {
    pod: makePod(),
    versions: [WITH_SHELL],
    isGated: false,
    nodes: NODES.all,
    baseImages: [BUSYBOX],
    ...facts,
  });
}

const copied = (why?: string) => ({ ok: true, way: "copy", why, copier: undefined });
const copiedBy = (copier: string) => ({ ok: true, way: "copy", why: undefined, copier });
const mounted = (why?: string) => ({ ok: true, way: "image-volume", why, copier: undefined });
const unsupported = `"image-volume" is not possible: ${OBSTACLE}; use copy, or keep the pod from such nodes`;
const impossible = `"image-volume" is not possible: ${OBSTACLE}; keep the pod from such nodes`;
const shellless = "the image of ModelVersion mnist-v1 has no shell to copy its model with";
const waitsInVain = `${shellless}, and a pod that waits for a build can get a copy only; make it when all of its models are built`;
const cannotMount = `${shellless}, and not every node can mount it as a volume: ${OBSTACLE}`;

function refused(reason: string, message: string) {
  const field = "metadata.annotations[model.kubedl.io/delivery]";
  return { ok: false, reason, causes: [{ field, message }] };
}

/** The table above `chooseDelivery`, each row written out: asked, waits, nodes, all have a shell, answer. */
const TABLE: readonly (readonly [Asked, boolean, Nodes, boolean, object])[] = [
  ["auto", true, "all", true, copied(WAITS)],
  ["auto", true, "not all", true, copied(WAITS)],
  ["auto", true, "unknown", true, copied(WAITS)],
  ["copy", true, "all", true, copied()],
  ["copy", true, "not all", true, copied()],
  ["copy", true, "unknown", true, copied()],
  ["image-volume", true, "all", true, copied(WAITS)],
  ["image-volume", true, "not all", true, copied(WAITS)],
  ["image-volume", true, "unknown", true, copied(WAITS)],

  ["auto", true, "all", false, refused("NoShell", waitsInVain)],
  ["auto", true, "not all", false, refused("NoShell", waitsInVain)],
  ["auto", true, "unknown", false, refused("NoShell", waitsInVain)],
  ["copy", true, "all", false, refused("NoShell", waitsInVain)],
  ["copy", true, "not all", false, refused("NoShell", waitsInVain)],
  ["copy", true, "unknown", false, refused("NoShell", waitsInVain)],
  ["image-volume", true, "all", false, refused("NoShell", waitsInVain)],
  ["image-volume", true, "not all", false, refused("NoShell", waitsInVain)],
  ["image-volume", true, "unknown", false, refused("NoShell", waitsInVain)],

  ["copy", false, "all", true, copied()],
  ["copy", false, "not all", true, copied()],
  ["copy", false, "unknown", true, copied()],
  ["copy", false, "all", false, copiedBy(BUSYBOX)],
  ["copy", false, "unknown", false, copiedBy(BUSYBOX)],

  ["auto", false, "all", true, mounted(CAN)],
  ["auto", false, "all", false, mounted(CAN)],
  ["image-volume", false, "all", true, mounted()],
  ["image-volume", false, "all", false, mounted()],

  ["auto", false, "not all", true, copied(OBSTACLE)],
  ["image-volume", false, "not all", true, refused("ImageVolumesUnsupported", unsupported)],
  ["image-volume", false, "not all", false, refused("ImageVolumesUnsupported", impossible)],
  ["auto", false, "not all", false, refused("NoShell", cannotMount)],
  ["copy", false, "not all", false, refused("NoShell", cannotMount)],

  ["auto", false, "unknown", true, copied("the nodes are not known")],
  ["auto", false, "unknown", false, mounted("the nodes are not known")],
  ["image-volume", false, "unknown", true, mounted()],
  ["image-volume", false, "unknown", false, mounted()],
];

describe("a delivery", () => {
  test.each(TABLE)(
    "%s, by a pod that waits: %s, where nodes that mount volumes are: %s, of images that have a shell: %s",
    (asked, isGated, nodes, hasShell, answer) => {
      const versions = [hasShell ? WITH_SHELL : WITHOUT_SHELL];
      expect(choose(asked, { isGated, nodes: NODES[nodes], versions })).toEqual(answer);
    },
  );

  test("has a row for each case", () => {
    const cases = new Set(TABLE.map(([...row]) => JSON.stringify(row.slice(0, 4))));
    expect(cases.size).toBe(3 * 2 * 3 * 2);
    expect(TABLE).toHaveLength(cases.size);
  });

  test("of several models is by the one that has no shell", () => {
    const versions = [WITH_SHELL, WITHOUT_SHELL, WITH_SHELL];
    expect(choose("copy", { versions })).toEqual(copiedBy(BUSYBOX));
    expect(choose("auto", { versions, nodes: NODES["not all"] })).toMatchObject({
      reason: "NoShell",
    });
  });

  test("of models of which nothing is known is a copy, or as it is asked for", () => {
    expect(choose("auto", { versions: [], isGated: true })).toEqual(copied(WAITS));
    expect(choose("image-volume", { versions: [] })).toEqual(mounted());
  });

  test("where no node is known yet that the pod can go to is a copy, or what it has to be", () => {
    const why = "no node is known that the pod can go to";
    expect(choose("auto", { nodes: [] })).toEqual(copied(why));
    expect(choose("image-volume", { nodes: [] })).toEqual(mounted());
    expect(choose("auto", { nodes: [], versions: [WITHOUT_SHELL] })).toEqual(mounted(why));
  });

  test("is by the nodes that the pod can go to alone", () => {
    const pod = makePod((each) => {
      each.spec.nodeName = "node-2";
    });
    expect(choose("auto", { pod, nodes: NODES["not all"] })).toEqual(mounted(CAN));
  });

  test("that is refused names the field that asked for it", () => {
    const intent = {
      ...intentOf("image-volume"),
      deliveryField: "ModelBinding web: spec.serve.delivery",
    };
    const facts: DeliveryFacts = {
      pod: makePod(),
      versions: [WITHOUT_SHELL],
      isGated: false,
      nodes: NODES["not all"],
      baseImages: [BUSYBOX],
    };
    const causes = [{ field: "ModelBinding web: spec.serve.delivery" }];
    expect(chooseDelivery(intent, facts)).toMatchObject({ causes });
    expect(chooseDelivery(intent, { ...facts, isGated: true })).toMatchObject({ causes });
  });
});

describe("the image that copies for others", () => {
  test("is the first that the administrator puts models on and that is one", () => {
    const baseImages = ["scratch", "registry.example/tools:2", BUSYBOX];
    expect(choose("copy", { versions: [WITHOUT_SHELL], baseImages })).toEqual(
      copiedBy("registry.example/tools:2"),
    );
  });

  test.each([[[]], [["scratch"]]])("can not be chosen of %j", (baseImages) => {
    expect(choose("copy", { versions: [WITHOUT_SHELL], baseImages })).toEqual(
      refused("NoShell", `${shellless}, and the administrator names no base image that has one`),
    );
  });
});

describe("an image has no shell", () => {
  const stored = makeModelVersion(
    (version) => void delete (version as Partial<typeof version>).spec,
  );

  test.each<[string, ModelVersion, readonly string[]]>([
    ["that is put on nothing", unbuilt("scratch"), [BUSYBOX]],
    ["that is put on the administrator's, which is nothing", unbuilt(), ["scratch", BUSYBOX]],
    ["that was stored without a spec, where the administrator's is nothing", stored, ["scratch"]],
  ])("%s", (_, version, baseImages) => {
    const facts = { versions: [version], isGated: true, baseImages };
    expect(choose("auto", facts)).toMatchObject({ ok: false, reason: "NoShell" });
  });

  test.each<[string, ModelVersion, readonly string[]]>([
    ["that is put on an image", unbuilt("alpine:3"), ["scratch"]],
    ["that is put on the administrator's", unbuilt(), [BUSYBOX, "scratch"]],
    ["of which the administrator names none", unbuilt(), []],
  ])("is not known of one %s", (_, version, baseImages) => {
    const facts = { versions: [version], isGated: true, baseImages };
    expect(choose("auto", facts)).toMatchObject({ ok: true, way: "copy" });
  });

  test("is not known of one that is built, whatever stands below it, until somebody looked", () => {
    const built = makeBuiltVersion((version) => {
      version.spec = { ...version.spec, builder: { baseImage: "scratch" } };
    });
    expect(choose("copy", { versions: [built] })).toEqual(copied());
  });
});

function unbuilt(baseImage?: string): ModelVersion {
  return makeModelVersion((version) => {
    if (baseImage !== undefined) version.spec = { ...version.spec, builder: { baseImage } };
  });
}
