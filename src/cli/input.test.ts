import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inputFiles, readInput } from "./input.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "modelhook-input-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("the names of a user stand for", () => {
  test("files, in the order in which they are named, and standard input", () => {
    const names = ["b.yaml", "-", "a.yaml", "/dev/fd/63"];
    expect(inputFiles(names)).toEqual({ files: names, faults: [] });
  });

  test("the manifests of a directory, in the order of their names", () => {
    for (const name of ["b.yaml", "a.json", "c.yml", "README.md", ".yaml.swp"]) write(name, "");
    mkdirSync(join(directory, "deeper.yaml"));
    const files = ["a.json", "b.yaml", "c.yml"].map((name) => join(directory, name));
    expect(inputFiles(["first.yaml", directory])).toEqual({
      files: ["first.yaml", ...files],
      faults: [],
    });
  });
});

describe("a name is refused that is", () => {
  test("a directory without manifests", () => {
    write("README.md", "");
    expect(faultsOf(directory)).toEqual(["the directory has no .yaml, .yml or .json file"]);
  });

  test("standard input for the second time", () => {
    expect(faultsOf("-", "-")).toEqual(["standard input can be read only once"]);
  });

  test("a URL", () => {
    expect(faultsOf("https://models.example/serve.yaml")).toEqual([
      "is no file; pipe what it serves into -f -",
    ]);
  });
});

describe("a text is read", () => {
  test.each([
    ["as it is", "a: 1\r\n# Größe 模型\n"],
    ["with its byte order mark", "\uFEFFa: 1\n"],
    ["when it is empty", ""],
  ])("%s", async (_, text) => {
    expect(await readInput(write("a.yaml", text))).toBe(text);
  });

  test("from standard input, whole", async () => {
    const bytes = Buffer.from("a: Größe\n");
    const stdin = Readable.from([bytes.subarray(0, 6), bytes.subarray(6)]);
    expect(await readInput("-", stdin)).toBe("a: Größe\n");
  });
});

describe("a text is refused that is", () => {
  test.each([
    ["UTF-16 with the low byte first", "\uFEFFa: 1", "is UTF-16; save it as UTF-8"],
    ["UTF-16 with the high byte first", "\uFFFEa: 1", "is UTF-16; save it as UTF-8"],
  ])("%s", async (_, text, message) => {
    await expect(readInput(write("a.yaml", Buffer.from(text, "utf16le")))).rejects.toThrow(message);
  });

  test("binary", async () => {
    const file = write("a.yaml", Buffer.from([0x1f, 0x8b, 0x08, 0x00]));
    await expect(readInput(file)).rejects.toThrow("is not text in UTF-8");
  });

  test("not there", async () => {
    await expect(readInput(join(directory, "a.yaml"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

function write(name: string, content: string | Buffer): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

function faultsOf(...names: readonly string[]): readonly string[] {
  return inputFiles(names).faults.map(({ message }) => message);
}
