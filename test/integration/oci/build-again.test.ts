import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseImageRef } from "../../../src/api/image-ref.ts";
import {
  bytesOf,
  isContent,
  startRegistryProxy,
  type RegistryProxy,
} from "../../faults/registry-proxy.ts";
import { makeWorkplace, type Workplace } from "./build.ts";
import { pushImage } from "./push.ts";
import { entriesInImage, pullImage, unpackedEntries, type Entry } from "./pulled-image.ts";
import { startRegistry, type TestRegistry } from "./registry.ts";

const MEBIBYTE = 2 ** 20;
/** More than is hashed before it is sent. */
const LARGE = 33 * MEBIBYTE;

let registry: TestRegistry;
let proxy: RegistryProxy;
let workplace: Workplace;
let repository: string;
let count = 0;

beforeAll(async () => {
  registry = await startRegistry();
  // Shows what is sent.
  proxy = await startRegistryProxy(registry.host);
});

afterAll(async () => {
  await proxy.stop();
  await registry.stop();
});

beforeEach(() => {
  workplace = makeWorkplace();
  count += 1;
  repository = `${proxy.host}/models/m${count}`;
  proxy.clear();
});

afterEach(() => {
  workplace.remove();
});

describe("a second attempt at the same version", () => {
  test("adopts the image of the first, and sends nothing", async () => {
    writeModel();
    const image = await workplace.built(`${repository}:v1`);
    proxy.clear();
    expect(await workplace.build(`${repository}:v1`, { again: true })).toEqual({
      exitCode: 0,
      report: { state: "adopted", image },
    });
    expect(proxy.seen.filter(({ method }) => !["GET", "HEAD"].includes(method))).toEqual([]);
  });

  test.each<[string, number, () => void]>([
    ["a small file", 0, () => appendFileSync(join(workplace.model, "config.json"), " ")],
    ["nothing but a mode", 1, () => chmodSync(join(workplace.model, "0.bin"), 0o755)],
  ])("builds anew when %s has changed, and sends %i large files", async (_, large, change) => {
    writeModel();
    const first = await workplace.built(`${repository}:v1`);
    change();
    proxy.clear();
    const { report } = await workplace.build(`${repository}:v1`, { again: true });
    expect(report).toMatchObject({ state: "built" });
    expect(report).not.toHaveProperty("image.digest", first.digest);
    expect(sentFiles()).toBe(large);
    expect(await pulledModel("v1")).toEqual(entriesInImage(workplace.model));
  });

  test("builds anew, with the same digest, what the registry has lost a layer of", async () => {
    writeModel();
    const first = await workplace.built(`${repository}:v1`);
    const lost = first.layers.at(-1)?.digest ?? "";
    const path = parseImageRef(repository)?.repository ?? "";
    const repositories = join(registry.directory, "docker/registry/v2/repositories", path);
    rmSync(join(repositories, "_layers/sha256", lost.slice("sha256:".length)), { recursive: true });
    proxy.clear();
    expect(await workplace.build(`${repository}:v1`, { again: true })).toEqual({
      exitCode: 0,
      report: { state: "built", image: first },
    });
    expect(sentFiles()).toBe(1);
    expect(await pulledModel("v1")).toEqual(entriesInImage(workplace.model));
  });

  test("does not adopt what only bears the labels of the first", async () => {
    writeModel();
    const first = await workplace.built(`${repository}:v1`);
    const { config } = await pullImage(`${repository}:v1`);
    const url = `http://${registry.host}`;
    const path = parseImageRef(repository)?.repository ?? "";
    const forged = await pushImage(url, path, "v1", { labels: config.config.Labels, layers: [] });
    const again = await workplace.built(`${repository}:v1`, { again: true });
    expect(again).toEqual(first);
    const { digest } = await pullImage(`${repository}:v1`);
    expect(digest).toBe(first.digest);
    expect(digest).not.toBe(forged);
  });

  test("after one that died before it moved the tag sends nothing of the model", async () => {
    writeModel();
    await workplace.built(`${repository}:other`);
    proxy.clear();
    await workplace.built(`${repository}:v1`, { again: true });
    expect(sentFiles()).toBe(0);
  });
});

