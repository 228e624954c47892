import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { deepFreeze } from "../kube/freeze.ts";
import type { BaseImage } from "./base-image.ts";
import { parseManifest } from "./manifest.ts";
import {
  layersByKey,
  modelConfig,
  modelManifest,
  type JsonBlob,
  type ModelImageParts,
} from "./model-image.ts";

const CREATED = "2026-11-23T09:00:00Z";

describe("the configuration of an image", () => {
  test("without a base holds the model and nothing else", () => {
    expect(configOf(makeParts())).toEqual({
      os: "linux",
      architecture: "amd64",
      created: CREATED,
      config: { Labels: { "model.kubedl.io/model-name": "mnist" } },
      rootfs: { type: "layers", diff_ids: [digest("a"), digest("b")] },
      history: [
        { created: CREATED, created_by: "modelhook build-image" },
        { created: CREATED, created_by: "modelhook build-image" },
      ],
    });
  });

  test("with a base is the base's, with the model's layers above and its labels beside", () => {
    expect(configOf(makeParts({ base: makeBase() }))).toEqual({
      os: "linux",
      architecture: "arm64",
      variant: "v8",
      author: "somebody",
      created: CREATED,
      config: {
        Env: ["PATH=/bin"],
        Cmd: ["sh"],
        User: "1000",
        Labels: { maintainer: "somebody", "model.kubedl.io/model-name": "mnist" },
      },
      rootfs: {
        type: "layers",
        diff_ids: [digest("1"), digest("2"), digest("a"), digest("b")],
      },
      history: [
        { created_by: "ADD rootfs" },
        { created_by: "ENV PATH=/bin", empty_layer: true },
        { created_by: "RUN make" },
        { created: CREATED, created_by: "modelhook build-image" },
        { created: CREATED, created_by: "modelhook build-image" },
      ],
    });
  });

  test("has our labels where the base has the same ones", () => {
    const base = makeBase({ config: { Labels: { "model.kubedl.io/model-name": "other" } } });
    expect(configOf(makeParts({ base }))).toMatchObject({
      config: { Labels: { "model.kubedl.io/model-name": "mnist" } },
    });
  });

  test("says nothing of the model that is true of the base", () => {
    const labels = {
      "model.kubedl.io/job": "Job/of-the-base",
      "org.opencontainers.image.created": "2020-01-01T00:00:00Z",
      maintainer: "somebody",
    };
    const { config } = configOf(makeParts({ base: makeBase({ config: { Labels: labels } }) }));
    expect(config).toEqual({
      Labels: { maintainer: "somebody", "model.kubedl.io/model-name": "mnist" },
    });
  });

  test("leaves out what the base has builds upon it run, which no build of ours did", () => {
    const base = makeBase({ config: { OnBuild: ["RUN evil"], Cmd: ["sh"] } });
    const { config } = configOf(makeParts({ base }));
    expect(config).toEqual({ Cmd: ["sh"], Labels: { "model.kubedl.io/model-name": "mnist" } });
  });

  test.each<[string, object]>([
    ["no history", { history: undefined }],
    ["a history that is none", { history: null }],
  ])("has no history where the base has %s, since it would not count its layers", (_, more) => {
    expect(configOf(makeParts({ base: makeBase(more) }))["history"] ?? "none").toBe("none");
  });

  test.each<[string, object]>([
    ["no config", { config: undefined }],
    ["an empty one", { config: null }],
    ["no labels", { config: { Labels: null } }],
  ])("has our labels where the base has %s", (_, more) => {
    expect(configOf(makeParts({ base: makeBase(more) }))).toMatchObject({
      config: { Labels: { "model.kubedl.io/model-name": "mnist" } },
    });
  });

  test.each<[string, object]>([
    ["too few", { rootfs: { type: "layers", diff_ids: [digest("1")] } }],
    ["too many", { rootfs: { diff_ids: [digest("1"), digest("2"), digest("3")] } }],
    ["none", { rootfs: undefined }],
  ])("is not made when the base names %s of its layers", (_, more) => {
    expect(() => modelConfig(makeParts({ base: makeBase(more) }))).toThrow(
      expect.objectContaining({
        fault: "invalid",
        message: `the configuration of the base image ${digest("f")} does not name each of its 2 layers`,
      }),
    );
  });

  test("is of the epoch when nobody knows when the model was made", () => {
    expect(configOf(makeParts({ created: undefined }))).toMatchObject({
      created: "1970-01-01T00:00:00Z",
      history: [{ created: "1970-01-01T00:00:00Z" }, { created: "1970-01-01T00:00:00Z" }],
    });
  });
});

