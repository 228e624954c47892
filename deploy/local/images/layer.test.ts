import { chmod, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../command.ts";
import { type Entry, filesLayer } from "./layer.ts";

let scratch: string;
let program: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "modelhook-layer-test-"));
  program = join(scratch, "program");
  await writeFile(program, "#!/bin/sh\n");
});
afterEach(async () => rm(scratch, { recursive: true }));

function entries(): Entry[] {
  return [
    { path: "usr/bin/program", copyOf: program, mode: 0o755 },
    { path: "usr/bin/alias", linkTo: "program" },
    { path: "etc/passwd", text: "root:x:0:0::/:\n", mode: 0o644 },
    { path: "tmp", directoryMode: 0o1777 },
  ];
}

async function archiveOf(layer: { write: (path: string) => Promise<void> }): Promise<string> {
  const path = join(scratch, "layer.tar");
  await layer.write(path);
  return path;
}

describe("a layer of files", () => {
  it("holds the entries and the directories above them, owned by root, whatever the umask", async () => {
    const umask = process.umask(0o077);
    try {
      const path = await archiveOf(await filesLayer(entries()));
      const listed = await run("tar", ["--list", "--verbose", "--numeric-owner", "-f", path]);
      const lines = listed.trim().split("\n");
      expect(lines.map((line) => line.replaceAll(/ +\d+ \d{4}-\d\d-\d\d \d\d:\d\d/g, ""))).toEqual([
        "drwxr-xr-x 0/0 ./",
        "drwxr-xr-x 0/0 ./etc/",
        "-rw-r--r-- 0/0 ./etc/passwd",
        "drwxrwxrwt 0/0 ./tmp/",
        "drwxr-xr-x 0/0 ./usr/",
        "drwxr-xr-x 0/0 ./usr/bin/",
        "lrwxrwxrwx 0/0 ./usr/bin/alias -> program",
        "-rwxr-xr-x 0/0 ./usr/bin/program",
      ]);
    } finally {
      process.umask(umask);
    }
  });

  it("has the same key and bytes for the same content, whenever its files were written", async () => {
    const first = await filesLayer(entries());
    const bytes = await readFile(await archiveOf(first));
    await utimes(program, 1, 1);
    await chmod(program, 0o600);
    const second = await filesLayer(entries());
    expect(second.key).toBe(first.key);
    expect(await readFile(await archiveOf(second))).toEqual(bytes);
  });

  it("has another key when a copied file has other bytes", async () => {
    const { key } = await filesLayer(entries());
    await writeFile(program, "#!/bin/false\n");
    expect((await filesLayer(entries())).key).not.toBe(key);
  });

  it.each([
    ["text", { path: "etc/passwd", text: "", mode: 0o644 }],
    ["mode", { path: "etc/passwd", text: "root:x:0:0::/:\n", mode: 0o600 }],
    ["link", { path: "usr/bin/alias", linkTo: "other" }],
    ["directory", { path: "tmp", directoryMode: 0o755 }],
  ] satisfies [string, Entry][])("has another key when a %s changes", async (_, changed) => {
    const { key } = await filesLayer(entries());
    const others = entries().map((entry) => (entry.path === changed.path ? changed : entry));
    expect((await filesLayer(others)).key).not.toBe(key);
  });
});
