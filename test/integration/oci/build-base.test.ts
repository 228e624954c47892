import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isContent, startRegistryProxy, type RegistryProxy } from "../../faults/registry-proxy.ts";
import { makeWorkplace, type Workplace } from "./build.ts";
import { pullImage, unpackedEntries } from "./pulled-image.ts";
import { digestOf, pushImage, pushManifest, OCI_MANIFEST, type TestImage } from "./push.ts";
import { startRegistry, type TestRegistry } from "./registry.ts";

const OCI = "application/vnd.oci.image.layer.v1.tar";
const DOCKER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

let registry: TestRegistry;
let other: TestRegistry;
let proxy: RegistryProxy;
let workplace: Workplace;
let image: string;
let count = 0;

beforeAll(async () => {
  [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
  proxy = await startRegistryProxy(registry.host);
});

afterAll(async () => {
  await proxy.stop();
  await Promise.all([registry.stop(), other.stop()]);
});

beforeEach(() => {
  workplace = makeWorkplace();
  writeFileSync(join(workplace.model, "weights.bin"), "weights");
  count += 1;
  image = `${proxy.host}/models/m${count}:v1`;
  proxy.clear();
});

afterEach(() => {
  workplace.remove();
});

describe("a model on a base image", () => {
  test("lies above all that the base has, whose configuration it keeps", async () => {
    await pushBase(registry, "1", {
      layers: [layer({ "bin/sh": "shell", "etc/passwd": "root" }), layer({ "etc/group": "root" })],
    });
    const built = await workplace.built(image, { baseImage: `${proxy.host}/base:1` });
    expect(built).toMatchObject({ files: 1, shell: true });
    expect((await unpackedEntries(direct(image))).map(([path]) => path)).toEqual([
      "bin",
      "bin/sh",
      "etc",
      "etc/group",
      "etc/passwd",
      "kubedl-model",
      "kubedl-model/weights.bin",
    ]);
    const { config, layers } = await pullImage(direct(image));
    expect(layers).toHaveLength(3);
    expect(config.rootfs.diff_ids).toHaveLength(3);
    expect(config.config.Labels).toMatchObject({ "of-the-base": "yes" });
  });

  test("of the same registry takes the base's layers over, and reads them only to look at them", async () => {
    await pushBase(registry, "2", { layers: [layer({ "bin/sh": "a shell of its own" })] });
    await workplace.built(image, { baseImage: `${proxy.host}/base:2` });
    const base = await pullImage(`${registry.host}/base:2`);
    expect((await pullImage(direct(image))).layers[0]?.digest).toBe(base.layers[0]?.digest);
    expect(
      proxy.seen.filter(({ url }) => url.includes("mount=")).map(({ status }) => status),
    ).toEqual([201]);
    // The model's one layer, and the configuration.
    expect(proxy.seen.filter(isContent)).toHaveLength(2);
  });

  test("of another registry brings the base's layers along", async () => {
    await pushBase(other, "1", { layers: [layer({ "bin/sh": "elsewhere" })] });
    const options = {
      baseImage: `${other.host}/base:1`,
      insecureRegistries: [proxy.host, other.host],
    };
    await workplace.built(image, options);
    const base = await pullImage(`${other.host}/base:1`);
    expect((await pullImage(direct(image))).layers[0]?.digest).toBe(base.layers[0]?.digest);
    expect((await unpackedEntries(direct(image))).map(([path]) => path)).toContain("bin/sh");
    expect(proxy.seen.filter(({ url }) => url.includes("mount="))).toEqual([]);
  });

  test.each([
    ["gzip, of OCI", `${OCI}+gzip`, gzipSync],
    ["gzip, of Docker", DOCKER, gzipSync],
    ["zstd", `${OCI}+zstd`, zstdCompressSync],
    ["none", OCI, (content: Buffer) => content],
  ])("keeps the base's layers as they are compressed: %s", async (_, mediaType, pack) => {
    const content = pack(tarOf({ "bin/sh": mediaType }));
    const tag = `compressed-${digestOf(content).slice(7, 19)}`;
    await pushBase(registry, tag, {
      diffIds: [digestOf(tarOf({ "bin/sh": mediaType }))],
      layers: [{ mediaType, content }],
    });
    const { shell } = await workplace.built(image, { baseImage: `${proxy.host}/base:${tag}` });
    expect(shell).toBe(true);
    expect((await pullImage(direct(image))).layers[0]).toMatchObject({
      mediaType: mediaType === DOCKER ? `${OCI}+gzip` : mediaType,
      digest: digestOf(content),
    });
    expect((await unpackedEntries(direct(image))).map(([path]) => path)).toContain("bin/sh");
  });

  test("of several platforms is on the one for this machine", async () => {
    const digest = await pushBase(registry, "mine", { layers: [layer({ "bin/sh": "mine" })] });
    const type = "application/vnd.oci.image.index.v1+json";
    const architecture = process.arch === "x64" ? "amd64" : process.arch;
    const platforms = [
      { os: "linux", architecture: "s390x" },
      { os: "linux", architecture },
    ];
    const manifests = platforms.map((platform, size) => ({
      mediaType: OCI_MANIFEST,
      digest,
      size,
      platform,
    }));
    const index = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests });
    await pushManifest(`http://${registry.host}`, "base", "index", type, index);
    await workplace.built(image, { baseImage: `${proxy.host}/base:index` });
    expect((await unpackedEntries(direct(image))).map(([path]) => path)).toContain("bin/sh");
  });

  test("is the same for every attempt, so that a second one finds all of it", async () => {
    await pushBase(registry, "3", { layers: [layer({ "bin/sh": "third" })] });
    const first = await workplace.built(image, { baseImage: `${proxy.host}/base:3` });
    const again = await workplace.built(`${proxy.host}/models/m${count}:v2`, {
      baseImage: `${proxy.host}/base:3`,
      again: true,
    });
    expect(again.digest).toBe(first.digest);
  });
});

