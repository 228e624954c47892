import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildPrograms } from "../../../deploy/local/build.ts";
import { IMAGE_LABELS } from "../../../src/api/image-labels.ts";
import { makeWorkplace, UID, type Workplace } from "./build.ts";
import { entriesOf, pullImage, unpackedEntries, type Entry } from "./pulled-image.ts";
import { pushImage } from "./push.ts";
import { startRegistry, type TestRegistry } from "./registry.ts";

const LARGE = 17 * 2 ** 20;

let registry: TestRegistry;
let workplace: Workplace;
let image: string;
let count = 0;

beforeAll(async () => {
  registry = await startRegistry();
});

afterAll(async () => {
  await registry.stop();
});

beforeEach(() => {
  workplace = makeWorkplace();
  count += 1;
  image = `${registry.host}/models/m${count}:v1`;
});

afterEach(() => {
  workplace.remove();
});

describe("an image holds its model as it is", () => {
  test("with every kind of entry, in one layer for all that is small", async () => {
    makeAwkwardModel();
    const built = await workplace.built(image);
    expect(await unpackedEntries(image)).toEqual(expectedEntries());
    expect(built).toEqual({
      digest: (await pullImage(image)).digest,
      files: entriesOf(workplace.model).filter(([, type]) => type === "file").length,
      size: sizeOfFiles(),
      layers: (await pullImage(image)).layers.map(({ digest, size }) => ({ digest, size })),
      shell: false,
    });
    expect(built.layers).toHaveLength(1);
  });

  test("with large files, each in a layer of its own", async () => {
    makeAwkwardModel();
    for (const [index, path] of ["a.bin", "shards/1.bin", "shards/2.bin"].entries()) {
      write(path, Buffer.alloc(LARGE, `${index} `));
    }
    const built = await workplace.built(image);
    expect(built.layers).toHaveLength(4);
    expect(await unpackedEntries(image)).toEqual(expectedEntries());
  });

  test("as a checkout with links into a store of blobs has it", async () => {
    write("blobs/0a1b", Buffer.alloc(LARGE, "weights"));
    write("blobs/2c3d", "{}");
    write("refs/main", "abcdef");
    mkdirSync(join(workplace.model, "snapshots/abcdef"), { recursive: true });
    symlinkSync("../../blobs/0a1b", join(workplace.model, "snapshots/abcdef/model.safetensors"));
    symlinkSync("../../blobs/2c3d", join(workplace.model, "snapshots/abcdef/config.json"));
    await workplace.built(image);
    expect(await unpackedEntries(image)).toEqual(expectedEntries());
  });

  test("as a git repository", async () => {
    write("weights.bin", "weights");
    const git = (...more: string[]): unknown =>
      execFileSync("git", [
        "-C",
        workplace.model,
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        ...more,
      ]);
    git("init", "-q");
    git("add", "-A");
    git("commit", "-q", "-m", "one");
    await workplace.built(image);
    expect(await unpackedEntries(image)).toEqual(expectedEntries());
  });

  test("from the root of its volume", async () => {
    write("weights.bin", "weights");
    await workplace.built(image, { directory: "" });
    expect((await unpackedEntries(image)).map(([path]) => path)).toEqual([
      "kubedl-model",
      "kubedl-model/runs",
      "kubedl-model/runs/1",
      "kubedl-model/runs/1/weights.bin",
    ]);
  });

  test("with labels that say whose it is", async () => {
    write("weights.bin", "weights");
    await workplace.built(image, {
      labels: {
        "model.kubedl.io/created-by": "Ann",
        [IMAGE_LABELS.created]: "2026-11-23T09:00:00Z",
      },
    });
    const { config } = await pullImage(image);
    expect(config).toMatchObject({ created: "2026-11-23T09:00:00Z", os: "linux" });
    expect(config.config.Labels).toEqual({
      "model.kubedl.io/created-by": "Ann",
      [IMAGE_LABELS.created]: "2026-11-23T09:00:00Z",
      [IMAGE_LABELS.versionUid]: UID,
      [IMAGE_LABELS.source]: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      [IMAGE_LABELS.engine]: "direct",
    });
  });

  test("in a way that another program can read", async () => {
    makeAwkwardModel();
    write("large.bin", Buffer.alloc(LARGE, "large"));
    await workplace.built(image);
    const { crane } = await buildPrograms(["crane"], { log: (line) => console.log(line) });
    // Without --fast it would unzip layers that are not compressed, and say that they are no gzip.
    const validate = [crane, "validate", "--insecure", "--fast", `--remote=${image}`];
    expect(run(validate).toString()).toBe(`PASS: ${image}\n`);
    const unpacked = mkdtempSync(join(tmpdir(), "modelhook-exported-"));
    const exported = join(unpacked, "../", `${basename(unpacked)}.tar`);
    run([crane, "export", "--insecure", image, exported]);
    run(["tar", "-xpf", exported, "-C", unpacked]);
    // It leaves out what would lead out of the image; runtimes follow it no further than to the root.
    const expected = expectedEntries().filter(([path]) => path !== "kubedl-model/up");
    expect(entriesOf(unpacked)).toEqual(expected);
    for (const each of [unpacked, exported]) rmSync(each, { recursive: true });
  });
});