describe("the next version of a model", () => {
  test("sends about the one file of ten that has changed", async () => {
    const size = 16 * MEBIBYTE;
    for (let index = 0; index < 10; index++) writeFile(`${index}.bin`, size, `shard ${index}`);
    const previous = await firstVersion();
    writeFile("7.bin", size, "trained on");
    proxy.clear();
    const { layers } = await workplace.built(`${repository}:v2`, { previous });
    expect(layers).toHaveLength(11);
    const contents = proxy.seen.filter(isContent).map(({ bytes }) => bytes);
    // The changed file's layer (headers of its directory and its own, end of the archive), and the configuration.
    expect(contents.filter((bytes) => bytes > 10_000)).toEqual([size + 4 * 512]);
    expect(contents).toHaveLength(2);
    expect(bytesOf(proxy.seen)).toBeLessThan(size + MEBIBYTE / 4);
    expect(await pulledModel("v2")).toEqual(entriesInImage(workplace.model));
  });

  test.each<[number, string, () => void]>([
    [0, "nothing has changed", () => undefined],
    [1, "one has changed", () => writeFile("1.bin", LARGE, "trained on")],
    [0, "one is removed", () => rmSync(join(workplace.model, "1.bin"))],
    [
      1,
      "one moves into a directory",
      () => {
        mkdirSync(join(workplace.model, "old"));
        renameSync(join(workplace.model, "1.bin"), join(workplace.model, "old/1.bin"));
      },
    ],
    [0, "all were written again with what they held", writeModel],
  ])("sends %i files that are not hashed before, when %s", async (large, _, change) => {
    writeModel();
    const previous = await firstVersion();
    change();
    proxy.clear();
    await workplace.built(`${repository}:v2`, { previous });
    expect(sentFiles()).toBe(large);
  });

  test("takes layers over from the repository of the version before", async () => {
    writeModel();
    const previous = await firstVersion();
    proxy.clear();
    await workplace.built(`${proxy.host}/elsewhere/m${count}:v1`, { previous });
    expect(sentFiles()).toBe(0);
    repository = `${proxy.host}/elsewhere/m${count}`;
    expect(await pulledModel("v1")).toEqual(entriesInImage(workplace.model));
  });

  test.each([
    ["is gone", () => `${repository}@sha256:${"0".repeat(64)}`],
    ["is in a registry that does not answer", () => `127.0.0.1:1/m@sha256:${"0".repeat(64)}`],
    ["is not named by a digest", () => `${repository}:v1`],
    ["is not named at all", () => "No Image"],
  ])("is built all the same when the version before %s", async (_, previous) => {
    writeFile("0.bin", 100, "small");
    await workplace.built(`${repository}:v2`, { previous: previous() });
    expect(await pulledModel("v2")).toEqual(entriesInImage(workplace.model));
  });
});

async function firstVersion(): Promise<string> {
  const { digest } = await workplace.built(`${repository}:v1`);
  return `${repository}@${digest}`;
}

function writeModel(): void {
  for (const each of ["0.bin", "1.bin"]) writeFile(each, LARGE, each);
  writeFile("config.json", 100, "{} ");
}

function writeFile(path: string, size: number, content: string): void {
  writeFileSync(join(workplace.model, path), Buffer.alloc(size, content));
}

/** How many large files were sent; manifests and configurations are each time. */
function sentFiles(): number {
  const sent = bytesOf(proxy.seen);
  return sent % LARGE < MEBIBYTE / 4 ? Math.floor(sent / LARGE) : sent / LARGE;
}

/** What the image holds; not read through the proxy, which would take it for something that the build has asked. */
async function pulledModel(tag: string): Promise<readonly Entry[]> {
  const unpacked = await unpackedEntries(`${repository.replace(proxy.host, registry.host)}:${tag}`);
  return unpacked.slice(1);
}
