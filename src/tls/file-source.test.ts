import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createLogger } from "../telemetry/logger.ts";
import { openFileSource } from "./file-source.ts";
import { issueAuthority, issueLeaf, type KeyPair } from "./issue.ts";

const DAY = 86_400_000;
const now = Date.now();

let directory: string;
let authority: KeyPair;
let leaf: KeyPair;
let stop: AbortController;
let lines: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "modelhook-certificates-"));
  authority = await issueAuthority({ from: now, to: now + 10 * DAY });
  leaf = await issueLeaf(authority, ["127.0.0.1"], { from: now, to: now + DAY });
  stop = new AbortController();
  lines = [];
  await store({ "tls.crt": leaf.cert, "tls.key": leaf.key, "ca.crt": authority.cert });
});

afterEach(async () => {
  stop.abort();
  await rm(directory, { recursive: true });
});

async function store(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    // Renamed into place, so that no check reads half a file.
    const temporary = join(directory, `.${name}`);
    await writeFile(temporary, text);
    await rename(temporary, join(directory, name));
  }
}

async function open(at = now) {
  const log = createLogger({
    level: "info",
    destination: { write: (line) => void lines.push(line) },
  });
  return openFileSource({ directory, log, signal: stop.signal, checkEveryMs: 1, now: () => at });
}

test("the files are served as they are", async () => {
  const source = await open();
  expect(source.current()).toMatchObject({ ...leaf, caBundle: authority.cert });
  expect(source.current().notAfter).toBe(Math.floor((now + DAY) / 1000) * 1000);
});

test("a new pair is taken, and whoever listens is told", async () => {
  const source = await open();
  const changed = vi.fn<() => void>();
  source.onChange(changed);
  const next = await issueLeaf(authority, ["127.0.0.1"], { from: now, to: now + DAY });
  await store({ "tls.key": next.key });
  await store({ "tls.crt": next.cert });
  await vi.waitUntil(() => source.current().cert === next.cert, 20_000);
  expect(source.current().key).toBe(next.key);
  expect(changed).toHaveBeenCalledOnce();
});

test("while the files do not fit together the last good ones stay", async () => {
  const source = await open();
  const next = await issueLeaf(authority, ["127.0.0.1"], { from: now, to: now + DAY });
  await store({ "tls.crt": next.cert });
  await vi.waitUntil(() => lines.length > 0, 20_000);
  expect(lines[0]).toContain("tls.key does not belong to the certificate");
  expect(lines[0]).not.toContain("PRIVATE KEY");
  expect(source.current().cert).toBe(leaf.cert);
});

describe("what cannot be served is refused at the start", () => {
  test.each([
    ["no files", async () => rm(join(directory, "tls.key")), now, "ENOENT"],
    [
      "an authority that did not sign the leaf",
      async () => {
        const other = await issueAuthority({ from: now, to: now + DAY });
        await store({ "ca.crt": other.cert });
      },
      now,
      "is not signed by a certificate of",
    ],
    ["a leaf that has ended", async () => {}, now + 2 * DAY, "tls.crt ended at"],
    [
      "no certificate",
      async () => store({ "tls.crt": "nonsense" }),
      now,
      "tls.crt holds no PEM certificate",
    ],
  ])("%s", async (_name, spoil, at, message) => {
    await spoil();
    await expect(open(at)).rejects.toThrow(message);
  });
});
