import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSource } from "./source-tree.ts";
import { stage } from "./staging.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "modelhook-staging-"));
  for (const each of ["volume", "staged"]) mkdirSync(join(root, each));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe("staging", () => {
  test.each([
    [0o600, 0o644],
    [0o640, 0o644],
    [0o700, 0o744],
    [0o400, 0o444],
    [0o4755, 0o755],
    [0o2644, 0o644],
    [0o1666, 0o666],
  ])("copies a file of mode %o as %o", (before, after) => {
    file("weights", "secret", before);
    run();
    expect(modeOf("weights")).toBe(after);
    expect(readFileSync(join(root, "staged/weights"), "utf8")).toBe("secret");
  });

  test.each([0o444, 0o644, 0o755, 0o666])("leaves a file of mode %o where it is", (mode) => {
    file("weights", "", mode);
    run();
    expect(existsSync(join(root, "staged/weights"))).toBe(false);
  });

  test.each([
    [0o700, 0o755],
    [0o2775, 0o775],
    [0o1777, 0o777],
    [0o711, 0o755],
    [0o755, 0o755],
  ])("makes a directory of mode %o as %o, with what has to be in it", (before, after) => {
    mkdirSync(join(root, "volume/variables"));
    file("variables/data", "secret", 0o600);
    chmodSync(join(root, "volume/variables"), before);
    run();
    expect(modeOf("variables")).toBe(after);
    expect(modeOf("variables/data")).toBe(0o644);
  });

  test("gives the model's own directory its mode, too", () => {
    chmodSync(join(root, "volume"), 0o1777);
    run();
    expect(modeOf(".")).toBe(0o777);
  });

  test("copies no links: they have no mode", () => {
    symlinkSync("weights", join(root, "volume/latest"));
    run();
    expect(existsSync(join(root, "staged/latest"))).toBe(false);
  });

  test.each([
    ["latest", "leads in a circle"],
    ["file/below", "leads through a file as if that were a directory"],
    ["n".repeat(256), "leads to a name that is too long"],
  ])("refuses a link to %s, after which kaniko would leave out other files", (target, why) => {
    file("file", "", 0o644);
    symlinkSync(target, join(root, "volume/latest"));
    const message = `"latest" is a link that ${why}, which kaniko can not put into an image; remove it`;
    expect(run).toThrow(expect.objectContaining({ reason: "UnsupportedFile", message }));
  });
});

function run(): void {
  const source = openSource(root, "volume");
  try {
    stage(source, join(root, "staged"));
  } finally {
    closeSync(source);
  }
}

function file(path: string, content: string, mode: number): void {
  writeFileSync(join(root, "volume", path), content);
  chmodSync(join(root, "volume", path), mode);
}

function modeOf(path: string): number {
  return lstatSync(join(root, "staged", path)).mode & 0o7777;
}
