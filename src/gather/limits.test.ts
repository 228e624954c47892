import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { limitsFrom, parseLimits, type Limits } from "../admission/limits.ts";
import { createLogger } from "../telemetry/logger.ts";
import { followLimits, type LimitsNews, type LimitsSource } from "./limits.ts";

const IDENTITY = {
  systemNamespace: "modelhook-system",
  controllerUser: "system:serviceaccount:modelhook-system:modelhook",
  modelhookImage: "registry.example/modelhook:1",
};

let directory: string;
let stop: AbortController;
let lines: string[];
let news: LimitsNews[];
let revision: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "modelhook-limits-"));
  stop = new AbortController();
  [lines, news, revision] = [[], [], 0];
  await mount(fileWith(["/models"]));
  await symlink("..data/config.yaml", join(directory, "config.yaml"));
});
afterEach(async () => {
  stop.abort(new Error("the test is over"));
  await rm(directory, { recursive: true });
});

function fileWith(prefixes: readonly string[], more: object = {}): string {
  const build = { kanikoImage: "kaniko", baseImage: "busybox" };
  return stringify({ localStorage: { allowedPrefixes: { "*": prefixes } }, build, ...more });
}

/** Changes the file as the kubelet does: a new directory, and the rename of a link over the one before. */
async function mount(text: string): Promise<void> {
  revision += 1;
  await mkdir(join(directory, `..${revision}`));
  await writeFile(join(directory, `..${revision}`, "config.yaml"), text);
  await symlink(`..${revision}`, join(directory, "..data_tmp"));
  await rename(join(directory, "..data_tmp"), join(directory, "..data"));
}

async function follow(): Promise<LimitsSource> {
  const path = join(directory, "config.yaml");
  return followLimits({
    path,
    initial: limitsIn(await readFile(path, "utf8")),
    identity: IDENTITY,
    tell: (each) => void news.push(each),
    log: createLogger({
      level: "info",
      destination: { write: (line) => void lines.push(line) },
    }),
    signal: stop.signal,
    checkEveryMs: 1,
  });
}

function limitsIn(text: string): Limits {
  const parsed = parseLimits(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return limitsFrom(parsed.file, IDENTITY);
}

function prefixesOf(source: LimitsSource): readonly string[] | undefined {
  return source.current().policy.localPrefixes["*"];
}

test("a change is in force at once, whole, and whoever listens is told once", async () => {
  const source = await follow();
  const before = source.current();
  const changed = vi.fn<() => void>();
  source.onChange(changed);
  await mount(fileWith(["/other"]));
  await vi.waitUntil(() => news.length > 0, 20_000);
  expect(prefixesOf(source)).toEqual(["/other"]);
  expect(before.policy.localPrefixes).toEqual({ "*": ["/models"] });
  expect(Object.isFrozen(source.current().policy.localPrefixes)).toBe(true);
  expect(news).toEqual([{ outcome: "taken", restart: [] }]);
  expect(changed).toHaveBeenCalledOnce();
});

test("a file that says the same in other words is no change", async () => {
  const source = await follow();
  const before = source.current();
  await mount(`# a comment\n${fileWith(["/models/"])}`);
  await mount(fileWith(["/last"]));
  await vi.waitUntil(() => source.current() !== before, 20_000);
  expect(news).toEqual([{ outcome: "taken", restart: [] }]);
});

test("while the file is invalid the last valid limits stay, and every problem is said once", async () => {
  const source = await follow();
  const changed = vi.fn<() => void>();
  source.onChange(changed);
  await mount(fileWith(["/", "models"]));
  await vi.waitUntil(() => news.length > 0, 20_000);
  await mount(fileWith(["/", "models"]));
  await mount(fileWith(["/models"]));
  await vi.waitUntil(() => news.length > 1, 20_000);
  const must = 'must be an absolute directory other than /, without ".."';
  const faults = [
    { field: "localStorage.allowedPrefixes.*[0]", message: `"/" ${must}` },
    { field: "localStorage.allowedPrefixes.*[1]", message: `"models" ${must}` },
  ];
  expect(news).toMatchObject([
    { outcome: "refused", faults },
    { outcome: "taken", restart: [] },
  ]);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "error",
    msg: "The limits are invalid; the last valid ones stay in force",
    problems: faults.map(({ field, message }) => `${field}: ${message}`),
  });
  expect(prefixesOf(source)).toEqual(["/models"]);
  expect(changed).not.toHaveBeenCalled();
});

test("a file that is gone is invalid", async () => {
  const source = await follow();
  await rm(join(directory, "config.yaml"));
  await vi.waitUntil(() => news.length > 0, 20_000);
  expect(news).toMatchObject([
    {
      outcome: "refused",
      faults: [{ field: "", message: expect.stringMatching(/^can not be read: ENOENT/) as string }],
    },
  ]);
  expect(prefixesOf(source)).toEqual(["/models"]);
});

test("other certificates are taken at the next start, and that is said", async () => {
  await follow();
  await mount(fileWith(["/models"], { certificates: { directory: "/tls" } }));
  await vi.waitUntil(() => news.length > 0, 20_000);
  expect(news).toEqual([{ outcome: "taken", restart: ["certificates"] }]);
  expect(lines.join("")).toContain("These settings wait for a restart");
});