describe("the same content gives the same layers", () => {
  test("whatever order, times and owners it was made with", async () => {
    makeAwkwardModel();
    write("large.bin", Buffer.alloc(LARGE, "large"));
    const first = await pullBuilt();
    const other = makeWorkplace();
    copyReversed(Buffer.from(workplace.model), Buffer.from(other.model));
    expect(entriesOf(other.model)).toEqual(entriesOf(workplace.model));
    const again = `${registry.host}/models/other${count}:v1`;
    await other.built(again);
    other.remove();
    expect((await pullImage(again)).layers).toEqual(first.layers);
  });
});

describe("a build says why there is no image", () => {
  test.each<[string, () => void, string, string]>([
    [
      "the directory is missing",
      () => rmSync(workplace.model, { recursive: true }),
      "SourceNotFound",
      'directory "runs/1" does not exist in the volume',
    ],
    [
      "there is no file",
      () => {
        mkdirSync(join(workplace.model, "variables"));
        symlinkSync("nowhere", join(workplace.model, "latest"));
      },
      "EmptyModel",
      'directory "runs/1" holds no file (0 files, 0 bytes, 1 links, 1 directories)',
    ],
    [
      "there is a pipe",
      () => void execFileSync("mkfifo", [join(workplace.model, "pipe")]),
      "UnsupportedFile",
      '"pipe" is neither a file, a directory nor a symbolic link',
    ],
    [
      "a name means a deleted file",
      () => write("a/.wh.weights", ""),
      "UnsupportedFile",
      '"a/.wh.weights" has a name that means a deleted file in images',
    ],
  ])("because %s", async (_, prepare, reason, message) => {
    if (reason !== "EmptyModel") write("weights.bin", "weights");
    prepare();
    expect(await workplace.build(image)).toEqual({
      exitCode: 1,
      report: { state: "failed", reason, message },
    });
    await expect(pullImage(image)).rejects.toThrow("404");
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["somebody else's", { [IMAGE_LABELS.versionUid]: "other" }],
    ["nobody's that we know", {}],
  ])("because the tag is %s, and lets it be", async (_, labels) => {
    write("weights.bin", "weights");
    const repository = image.slice(registry.host.length + 1, -":v1".length);
    const url = `http://${registry.host}`;
    const digest = await pushImage(url, repository, "v1", { labels, layers: [] });
    expect(await workplace.build(image)).toEqual({
      exitCode: 1,
      report: {
        state: "failed",
        reason: "TagTaken",
        message: `${image} is ${digest}, which is not an image of this version`,
      },
    });
    expect((await pullImage(image)).digest).toBe(digest);
  });
});

