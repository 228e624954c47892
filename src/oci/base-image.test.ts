import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { onBuildTriggers, readBaseImage } from "./base-image.ts";
import type { FoundManifest, Repository } from "./repository.ts";

const OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";

const CONFIG = { architecture: "arm64", os: "linux", config: { Env: ["A=1"] }, rootfs: {} };
const LAYER = { mediaType: "layer", digest: digestOf("a layer"), size: 7 };

/** A repository that a test fills. */
interface Stored extends Pick<Repository, "manifest" | "text"> {
  /** Stores a text under its digest and its tag, and gives its descriptor. */
  put(mediaType: string, content: unknown, tag?: string): typeof LAYER;
  /** The same for a text that no object gives. */
  putText(mediaType: string, text: string, tag?: string): typeof LAYER;
  image(options?: { config?: object; mediaType?: string; tag?: string }): typeof LAYER;
}

function makeStored(): Stored {
  const texts = new Map<string, FoundManifest>();

  const put: Stored["put"] = (mediaType, content, tag) =>
    putText(mediaType, JSON.stringify(content), tag);

  function putText(mediaType: string, text: string, tag?: string): typeof LAYER {
    const digest = digestOf(text);
    texts.set(digest, { digest, mediaType, text });
    if (tag !== undefined) texts.set(tag, { digest, mediaType, text });
    return { mediaType, digest, size: text.length };
  }

  return {
    put,
    putText,
    image({ config = CONFIG, mediaType = OCI_IMAGE, tag } = {}) {
      return put(mediaType, { config: put("config", config), layers: [LAYER] }, tag);
    },
    manifest: async (reference) => texts.get(reference),
    text: async ({ digest }) => texts.get(digest)?.text ?? "",
  };
}

describe("a base image", () => {
  test.each([OCI_IMAGE, DOCKER_IMAGE])("is read from its manifest (%s)", async (mediaType) => {
    const stored = makeStored();
    const { digest } = stored.image({ mediaType, tag: "1" });
    const image = { digest, config: CONFIG, layers: [LAYER] };
    expect(await readBaseImage(stored, "1", "linux/amd64")).toEqual(image);
    expect(await readBaseImage(stored, digest, "linux/amd64")).toEqual(image);
  });

  test.each([OCI_INDEX, DOCKER_LIST])("is the one for the platform (%s)", async (mediaType) => {
    const stored = makeStored();
    const amd64 = stored.image({ config: { ...CONFIG, architecture: "amd64" } });
    const arm64 = stored.image();
    const manifests = [
      { ...amd64, platform: { os: "linux", architecture: "amd64" } },
      { ...arm64, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
    ];
    stored.put(mediaType, { mediaType, manifests }, "1");
    const image = await readBaseImage(stored, "1", "linux/arm64");
    expect(image).toMatchObject({ digest: arm64.digest, config: { architecture: "arm64" } });
  });

  test("is the first for its platform, where an index names none linux/amd64", async () => {
    const stored = makeStored();
    const first = stored.image();
    const manifests = [first, stored.image({ config: {} })];
    stored.put(OCI_INDEX, { manifests }, "1");
    expect(await readBaseImage(stored, "1", "linux/amd64")).toMatchObject({
      digest: first.digest,
    });
  });

  test("is absent where nothing has the tag", async () => {
    expect(await readBaseImage(makeStored(), "1", "linux/amd64")).toBeUndefined();
  });
});

describe("a base image can not be used", () => {
  const windows = { os: "windows", architecture: "amd64" };
  test.each<[string, (stored: Stored) => void, string, string]>([
    [
      "when its index has none for the platform",
      (stored) =>
        stored.put(
          OCI_INDEX,
          { manifests: [stored.image(), { ...stored.image(), platform: windows }] },
          "1",
        ),
      "missing",
      "has no image for linux/arm64; it has some for: linux/amd64, windows/amd64",
    ],
    [
      "when its index names an image that is gone",
      (stored) =>
        stored.put(
          OCI_INDEX,
          { manifests: [{ ...LAYER, platform: { os: "linux", architecture: "arm64" } }] },
          "1",
        ),
      "missing",
      `names ${LAYER.digest}, which is not there`,
    ],
    [
      "when an index leads to another",
      (stored) => {
        const inner = stored.put(OCI_INDEX, { manifests: [stored.image()] });
        const platform = { os: "linux", architecture: "arm64" };
        stored.put(OCI_INDEX, { manifests: [{ ...inner, platform }] }, "1");
      },
      "invalid",
      "1 is neither an image nor an index of images",
    ],
    [
      "when it is something else",
      (stored) => stored.put("application/vnd.example", {}, "1"),
      "invalid",
      "1 is neither an image nor an index of images (application/vnd.example)",
    ],
    [
      "when its configuration can be read in two ways",
      (stored) => {
        const text = '{"config":{"OnBuild":["RUN a"]},"config":{}}';
        const config = stored.putText("config", text);
        stored.put(OCI_IMAGE, { config, layers: [] }, "1");
      },
      "invalid",
      'the configuration of 1 has the key "config" twice',
    ],
    [
      "when its manifest can be read in two ways",
      (stored) => {
        const config = stored.put("config", CONFIG);
        stored.put(OCI_IMAGE, { config, Config: LAYER, layers: [] }, "1");
      },
      "invalid",
      'the manifest of 1 has the key "Config" twice',
    ],
    [
      "when its configuration is no object",
      (stored) => {
        const config = stored.put("config", []);
        stored.put(OCI_IMAGE, { config, layers: [] }, "1");
      },
      "invalid",
      "the image's configuration is not an object",
    ],
  ])("%s", async (_, fill, fault, message) => {
    const stored = makeStored();
    fill(stored);
    await expect(readBaseImage(stored, "1", "linux/arm64")).rejects.toMatchObject({
      fault,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe("the triggers of a base image", () => {
  test.each<[string, object, readonly string[]]>([
    [
      "are those that it lists",
      { config: { OnBuild: ["RUN a", "COPY b c"] } },
      ["RUN a", "COPY b c"],
    ],
    ["are read as kaniko reads them, in any case", { Config: { onbuild: ["RUN a"] } }, ["RUN a"]],
    ["are none where there is no list", { config: { OnBuild: null } }, []],
    ["are none where there is no configuration of containers", { rootfs: {} }, []],
  ])("%s", (_, config, triggers) => {
    expect(onBuildTriggers({ digest: LAYER.digest, layers: [], config: { ...config } })).toEqual(
      triggers,
    );
  });
});

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