describe("the manifest of an image", () => {
  test("names the base's layers first, and which layer of the model each of ours is", () => {
    expect(manifestOf(makeParts({ base: makeBase() }))).toEqual({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: modelConfig(makeParts({ base: makeBase() })).descriptor,
      layers: [
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
          digest: digest("8"),
          size: 11,
        },
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
          digest: digest("9"),
          size: 12,
        },
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar",
          digest: digest("a"),
          size: 1024,
          annotations: { "model.kubedl.io/layer": "key-a" },
        },
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar",
          digest: digest("b"),
          size: 2048,
          annotations: { "model.kubedl.io/layer": "key-b" },
        },
      ],
    });
  });

  test.each([
    ["application/vnd.docker.image.rootfs.diff.tar.gzip", "+gzip"],
    ["application/vnd.docker.image.rootfs.diff.tar", ""],
    ["application/vnd.oci.image.layer.v1.tar+gzip", "+gzip"],
    ["application/vnd.oci.image.layer.v1.tar+zstd", "+zstd"],
  ])("calls a base's layer of type %s what OCI calls it", (mediaType, suffix) => {
    const layers = ["8", "9"].map((each) => ({ mediaType, digest: digest(each), size: 1 }));
    const base = { ...makeBase(), layers };
    expect(manifestOf(makeParts({ base }))).toHaveProperty(
      "layers.0.mediaType",
      `application/vnd.oci.image.layer.v1.tar${suffix}`,
    );
  });

  test("is read back as it was meant, and gives the next version its layers", () => {
    const parts = makeParts({ base: makeBase() });
    const { text, descriptor } = manifestBlob(parts);
    const manifest = parseManifest(text, descriptor.mediaType);
    expect(manifest?.layers).toHaveLength(4);
    const found = layersByKey(manifest ?? { config: descriptor, layers: [] });
    expect([...found].map(([key, layer]) => [key, layer.digest, layer.size])).toEqual([
      ["key-a", digest("a"), 1024],
      ["key-b", digest("b"), 2048],
    ]);
  });
});

describe("both", () => {
  test.each<[string, (parts: ModelImageParts) => JsonBlob]>([
    ["the configuration", modelConfig],
    ["the manifest", manifestBlob],
  ])(
    "of the same parts: %s has the same text, and is named by its digest and length",
    (_, make) => {
      const { text, descriptor } = make(makeParts({ base: makeBase() }));
      expect(make(makeParts({ base: makeBase() }))).toEqual({ text, descriptor });
      expect(descriptor).toMatchObject({
        digest: `sha256:${createHash("sha256").update(text).digest("hex")}`,
        size: Buffer.byteLength(text),
      });
    },
  );

  test("count bytes, and not characters", () => {
    const { text, descriptor } = modelConfig(makeParts({ labels: { who: "Jürgen 模型" } }));
    expect(descriptor.size).toBe(Buffer.from(text).length);
    expect(descriptor.size).toBeGreaterThan(text.length);
  });
});

/** A model of two layers. */
function makeParts(more: Partial<ModelImageParts> = {}): ModelImageParts {
  return deepFreeze({
    base: undefined,
    platform: "linux/amd64",
    layers: [
      { key: "key-a", digest: digest("a"), size: 1024 },
      { key: "key-b", digest: digest("b"), size: 2048 },
    ],
    labels: { "model.kubedl.io/model-name": "mnist" },
    created: CREATED,
    ...more,
  });
}

/** A base of two layers, as an image for another platform than this machine's. */
function makeBase(more: object = {}): BaseImage {
  return {
    digest: digest("f"),
    config: {
      os: "linux",
      architecture: "arm64",
      variant: "v8",
      author: "somebody",
      created: "2020-01-01T00:00:00Z",
      config: {
        Env: ["PATH=/bin"],
        Cmd: ["sh"],
        User: "1000",
        Labels: { maintainer: "somebody" },
      },
      rootfs: { type: "layers", diff_ids: [digest("1"), digest("2")] },
      history: [
        { created_by: "ADD rootfs" },
        { created_by: "ENV PATH=/bin", empty_layer: true },
        { created_by: "RUN make" },
      ],
      ...more,
    },
    layers: [
      {
        mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
        digest: digest("8"),
        size: 11,
        // Of the base's own manifest, where it may mean anything.
        annotations: { "model.kubedl.io/layer": "key-a" },
      },
      { mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", digest: digest("9"), size: 12 },
    ],
  };
}

function manifestBlob(parts: ModelImageParts): JsonBlob {
  return modelManifest(parts, modelConfig(parts).descriptor);
}

function configOf(parts: ModelImageParts): Readonly<Record<string, unknown>> {
  return JSON.parse(modelConfig(parts).text) as Readonly<Record<string, unknown>>;
}

function manifestOf(parts: ModelImageParts): object {
  return JSON.parse(manifestBlob(parts).text) as object;
}

function digest(digit: string): string {
  return `sha256:${digit.repeat(64)}`;
}