describe("a base image is refused", () => {
  test.each<[string, () => Promise<unknown>, string, RegExp]>([
    [
      "with a model of its own",
      () => pushBase(registry, "bad", { layers: [layer({ "kubedl-model/stray": "" })] }),
      "InvalidObject",
      /^base image \S+ brings a \/kubedl-model of its own \(1 files, 0 bytes, 0 links, 0 directories\); name one without$/,
    ],
    [
      "with a link where the model is to be",
      () => pushBase(registry, "bad", { layers: [linkLayer("kubedl-model", "etc")] }),
      "InvalidObject",
      /^base image \S+ brings a \/kubedl-model of its own \(0 files, 0 bytes, 1 links, 0 directories\); name one without$/,
    ],
    [
      "with more layers than leave room for a model's",
      () =>
        pushBase(registry, "bad", {
          layers: Array.from({ length: 21 }, (_, index) => layer({ [`f${index}`]: "" })),
        }),
      "InvalidObject",
      /^base image \S+ has 21 layers; it may have at most 20$/,
    ],
    [
      "that is not there",
      () => Promise.resolve(),
      "ImagePullFailed",
      /^base image \S+ does not exist in its registry$/,
    ],
    [
      "whose configuration does not count its layers",
      () => pushBase(registry, "bad", { diffIds: [], layers: [layer({ "bin/sh": "" })] }),
      "Unknown",
      /does not name each of its 1 layers/,
    ],
  ])("%s", async (_, prepare, reason, message) => {
    await prepare();
    const name = `${proxy.host}/base${reason === "ImagePullFailed" ? "-missing" : ""}:bad`;
    expect(await workplace.build(image, { baseImage: name })).toEqual({
      exitCode: 1,
      report: { state: "failed", reason, message: expect.stringMatching(message) as string },
    });
    await expect(pullImage(direct(image))).rejects.toThrow("404");
  });

  test("whose registry does not answer, for as long as that is so", async () => {
    const baseImage = "127.0.0.1:1/base:1";
    expect(await workplace.build(image, { baseImage })).toMatchObject({
      report: { reason: "RegistryUnreachable" },
    });
  });
});

async function pushBase(
  { host }: TestRegistry,
  tag: string,
  { layers, diffIds }: Pick<TestImage, "layers" | "diffIds">,
): Promise<string> {
  return pushImage(`http://${host}`, "base", tag, {
    labels: { "of-the-base": "yes" },
    layers,
    diffIds: diffIds ?? layers.map(({ content }) => digestOf(content)),
  });
}

function layer(files: Readonly<Record<string, string>>): TestImage["layers"][number] {
  return { mediaType: `${OCI}+gzip`, content: gzipSync(tarOf(files)) };
}

function linkLayer(path: string, target: string): TestImage["layers"][number] {
  const content = archiveOf((root) => symlinkSync(target, join(root, path)));
  return { mediaType: `${OCI}+gzip`, content: gzipSync(content) };
}

function tarOf(files: Readonly<Record<string, string>>): Buffer {
  return archiveOf((root) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
  });
}

function archiveOf(write: (root: string) => void): Buffer {
  const root = mkdtempSync(join(tmpdir(), "modelhook-base-"));
  write(root);
  const options = ["-cf", "-", "--mtime=@0", "--sort=name", "-C", root, "."];
  const archive = execFileSync("tar", options);
  rmSync(root, { recursive: true });
  return archive;
}

/** The same image, not through the proxy. */
function direct(name: string): string {
  return name.replace(proxy.host, registry.host);
}
