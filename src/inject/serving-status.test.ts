import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DIGEST } from "../../test/make/modelversion.ts";
import { makePod, makeUsingPod, type MadePod } from "../../test/make/pod.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import { deepFreeze } from "../kube/freeze.ts";
import {
  isAlive,
  printStatus,
  readStatus,
  runsDigest,
  servedModels,
  type ServingStatus,
} from "./serving-status.ts";

function podThatSays(text: string): MadePod {
  return makePod((pod) => void (pod.metadata.annotations = { [ANNOTATIONS.status]: text }));
}

const MODEL = {
  wanted: { modelVersion: "mnist-v1" },
  modelVersion: "mnist-v1",
  digest: DIGEST,
  mountPath: "/kubedl-model",
};

/** What is written, by what it tells. */
const WRITTEN: readonly (readonly [string, ServingStatus, string])[] = [
  [
    "a model",
    { models: [MODEL], delivery: "copy" },
    `{"models":[{"modelVersion":"mnist-v1","digest":"${DIGEST}","mountPath":"/kubedl-model"}],"delivery":"copy"}`,
  ],
  [
    "why it is delivered so, and who asked for it",
    { models: [MODEL], delivery: "image-volume", why: "every node can", binding: "web" },
    `{"models":[{"modelVersion":"mnist-v1","digest":"${DIGEST}","mountPath":"/kubedl-model"}],"delivery":"image-volume","why":"every node can","binding":"web"}`,
  ],
  [
    "by which words it was asked for, and which version that was",
    {
      models: [{ ...MODEL, wanted: { model: "mnist", alias: "production" } }],
      delivery: "copy",
    },
    `{"models":[{"model":"mnist","alias":"production","modelVersion":"mnist-v1","digest":"${DIGEST}","mountPath":"/kubedl-model"}],"delivery":"copy"}`,
  ],
  [
    "a version that is waited for",
    { models: [{ ...MODEL, digest: undefined }], delivery: "copy", why: "it waits" },
    '{"models":[{"modelVersion":"mnist-v1","mountPath":"/kubedl-model"}],"waitsFor":"model.kubedl.io/build","delivery":"copy","why":"it waits"}',
  ],
  [
    "several models, of which one is waited for and not yet certain",
    {
      models: [MODEL, { wanted: { model: "bert" }, mountPath: "/bert" }],
      delivery: "copy",
    },
    `{"models":[{"modelVersion":"mnist-v1","digest":"${DIGEST}","mountPath":"/kubedl-model"},{"model":"bert","mountPath":"/bert"}],"waitsFor":"model.kubedl.io/build","delivery":"copy"}`,
  ],
];

describe("the status annotation tells", () => {
  test.each(WRITTEN)("%s", (_, status, text) => {
    expect(printStatus(deepFreeze(status))).toBe(text);
  });

  test.each(WRITTEN)("%s, and is read as it was written", (_, status, text) => {
    expect(readStatus(podThatSays(text))).toEqual(status);
    expect(servedModels(podThatSays(text))).toEqual(status.models);
  });
});

describe("the status annotation names no model when", () => {
  test.each<[string, MadePod]>([
    ["there is none", makePod()],
    [
      "there are no annotations",
      makePod((pod) => void Object.assign(pod.metadata, { annotations: null })),
    ],
    ["a training pod has it", podThatSays('{"writes":"mh-1"}')],
    ["it is no JSON", podThatSays("mnist-v1")],
    ["it is null", podThatSays("null")],
    ["it is a list", podThatSays('[{"models":[]}]')],
    ["its models are no list", podThatSays('{"models":{"0":{"modelVersion":"a"}}}')],
    ["its models are no objects", podThatSays('{"models":[null,"a",[],1]}')],
    ["a name is no text", podThatSays('{"models":[{"modelVersion":1,"mountPath":"/a"}]}')],
    ["a path is missing", podThatSays('{"models":[{"modelVersion":"a"}]}')],
    ["a model is missing", podThatSays('{"models":[{"alias":"a","mountPath":"/a"}]}')],
  ])("%s", (_, pod) => {
    expect(servedModels(pod)).toEqual([]);
  });
});

test("the status annotation may hold anything", () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ models: fc.array(fc.jsonValue()) }).map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(text, (each) => {
      expect(() => servedModels(podThatSays(each))).not.toThrow();
    }),
  );
});

describe("a pod runs the image of a digest", () => {
  const image = `registry.example/models/mnist@${DIGEST}`;
  test.each<[string, boolean, MadePod]>([
    ["by its loader", true, makeUsingPod()],
    [
      "by a volume",
      true,
      makePod((pod) => void (pod.spec.volumes = [{ name: "m", image: { reference: image } }])),
    ],
    ["never by its annotations", false, makeUsingPod((pod) => void (pod.spec.initContainers = []))],
    [
      "never by a tag",
      false,
      makePod((pod) => void (pod.spec.initContainers = [{ name: "a", image: "mnist:1" }])),
    ],
    [
      "never without an image",
      false,
      makePod((pod) => {
        pod.spec.initContainers = [{ name: "a" }];
        pod.spec.volumes = [{ name: "m", image: {} }, { name: "n" }];
      }),
    ],
    [
      "never without lists",
      false,
      makePod((pod) => void Object.assign(pod.spec, { initContainers: null, volumes: null })),
    ],
  ])("%s: %s", (_, runs, pod) => {
    expect(runsDigest(pod, DIGEST)).toBe(runs);
  });
});

describe("a pod", () => {
  test.each<[string, boolean, MadePod]>([
    ["that has no status yet lives", true, makePod()],
    ["that runs lives", true, phased("Running")],
    ["of which nothing is heard lives", true, phased("Unknown")],
    ["that succeeded does not", false, phased("Succeeded")],
    ["that failed does not", false, phased("Failed")],
    [
      "that is being deleted does not",
      false,
      makePod((pod) => void (pod.metadata.deletionTimestamp = "2026-11-23T00:00:00Z")),
    ],
  ])("%s", (_, alive, pod) => {
    expect(isAlive(pod)).toBe(alive);
  });
});

function phased(phase: string): MadePod {
  return makePod((pod) => void (pod.status = { phase }));
}

describe("what was written before there could be several models is read", () => {
  test("of a pod that has its model", () => {
    const text = `{"modelVersion":"mnist-v1","digest":"${DIGEST}","delivery":"copy"}`;
    expect(readStatus(podThatSays(text))).toEqual({ models: [MODEL], delivery: "copy" });
  });

  test("of a pod that waits", () => {
    const text = `{"modelVersion":"mnist-v1","waitsFor":"model.kubedl.io/build","delivery":"copy"}`;
    const { digest: _, ...waiting } = MODEL;
    expect(readStatus(podThatSays(text))).toEqual({ models: [waiting], delivery: "copy" });
  });
});

test("a list of which one entry can not be read is not read: which loader an entry is for depends on its place", () => {
  const entry = { modelVersion: "mnist-v1", digest: DIGEST, mountPath: "/kubedl-model" };
  const text = JSON.stringify({ models: [{}, entry], delivery: "copy" });
  expect(readStatus(podThatSays(text))).toBeUndefined();
});
