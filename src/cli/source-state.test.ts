import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readState, type SourceState } from "./source-state.ts";
import { openSource } from "./source-tree.ts";

let volume: string;

beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), "modelhook-state-"));
  mkdirSync(join(volume, "variables"));
  writeFileSync(join(volume, "weights"), "12345");
  writeFileSync(join(volume, "variables/data"), "123");
  symlinkSync("weights", join(volume, "latest"));
});

afterEach(() => {
  rmSync(volume, { recursive: true });
});

describe("the state of a model's directory", () => {
  test("counts files, their bytes, links and directories", () => {
    expect(state().count).toEqual({ files: 2, bytes: 8, links: 1, directories: 1 });
  });

  test("counts each name of a hard-linked file, as an image holds it", () => {
    linkSync(join(volume, "weights"), join(volume, "again"));
    expect(state().count).toEqual({ files: 3, bytes: 13, links: 1, directories: 1 });
  });

  test("is the same when nothing was written", () => {
    expect(state()).toEqual(state());
  });

  test.each<[string, () => void]>([
    ["a file grows", () => appendFileSync(join(volume, "weights"), "6")],
    ["a file is written again", () => rewrite("weights", "54321")],
    [
      "a file is replaced by one of the same size and time",
      () => replaceSilently("weights", "54321"),
    ],
    ["a file gets another mode", () => chmodSync(join(volume, "weights"), 0o600)],
    ["a file gets another name", () => renameSync(join(volume, "weights"), join(volume, "w"))],
    ["a file comes", () => writeFileSync(join(volume, "variables/more"), "")],
    ["a file goes", () => unlinkSync(join(volume, "variables/data"))],
    ["an empty directory comes", () => mkdirSync(join(volume, "empty"))],
    ["a link leads elsewhere", () => relink("variables")],
  ])("is another one when %s", (_, change) => {
    const before = state().fingerprint;
    change();
    expect(state().fingerprint).not.toBe(before);
  });
});

function state(): SourceState {
  const descriptor = openSource(volume, "");
  try {
    return readState(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function rewrite(name: string, content: string): void {
  const { mtimeMs } = statSync(join(volume, name));
  writeFileSync(join(volume, name), content);
  // The clock of a file system may be as coarse as 10 ms.
  utimesSync(join(volume, name), new Date(), new Date(mtimeMs + 1000));
}

function replaceSilently(name: string, content: string): void {
  const { atime, mtime } = statSync(join(volume, name));
  writeFileSync(join(volume, "new"), content);
  utimesSync(join(volume, "new"), atime, mtime);
  renameSync(join(volume, "new"), join(volume, name));
}

function relink(target: string): void {
  unlinkSync(join(volume, "latest"));
  symlinkSync(target, join(volume, "latest"));
}
