import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  bytesOf,
  isCommit,
  isContent,
  isStatus,
  isTagging,
  startRegistryProxy,
  type RegistryFault,
  type RegistryProxy,
  type SeenRequest,
} from "../../faults/registry-proxy.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { makeWorkplace, type Workplace } from "./build.ts";
import { entriesInImage, pullImage, unpackedEntries, type Entry } from "./pulled-image.ts";
import { startRegistry, type TestRegistry } from "./registry.ts";

const MEBIBYTE = 2 ** 20;
const LARGE = 20 * MEBIBYTE;

let registry: TestRegistry;
let proxy: RegistryProxy;
let workplace: Workplace;
let image: string;
let count = 0;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startRegistryProxy(registry.host);
});

afterAll(async () => {
  await proxy.stop();
  await registry.stop();
});

beforeEach(() => {
  workplace = makeWorkplace();
  mkdirSync(join(workplace.model, "shards"));
  writeFileSync(join(workplace.model, "shards/1.bin"), Buffer.alloc(LARGE, `model ${count}`));
  writeFileSync(join(workplace.model, "config.json"), "{}");
  count += 1;
  image = `${proxy.host}/models/m${count}:v1`;
  proxy.clear();
});

afterEach(() => {
  workplace.remove();
});

describe("a build comes to its image, and sends again no more than it has to, when", () => {
  test.each<[string, (request: SeenRequest) => boolean, RegistryFault, number]>([
    ["a body breaks off at its start", isLarge, { kind: "reset", afterBytes: 0 }, 0],
    ["a body breaks off in its midst", isLarge, { kind: "reset", afterBytes: LARGE / 2 }, 0],
    ["a body breaks off at its end", isLarge, { kind: "reset", afterBytes: LARGE }, 0],
    ["a body is spoilt on its way", isLarge, { kind: "spoil" }, 1],
    ["the answer to a body is lost", isLarge, { kind: "lose-answer" }, 0],
    ["the answer to the end of an upload is lost", isCommit, { kind: "lose-answer" }, 0],
    ["the answer to the start of an upload is lost", isStart, { kind: "lose-answer" }, 0],
    ["a proxy has no registry behind it", isLarge, { kind: "answer", status: 502 }, 0],
    ["the registry is busy when it gets a body", isLarge, { kind: "answer", status: 503 }, 0],
    ["the registry is busy at the end of an upload", isCommit, { kind: "answer", status: 500 }, 0],
    [
      "the registry asks for patience",
      isStart,
      { kind: "answer", status: 429, headers: { "retry-after": "1" } },
      0,
    ],
    ["the registry is busy when the tag moves", isTagging, { kind: "answer", status: 503 }, 0],
    ["the answer to the moving of the tag is lost", isTagging, { kind: "lose-answer" }, 0],
  ])("%s", async (name, match, fault, again) => {
    const hits = proxy.fault(match, fault);
    await workplace.built(image);
    expect(hits()).toBe(1);
    console.log(`${name}: ${mebibytes(contentSent())} MiB were sent for ${mebibytes(LARGE)}`);
    expect(contentSent()).toBeLessThan((1 + again) * LARGE + MEBIBYTE);
    expect(await pulledModel()).toEqual(entriesInImage(workplace.model));
  });

  test("a file that is hashed while it is sent breaks off again and again", async () => {
    const size = 40 * MEBIBYTE;
    writeFileSync(join(workplace.model, "shards/1.bin"), Buffer.alloc(size, "not hashed before"));
    proxy.fault(isLarge, { kind: "reset", afterBytes: MEBIBYTE });
    proxy.fault(isLarge, { kind: "answer", status: 503 });
    proxy.fault(isLarge, { kind: "reset", afterBytes: 20 * MEBIBYTE + 7 });
    proxy.fault(isCommit, { kind: "lose-answer" }, 2);
    await workplace.built(image);
    expect(contentSent()).toBeLessThan(size + MEBIBYTE);
    expect(await pulledModel()).toEqual(entriesInImage(workplace.model));
  });

  test("a body breaks off, and the registry does not know how far it came", async () => {
    proxy.fault(isLarge, { kind: "reset", afterBytes: LARGE / 2 });
    const asked = proxy.fault(isStatus, { kind: "answer", status: 404 });
    await workplace.built(image);
    expect(asked()).toBe(1);
    expect(contentSent()).toBeGreaterThan(1.4 * LARGE);
    expect(contentSent()).toBeLessThan(1.5 * LARGE + MEBIBYTE);
    expect(await pulledModel()).toEqual(entriesInImage(workplace.model));
  });

  test("a body breaks off, and the registry takes the whole only, not the rest", async () => {
    proxy.fault(isLarge, { kind: "reset", afterBytes: LARGE / 2 });
    const refused = proxy.fault(isRest, { kind: "answer", status: 416 }, 10);
    await workplace.built(image);
    expect(refused()).toBe(1);
    expect(await pulledModel()).toEqual(entriesInImage(workplace.model));
  });

  test.each([
    ["keeps the secret that it signs locations with", { secret: "kept" }],
    ["makes itself a new one", {}],
  ])("the registry is killed in the midst of a body, started again, and %s", async (_, http) => {
    const mortal = await startRegistry({ http });
    const before = await startRegistryProxy(mortal.host);
    const until = async (): Promise<void> => mortal.restart();
    const held = before.fault(isLarge, { kind: "hold", afterBytes: LARGE / 2, until });
    await workplace.built(`${before.host}/m:v1`);
    expect(held()).toBe(1);
    console.log(`${mebibytes(contentSent(before))} MiB were sent for ${mebibytes(LARGE)}`);
    // It has lost no more than what was on its way within itself.
    expect(contentSent(before)).toBeLessThan(1.3 * LARGE);
    expect(await pulledModel(`${mortal.host}/m:v1`)).toEqual(entriesInImage(workplace.model));
    await before.stop();
    await mortal.stop();
  });

  test("the registry is killed and started again between a body and the end of its upload", async () => {
    const isItsEnd = (request: SeenRequest): boolean =>
      isCommit(request) && proxy.seen.some(isLarge);
    const held = proxy.fault(isItsEnd, {
      kind: "hold",
      afterBytes: 0,
      until: async () => registry.restart(),
    });
    await workplace.built(image);
    expect(held()).toBe(1);
    expect(await pulledModel()).toEqual(entriesInImage(workplace.model));
  });
});

