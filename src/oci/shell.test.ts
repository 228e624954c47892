import { describe, expect, test } from "vitest";
import { hasShell, NOTHING_SEEN, withEntry, type ShellPaths } from "./shell.ts";
import type { TarEntry } from "./tar.ts";

const SHELL = file("bin/sh");
const MERGED = link("bin", "usr/bin");

describe("an image has a shell", () => {
  test.each<[string, readonly (readonly TarEntry[])[]]>([
    ["that is a file", [[directory("bin/"), SHELL]]],
    ["that is a link", [[link("bin/sh", "dash")]]],
    ["that is a hard link", [[{ path: "bin/sh", type: "other", size: 0 }]]],
    ["by a path that begins with a dot", [[file("./bin/sh")]]],
    ["by a path that begins with a slash", [[file("/bin/sh")]]],
    ["in any of its layers", [[file("etc/passwd")], [SHELL], [file("app")]]],
    ["in /usr/bin, to which /bin leads", [[MERGED, file("usr/bin/sh")]]],
    ["in /usr/bin before /bin leads there", [[file("usr/bin/sh"), MERGED]]],
    [
      "in /usr/bin, to which /bin leads from the root",
      [[link("./bin", "/usr/bin")], [file("usr/bin/sh")]],
    ],
    [
      "that a layer gives anew where it hides the lower one",
      [[SHELL], [SHELL, file("bin/.wh.sh")]],
    ],
    ["in a directory that a layer gives anew", [[SHELL], [SHELL, file("bin/.wh..wh..opq")]]],
    ["beside what another layer hides", [[SHELL], [file("bin/.wh.bash"), file("usr/.wh.bin")]]],
    ["in a directory that another layer changes", [[SHELL], [directory("bin/")]]],
  ])("%s", (_, layers) => {
    expect(shellIn(layers)).toBe(true);
  });
});

describe("an image has no shell", () => {
  test.each<[string, readonly (readonly TarEntry[])[]]>([
    ["when it has no layers", []],
    ["when it holds nothing of the kind", [[file("bin/bash"), file("usr/local/bin/sh")]]],
    ["when only a directory has its name", [[directory("bin/sh/")]]],
    ["when /bin does not lead to the one in /usr/bin", [[directory("bin/"), file("usr/bin/sh")]]],
    ["when /usr/bin, to which /bin leads, has none", [[MERGED, file("usr/bin/env")]]],
    ["when a layer hides it", [[SHELL], [file("bin/.wh.sh")]]],
    ["when a layer hides its directory", [[SHELL], [file("./.wh.bin")]]],
    ["when a layer hides all that was in its directory", [[SHELL], [file("bin/.wh..wh..opq")]]],
    [
      "when a layer hides the directory to which /bin leads",
      [[MERGED, file("usr/bin/sh")], [file(".wh.usr")]],
    ],
    ["when a layer puts a link in its directory's place", [[SHELL], [MERGED]]],
    [
      "when a layer puts a directory in the link's place",
      [[MERGED, file("usr/bin/sh")], [directory("bin/")]],
    ],
  ])("%s", (_, layers) => {
    expect(shellIn(layers)).toBe(false);
  });
});

test("where /bin leads elsewhere, nothing is said of a shell", () => {
  expect(shellIn([[link("bin", "/nix/store/x-bash/bin")]])).toBeUndefined();
});

function shellIn(layers: readonly (readonly TarEntry[])[]): boolean | undefined {
  let seen: ShellPaths = NOTHING_SEEN;
  for (const [layer, entries] of layers.entries()) {
    for (const entry of entries) seen = withEntry(seen, entry, layer);
  }
  return hasShell(seen);
}

function file(path: string): TarEntry {
  return { path, type: "file", size: 0 };
}

function directory(path: string): TarEntry {
  return { path, type: "directory", size: 0 };
}

function link(path: string, target: string): TarEntry {
  return { path, type: "link", size: 0, target };
}
