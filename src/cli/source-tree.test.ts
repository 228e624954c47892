import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSource, walk } from "./source-tree.ts";

let volume: string;

beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), "modelhook-volume-"));
});

afterEach(() => {
  rmSync(volume, { recursive: true });
});

describe("the directory of a model in its volume", () => {
  test.each(["run", "a/b/run", "a/../run", "blank and $dollar"])("%s is found", (directory) => {
    mkdirSync(join(volume, "a/b/run"), { recursive: true });
    for (const each of ["run", "blank and $dollar"]) mkdirSync(join(volume, each));
    expect(pathsIn(directory)).toEqual([]);
  });

  test("may be the volume's root", () => {
    writeFileSync(join(volume, "weights"), "");
    expect(pathsIn("")).toEqual(["weights"]);
  });

  test("may be reached by a link that stays in the volume", () => {
    mkdirSync(join(volume, "run-1"));
    writeFileSync(join(volume, "run-1/weights"), "");
    symlinkSync("run-1", join(volume, "latest"));
    expect(pathsIn("latest")).toEqual(["weights"]);
  });

  test.each([
    ["that does not exist", "none", 'directory "none" does not exist in the volume'],
    [
      "whose parent does not exist",
      "none/run",
      'directory "none/run" does not exist in the volume',
    ],
    ["that is a file", "file", '"file" in the volume is not a directory'],
    [
      "that is an absolute link",
      "absolute",
      'directory "absolute" is a link that leads out of the volume',
    ],
    [
      "that is a relative link",
      "relative/x",
      'directory "relative/x" is a link that leads out of the volume',
    ],
    [
      "that is a link to its parent",
      "parent",
      'directory "parent" is a link that leads out of the volume',
    ],
    ["that is a link to itself", "loop", 'directory "loop" does not exist in the volume'],
  ])("is refused when it is one %s", (_, directory, message) => {
    mkdirSync(join(volume, "../modelhook-outside/x"), { recursive: true });
    writeFileSync(join(volume, "file"), "");
    symlinkSync("/etc", join(volume, "absolute"));
    symlinkSync("../modelhook-outside", join(volume, "relative"));
    symlinkSync("..", join(volume, "parent"));
    symlinkSync("loop", join(volume, "loop"));
    expect(() => openSource(volume, directory)).toThrow(
      expect.objectContaining({ reason: "SourceNotFound", message }),
    );
    rmSync(join(volume, "../modelhook-outside"), { recursive: true });
  });
});

describe("walking through a model", () => {
  test("finds every kind of name, sorted, a directory before what it holds", () => {
    mkdirSync(join(volume, "Größe 模型"));
    mkdirSync(join(volume, "empty"));
    for (const name of [".hidden", "-n", "a\nb", "Größe 模型/ü.txt", "[glob]*"]) {
      writeFileSync(join(volume, name), "");
    }
    symlinkSync("nowhere", join(volume, "dangling"));
    expect(pathsIn("")).toEqual([
      "-n",
      ".hidden",
      "Größe 模型",
      "Größe 模型/ü.txt",
      "[glob]*",
      "a\nb",
      "dangling",
      "empty",
    ]);
  });

  test("keeps names that are not UTF-8", () => {
    writeFileSync(Buffer.concat([Buffer.from(`${volume}/`), Buffer.from([0x66, 0xff])]), "");
    const [entry] = entriesIn("");
    expect(entry?.path).toEqual(Buffer.from([0x66, 0xff]));
  });

  test("gives the target of a link and does not follow it", () => {
    symlinkSync("/etc", join(volume, "link"));
    expect(entriesIn("").map(({ kind, target }) => [kind, target.toString()])).toEqual([
      ["link", "/etc"],
    ]);
  });

  test("refuses a pipe", () => {
    execFileSync("mkfifo", [join(volume, "pipe")]);
    expect(() => entriesIn("")).toThrow(
      expect.objectContaining({
        reason: "UnsupportedFile",
        message: '"pipe" is neither a file, a directory nor a symbolic link',
      }),
    );
  });

  test("refuses a socket", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(join(volume, "socket"), resolve));
    expect(() => entriesIn("")).toThrow(expect.objectContaining({ reason: "UnsupportedFile" }));
    await new Promise((resolve) => void server.close(resolve));
  });

  test("refuses a name that would delete a file of the image", () => {
    mkdirSync(join(volume, "a"));
    writeFileSync(join(volume, "a/.wh.weights"), "");
    expect(() => entriesIn("")).toThrow(
      expect.objectContaining({
        reason: "UnsupportedFile",
        message: '"a/.wh.weights" has a name that means a deleted file in images',
      }),
    );
  });

  test("notices a directory that vanishes on the way", () => {
    mkdirSync(join(volume, "a"));
    mkdirSync(join(volume, "b"));
    expect(() => visit(() => rmSync(join(volume, "b"), { recursive: true, force: true }))).toThrow(
      expect.objectContaining({
        reason: "SourceChanged",
        message: '"b" vanished while it was read',
      }),
    );
  });

  test("does not follow a link that takes the place of a directory on the way", () => {
    mkdirSync(join(volume, "a"));
    const swap = (): void => {
      renameSync(join(volume, "a"), join(volume, "z"));
      symlinkSync("/etc", join(volume, "a"));
    };
    expect(() => visit(once(swap))).toThrow(expect.objectContaining({ reason: "SourceChanged" }));
  });

  test.runIf(process.getuid?.() === 0)("reads what only its owner may read, as root", () => {
    mkdirSync(join(volume, "private"));
    writeFileSync(join(volume, "private/weights"), "");
    chmodSync(join(volume, "private/weights"), 0o000);
    chmodSync(join(volume, "private"), 0o000);
    expect(pathsIn("")).toEqual(["private", "private/weights"]);
  });
});

function entriesIn(
  directory: string,
): ReturnType<typeof walk> extends Generator<infer Entry> ? Entry[] : never {
  const descriptor = openSource(volume, directory);
  try {
    return [...walk(descriptor)];
  } finally {
    closeSync(descriptor);
  }
}

function pathsIn(directory: string): readonly string[] {
  return entriesIn(directory).map(({ path }) => path.toString());
}

/** Walks, and does something at each entry. */
function visit(meanwhile: () => void): void {
  const descriptor = openSource(volume, "");
  try {
    for (const _ of walk(descriptor)) meanwhile();
  } finally {
    closeSync(descriptor);
  }
}

function once(step: () => void): () => void {
  let done = false;
  return () => {
    if (!done) step();
    done = true;
  };
}
