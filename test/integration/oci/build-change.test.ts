import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  isContent,
  isStatus,
  isTagging,
  startRegistryProxy,
  type RegistryProxy,
  type SeenRequest,
} from "../../faults/registry-proxy.ts";
import { makeWorkplace, type Workplace } from "./build.ts";
import { pullImage } from "./pulled-image.ts";
import { startRegistry, type TestRegistry } from "./registry.ts";

const MEBIBYTE = 2 ** 20;
/** Not hashed before it is sent, and longer than all buffers on the way. */
const LARGE = 40 * MEBIBYTE;

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
  mkdirSync(at("shards"));
  writeFileSync(at("shards/1.bin"), Buffer.alloc(LARGE, "one"));
  writeFileSync(at("config.json"), "{}");
  symlinkSync("shards/1.bin", at("latest"));
  count += 1;
  image = `${proxy.host}/models/m${count}:v1`;
  proxy.clear();
});

afterEach(() => {
  workplace.remove();
});

const WHILE_READ: readonly [string, () => void][] = [
  ["shrinks", () => truncateSync(at("shards/1.bin"), 3 * MEBIBYTE)],
  ["is emptied", () => truncateSync(at("shards/1.bin"), 0)],
  ["grows", () => appendFileSync(at("shards/1.bin"), "more")],
  ["is written to in its midst", () => overwrite("shards/1.bin", LARGE - 1)],
  ["is written to where it was read", () => overwrite("shards/1.bin", 0)],
  ["vanishes", () => rmSync(at("shards/1.bin"))],
  ["is replaced", () => replace("shards/1.bin")],
  ["gets another mode", () => chmodSync(at("shards/1.bin"), 0o755)],
];

describe("a file that is being sent", () => {
  test.each(WHILE_READ)("and %s makes no image", async (_, change) => {
    expect(await changedAt(isLarge, change)).toMatchObject({
      exitCode: 1,
      report: { state: "failed", reason: "SourceChanged" },
    });
    await expect(pullImage(direct())).rejects.toThrow("404");
  });

  test("and shrinks is named", async () => {
    expect(await changedAt(isLarge, () => truncateSync(at("shards/1.bin"), 0))).toMatchObject({
      report: { message: '"shards/1.bin" changed while it was read' },
    });
  });
});

describe("a model in which, while another file is sent,", () => {
  test.each<[string, () => void]>([
    ["a file is added", () => writeFileSync(at("new"), "")],
    ["a small file changes", () => overwrite("config.json", 0)],
    ["a small file vanishes", () => rmSync(at("config.json"))],
    ["a link leads elsewhere", () => relink("latest", "config.json")],
    ["a directory is renamed", () => renameSync(at("shards"), at("parts"))],
    ["a directory becomes a link", () => becomeLink("shards")],
    ["all is gone", () => rmSync(workplace.model, { recursive: true })],
  ])("%s makes no image", async (_, change) => {
    const { exitCode, report } = await changedAt(isLarge, change);
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/^Source(?:Changed|NotFound)$/) as string,
    });
    await expect(pullImage(direct())).rejects.toThrow("404");
  });

  test("a file that is not open yet shrinks, grows or vanishes makes no image", async () => {
    for (let index = 2; index < 9; index++) {
      writeFileSync(at(`shards/${index}.bin`), Buffer.alloc(LARGE / 2, `${index}`));
    }
    const last = "shards/8.bin";
    for (const change of [
      () => truncateSync(at(last), LARGE / 4),
      () => appendFileSync(at(last), "more"),
      () => rmSync(at(last)),
    ]) {
      proxy.clear();
      const { report } = await changedAt(isLarge, change);
      expect(report).toMatchObject({
        reason: "SourceChanged",
        message: expect.stringMatching(
          /^"shards\/8.bin" (?:changed|vanished) while it was read$/,
        ) as string,
      });
    }
    await expect(pullImage(direct())).rejects.toThrow("404");
  });
});

test("a file that changes between two tries makes no image, and that is the reason", async () => {
  // What the registry has not got, but was hashed, is other bytes when it is read again.
  proxy.fault(isLarge, { kind: "reset", afterBytes: 5 * MEBIBYTE + 1 });
  const asked = proxy.fault(isStatus, {
    kind: "hold",
    afterBytes: 0,
    until: async () => Promise.resolve(overwrite("shards/1.bin", 5.5 * MEBIBYTE)),
  });
  expect(await workplace.build(image)).toMatchObject({ report: { reason: "SourceChanged" } });
  expect(asked()).toBe(1);
  await expect(pullImage(direct())).rejects.toThrow("404");
});

test("a tag stays where it was when the model changes in the next attempt", async () => {
  const { digest } = await workplace.built(image);
  overwrite("config.json", 0);
  proxy.clear();
  expect(await changedAt(isContent, () => appendFileSync(at("config.json"), " "))).toMatchObject({
    report: { reason: "SourceChanged" },
  });
  expect(proxy.seen.filter(isTagging)).toEqual([]);
  expect((await pullImage(direct())).digest).toBe(digest);
});

/** Builds, and does that when the first bytes of a matching request have passed. */
async function changedAt(
  match: (request: SeenRequest) => boolean,
  change: () => void,
): ReturnType<Workplace["build"]> {
  let changed = false;
  const until = async (): Promise<void> => {
    changed = true;
    return Promise.resolve(change());
  };
  const first = proxy.fault(match, { kind: "hold", afterBytes: 1, until });
  const ended = await workplace.build(image);
  expect([first(), changed]).toEqual([1, true]);
  return ended;
}

function isLarge(request: SeenRequest): boolean {
  return isContent(request) && Number(request.headers["content-length"]) > LARGE;
}

function overwrite(path: string, position: number): void {
  const file = openSync(at(path), "r+");
  writeSync(file, "!", position);
  closeSync(file);
}

function replace(path: string): void {
  writeFileSync(at("new"), Buffer.alloc(LARGE, "two"));
  renameSync(at("new"), at(path));
}

function relink(path: string, target: string): void {
  rmSync(at(path));
  symlinkSync(target, at(path));
}

function becomeLink(path: string): void {
  renameSync(at(path), at("../moved"));
  symlinkSync("../moved", at(path));
}

function at(path: string): string {
  return join(workplace.model, path);
}

/** The image, not through the proxy. */
function direct(): string {
  return image.replace(proxy.host, registry.host);
}