/** A model with everything that tools like to treat in some way of their own. */
function makeAwkwardModel(): void {
  write("weights.bin", "weights data");
  write("empty.bin", "");
  write("private.bin", "secret", 0o600);
  write("setuid", "#!/bin/sh\n", 0o6755);
  write("writable.txt", "w", 0o666);
  write("none", "nobody may read this", 0);
  write(".dockerignore", "*\n");
  write("Dockerfile", "FROM scratch\n");
  write(".git/HEAD", "ref: refs/heads/main\n");
  write(".hidden/.file", "h");
  write("Größe 模型/ü.txt", "unicode");
  write("-rf", "dash");
  write("new\nline", "n");
  write("$(HOME) `id` \\", "shell");
  write(Buffer.from([0x66, 0xff, 0xfe]), "not UTF-8");
  write(`${"deep-directory/".repeat(20)}file`, "deep");
  write("n".repeat(255), "long");
  write("PaxHeaders/x", "pax");
  mkdirSync(join(workplace.model, "nothing/in/here"), { recursive: true });
  mkdirSync(join(workplace.model, "locked"));
  chmodSync(join(workplace.model, "locked"), 0o3700);
  const links: Readonly<Record<string, string>> = {
    latest: "weights.bin",
    dangling: "no/such/file",
    absolute: "/etc/passwd",
    itself: "itself",
    circular: ".",
    up: "../../../../../..",
    "to-directory": "nothing",
    far: "x".repeat(1000),
  };
  for (const [path, target] of Object.entries(links))
    symlinkSync(target, join(workplace.model, path));
}

function write(path: string | Buffer, content: string | Buffer, mode = 0o644): void {
  const whole = Buffer.concat([Buffer.from(`${workplace.model}/`), Buffer.from(path)]);
  if (typeof path === "string")
    mkdirSync(dirname(join(workplace.model, path)), { recursive: true });
  writeFileSync(whole, content);
  chmodSync(whole, mode);
}

/** Makes the same entries in the opposite order, as somebody else, and at another time. */
function copyReversed(from: Buffer, to: Buffer): void {
  for (const name of readdirSync(from, { encoding: "buffer" }).toSorted(byName).toReversed()) {
    const [source, target] = [from, to].map((each) =>
      Buffer.concat([each, Buffer.from("/"), name]),
    );
    if (source === undefined || target === undefined) continue;
    const stats = lstatSync(source);
    if (stats.isSymbolicLink()) {
      symlinkSync(readlinkSync(source, { encoding: "buffer" }), target);
    } else if (stats.isDirectory()) {
      mkdirSync(target);
      copyReversed(source, target);
    } else {
      writeFileSync(target, readFileSync(source));
    }
    lchownSync(target, 1234, 5678);
    if (!stats.isSymbolicLink()) chmodSync(target, stats.mode & 0o7777);
    lutimesSync(target, 1_000_000_000, 1_000_000_000);
  }
}

function byName(a: Buffer, b: Buffer): number {
  return Buffer.compare(a, b);
}

/** What the image is to hold: the model, with modes that let everybody read. */
function expectedEntries(): readonly Entry[] {
  return [
    ["kubedl-model", "directory", "755", ""],
    ...entriesOf(workplace.model).map(([path, type, mode, what]): Entry => {
      const read = type === "directory" ? 0o555 : type === "file" ? 0o444 : 0;
      const readable = ((Number.parseInt(mode, 8) & 0o777) | read).toString(8);
      return [`kubedl-model/${path}`, type, readable, what];
    }),
  ];
}

function run([command = "", ...args]: readonly string[]): Buffer {
  return execFileSync(command, args, { stdio: ["ignore", "pipe", "pipe"] });
}

function sizeOfFiles(): number {
  return entriesOf(workplace.model)
    .filter(([, type]) => type === "file")
    .reduce((sum, [path]) => {
      const each = Buffer.concat([Buffer.from(`${workplace.model}/`), Buffer.from(path, "latin1")]);
      return sum + statSync(each).size;
    }, 0);
}

async function pullBuilt(): ReturnType<typeof pullImage> {
  await workplace.built(image);
  return pullImage(image);
}
