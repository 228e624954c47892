import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parseReport, type BuildReport } from "../../../src/api/build-report.ts";
import { isContent, startRegistryProxy } from "../../faults/registry-proxy.ts";
import { UID } from "./build.ts";
import { startRegistry, type TestRegistry } from "./registry.ts";

const GIBIBYTE = 2 ** 30;
const MEBIBYTE = 2 ** 20;

/** The user of our own image. */
const NOBODY = 65_532;

let registry: TestRegistry;
let root: string;

beforeAll(async () => {
  registry = await startRegistry();
});

afterAll(async () => {
  await registry.stop();
});

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "modelhook-process-"));
  chmodSync(root, 0o777);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

test.each([
  ["is hashed while it is sent", false],
  ["is hashed before", true],
])("a file of a gibibyte that %s takes a fixed amount of memory", async (name, again) => {
  writeFileSync(join(root, "weights.bin"), "");
  truncateSync(join(root, "weights.bin"), GIBIBYTE);
  const { report, peakBytes } = await build(`v-${again}`, { again });
  expect(report).toMatchObject({ state: "built", image: { size: GIBIBYTE, files: 1 } });
  console.log(`${name}: ${Math.round(peakBytes / MEBIBYTE)} MiB at most`);
  expect(peakBytes).toBeLessThan(150 * MEBIBYTE);
});

test("a build without root builds what everybody may read", async () => {
  writeFileSync(join(root, "weights.bin"), "weights");
  expect(await build("readable", { user: NOBODY })).toMatchObject({
    exitCode: 0,
    report: { state: "built", image: { files: 1 } },
  });
});

test.each<[string, () => void]>([
  ["file", () => writeFileSync(join(root, "weights.bin"), "weights", { mode: 0o600 })],
  ["directory", () => chmodSync(root, 0o700)],
])("a build without root says which %s it may not read, and what helps", async (kind, prepare) => {
  prepare();
  const { exitCode, report } = await build("unreadable", { user: NOBODY });
  expect(exitCode).toBe(1);
  const name = kind === "file" ? "weights.bin" : "/";
  expect(report).toEqual({
    state: "failed",
    reason: "SourceUnreadable",
    message: expect.stringContaining(
      `${JSON.stringify(name)} can not be read: user ${NOBODY}, as whom the engine direct reads, has no right to it`,
    ) as string,
  });
});

test(
  "a build that can not succeed any more ends, though others of its layers are to be tried again much later",
  { timeout: 25_000 },
  async () => {
    for (let index = 0; index < 6; index++) {
      writeFileSync(join(root, `${index}.bin`), "");
      truncateSync(join(root, `${index}.bin`), 17 * MEBIBYTE);
    }
    const proxy = await startRegistryProxy(registry.host);
    const headers = { "retry-after": "30" };
    const paused = proxy.fault(isContent, { kind: "answer", status: 429, headers }, 2);
    proxy.fault(({ method }) => method === "POST" && paused() === 2, {
      kind: "answer",
      status: 403,
    });
    const { exitCode, report } = await build("refused", { host: proxy.host });
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({ reason: "PushDenied" });
    await proxy.stop();
  },
);

interface Result {
  readonly exitCode: number | null;
  readonly report: BuildReport | undefined;
  readonly peakBytes: number;
}

/** Builds in a process of its own, as a container would, and as that user. */
async function build(
  tag: string,
  {
    again = false,
    user,
    host = registry.host,
  }: { readonly again?: boolean; readonly user?: number; readonly host?: string },
): Promise<Result> {
  const home = mkdtempSync(join(tmpdir(), "modelhook-home-"));
  try {
    const terminationLog = join(home, "termination-log");
    const usage = join(home, "usage");
    const options = {
      source: root,
      directory: "",
      image: `${host}/models/process:${tag}`,
      versionUid: UID,
      baseImage: "scratch",
      labels: {},
      again,
      credentials: join(home, "config.json"),
      insecureRegistries: [host],
      terminationLog,
    };
    chmodSync(home, 0o777);
    // Everything is loaded before the right to do so is given up.
    const program = `
      import { writeFileSync } from "node:fs";
      const { buildImage } = await import(${source("cli/build-image.ts")});
      const { createLogger } = await import(${source("telemetry/logger.ts")});
      const logger = createLogger({ level: "error" });
      if (${user !== undefined}) { process.setgroups([]); process.setgid(${user}); process.setuid(${user}); }
      process.exitCode = await buildImage({ ...${JSON.stringify(options)}, logger });
      writeFileSync(${JSON.stringify(usage)}, String(process.resourceUsage().maxRSS * 1024));`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [exitCode] = (await once(child, "exit")) as [number | null];
    return {
      exitCode,
      report: parseReport(read(terminationLog)),
      peakBytes: Number(read(usage)),
    };
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** The name of a module of ours, as a string literal. */
function source(path: string): string {
  return JSON.stringify(join(import.meta.dirname, "../../../src", path));
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
