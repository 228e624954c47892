import { describe, expect, test } from "vitest";
import { DIGEST } from "../../test/make/modelversion.ts";
import { makePod, type MadePod } from "../../test/make/pod.ts";
import { LABELS } from "../api/annotations.ts";
import type { Volume } from "../api/kube-types.ts";
import { imageVolume, imageVolumeName, imageVolumesOf } from "./image-volume.ts";
import { imageMount } from "./init-container.ts";

const IMAGE = `registry.example/models/mnist@${DIGEST}`;
const ours = (...names: readonly string[]) => names.map((name) => imageVolume(name, IMAGE));

/** A pod with the label of those that the webhook gave a model. */
function served(volumes: readonly Volume[] | null, label = "true"): MadePod {
  return makePod((pod) => {
    pod.metadata.labels = { [LABELS.served]: label };
    Object.assign(pod.spec, { volumes });
  });
}

test("an image volume is the image by its digest, of which the model's directory is mounted", () => {
  expect(imageVolume("kubedl-model", IMAGE)).toEqual({
    name: "kubedl-model",
    image: { reference: IMAGE, pullPolicy: "IfNotPresent" },
  });
  expect(imageMount("kubedl-model", "/m")).toEqual({
    name: "kubedl-model",
    mountPath: "/m",
    subPath: "kubedl-model",
    readOnly: true,
  });
});

test("the volumes of several models have names of their own", () => {
  expect([0, 1, 15].map(imageVolumeName)).toEqual([
    "kubedl-model",
    "kubedl-model-2",
    "kubedl-model-16",
  ]);
});

describe("of a pod's volumes, the models are", () => {
  test.each<[string, readonly Volume[], readonly string[]]>([
    ["the one of the reserved name", ours("kubedl-model"), ["kubedl-model"]],
    [
      "those that follow it, too",
      ours("kubedl-model", "kubedl-model-2"),
      ["kubedl-model", "kubedl-model-2"],
    ],
    [
      "in their order, whatever else there is",
      [{ name: "data" }, ...ours("kubedl-model"), { name: "tmp" }, ...ours("kubedl-model-2")],
      ["kubedl-model", "kubedl-model-2"],
    ],
    [
      "not such as the user had before, by a name of which ours had to be another",
      ours("kubedl-model-2", "kubedl-model", "kubedl-model-2-x"),
      ["kubedl-model", "kubedl-model-2-x"],
    ],
    [
      "not such as hold no image by its digest",
      [
        ...ours("kubedl-model"),
        { name: "kubedl-model-a", image: { reference: "registry.example/a:1" } },
        { name: "kubedl-model-b", emptyDir: {} },
        { name: "kubedl-model-c", image: {} },
      ],
      ["kubedl-model"],
    ],
  ])("%s", (_, volumes, names) => {
    expect(imageVolumesOf(served(volumes))).toEqual(names);
  });
});

describe("a pod has no model by a volume", () => {
  test.each<[string, MadePod]>([
    ["when it has no volumes", makePod()],
    ["when its volumes are null", served(null)],
    ["when it has a copy", served([{ name: "kubedl-model", emptyDir: {} }])],
    ["when it lacks the one of the reserved name", served(ours("kubedl-model-2"))],
    [
      "when nobody but the user used the reserved name",
      makePod((pod) => void (pod.spec.volumes = ours("kubedl-model"))),
    ],
    ["when its label says something else", served(ours("kubedl-model"), "false")],
    [
      "when its labels are null",
      makePod((pod) => {
        Object.assign(pod.metadata, { labels: null });
        pod.spec.volumes = ours("kubedl-model");
      }),
    ],
  ])("%s", (_, pod) => {
    expect(imageVolumesOf(pod)).toEqual([]);
  });
});
