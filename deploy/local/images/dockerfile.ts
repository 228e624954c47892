import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../command.ts";
import { ensureSystemPrograms } from "../packages.ts";
import type { PushOptions } from "./push.ts";

/** An ordinary Dockerfile that takes its base as `ARG BASE_IMAGE`. */
export interface DockerfileBuild {
  /** Directory of the Dockerfile and of what it copies. */
  readonly context: string;
  /** The base as repo@digest, in a registry that crane reaches. */
  readonly base: string;
  /** Where the image is pushed inside the registry. */
  readonly repository: string;
}

/** Builds with Docker where a daemon answers, else with buildah, and pushes; gives `<registry>/<repository>@<digest>`. */
export async function buildDockerfile(
  build: DockerfileBuild,
  options: PushOptions,
): Promise<string> {
  const started = performance.now();
  const scratch = await mkdtemp(join(tmpdir(), "modelhook-build-"));
  try {
    const engine = (await dockerAnswers()) ? "docker" : "buildah";
    const pushed = await (engine === "docker" ? withDocker : withBuildah)(build, scratch, options);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    options.log(`${build.repository}: built by ${engine} and pushed in ${seconds} s`);
    return pushed;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function dockerAnswers(): Promise<boolean> {
  return run("docker", ["version"]).then(
    () => true,
    () => false,
  );
}

async function withDocker(
  { context, base, repository }: DockerfileBuild,
  scratch: string,
  { crane, registry, signal }: PushOptions,
): Promise<string> {
  // The daemon would refuse a registry without TLS, so crane carries both images.
  const baseArchive = join(scratch, "base.tar");
  await run(crane, ["pull", base, baseArchive], { signal });
  const loaded = await run("docker", ["load", "--quiet", "--input", baseArchive], { signal });
  const baseName = loaded.trim().replace(/^Loaded image(?: ID)?: /, "");
  const image = `modelhook-build:${process.pid}`;
  const flags = [`--build-arg=BASE_IMAGE=${baseName}`, `--tag=${image}`];
  await run("docker", ["build", ...flags, context], { signal });
  const archive = join(scratch, "image.tar");
  await run("docker", ["save", "--output", archive, image], { signal });
  await run("docker", ["image", "rm", image]);
  return (await run(crane, ["push", archive, `${registry}/${repository}:1`], { signal })).trim();
}

async function withBuildah(
  { context, base, repository }: DockerfileBuild,
  scratch: string,
  { registry, log, signal }: PushOptions,
): Promise<string> {
  const system = await ensureSystemPrograms(["buildah", "unshare"], log);
  const storage = [
    `--root=${join(scratch, "storage")}`,
    `--runroot=${join(scratch, "run")}`,
    "--storage-driver=vfs",
  ];
  // In a mount namespace of its own nothing stays mounted, even when it is killed.
  const buildah = async (...args: readonly string[]) =>
    run(system.unshare, ["--mount", system.buildah, ...storage, ...args], { signal });
  const image = "modelhook-build";
  await buildah(
    "build",
    "--isolation=chroot",
    "--tls-verify=false",
    // The same content gives the same digest, so what runs it need not start again.
    "--timestamp=0",
    `--build-arg=BASE_IMAGE=${base}`,
    `--tag=${image}`,
    context,
  );
  const digest = join(scratch, "digest");
  const target = `${registry}/${repository}`;
  await buildah(
    "push",
    "--tls-verify=false",
    `--digestfile=${digest}`,
    image,
    `docker://${target}:1`,
  );
  return `${target}@${(await readFile(digest, "utf8")).trim()}`;
}