describe("a build says that the registry is away, after a few tries, when", () => {
  test.each<[string, (request: SeenRequest) => boolean, RegistryFault]>([
    ["every body breaks off", isLarge, { kind: "reset", afterBytes: MEBIBYTE }],
    ["every end of an upload is refused for now", isCommit, { kind: "answer", status: 503 }],
    ["the tag never moves", isTagging, { kind: "answer", status: 500 }],
  ])("%s", async (_, match, fault) => {
    const hits = proxy.fault(match, fault, Infinity);
    expect(await workplace.build(image)).toMatchObject({
      exitCode: 1,
      report: { state: "failed", reason: "RegistryUnreachable" },
    });
    // For each of at most three blobs.
    expect(hits()).toBeGreaterThanOrEqual(6);
    expect(hits()).toBeLessThanOrEqual(18);
    await expect(pullImage(direct())).rejects.toThrow("404");
  });
});

test("a build that fails does not go on with what it had begun", async () => {
  for (let index = 2; index < 7; index++) {
    writeFileSync(join(workplace.model, `shards/${index}.bin`), Buffer.alloc(LARGE, `${index}`));
  }
  const retried = new Set<number>();
  const logger = createLogger({ level: "silent" });
  logger.warn = () => void retried.add(proxy.seen.length);
  // One is refused for good while others pause, and are about to try again.
  const others = proxy.fault(isLarge, { kind: "answer", status: 503 }, 2);
  proxy.fault((request) => isStart(request) && others() === 2, { kind: "answer", status: 403 });
  expect(await workplace.build(image, { logger })).toMatchObject({
    report: { reason: "PushDenied" },
  });
  const seen = proxy.seen.length;
  const told = retried.size;
  // Longer than the first pauses.
  await sleep(2000);
  expect(proxy.seen).toHaveLength(seen);
  expect(retried.size).toBe(told);
});

/** Sends what is left of a content that broke off. */
function isRest({ headers }: SeenRequest): boolean {
  return headers["content-range"] !== undefined;
}

function isLarge(request: SeenRequest): boolean {
  return isContent(request) && Number(request.headers["content-length"]) > MEBIBYTE;
}

/** The start of an upload, and not the question before them all whether there may be some. */
function isStart({ method }: SeenRequest): boolean {
  return method === "POST" && proxy.seen.filter((each) => each.method === "POST").length > 1;
}

/** The image, not through the proxy. */
function direct(): string {
  return image.replace(proxy.host, registry.host);
}

/** Bytes of the content of blobs that came to the proxy. */
function contentSent({ seen }: RegistryProxy = proxy): number {
  return bytesOf(seen.filter(isContent));
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(1);
}

async function pulledModel(pulled: string = direct()): Promise<readonly Entry[]> {
  return (await unpackedEntries(pulled)).slice(1);
}
