import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../command.ts";
import { withLock } from "../lock.ts";
import { hashJson, type Layer } from "./layer.ts";

/** An image put together from layers, without a container engine. */
export interface ImageRecipe {
  /** Repository inside the registry. */
  readonly repository: string;
  /** Image (repo@digest) that comes first, with its configuration. */
  readonly base?: string;
  readonly layers: readonly Layer[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
}

export interface PushOptions {
  /** Path of the program crane. */
  readonly crane: string;
  /** Host and port of the registry; crane itself uses plain HTTP where the address is a private one. */
  readonly registry: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Manifest annotation that holds the key of all that an image was made from. */
const KEY_ANNOTATION = "modelhook.content-key";
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = {
  x64: "amd64",
  arm64: "arm64",
};

/** Pushes an image as `<repository>:1` unless the registry has it already; gives `<registry>/<repository>@<digest>`. */
export async function pushImage(recipe: ImageRecipe, options: PushOptions): Promise<string> {
  const repository = `${options.registry}/${recipe.repository}`;
  // Functions are left out of JSON: a layer stands there with its key alone.
  const key = hashJson([recipe, platform()]);
  return withLock(
    `push-${repository}`,
    () => options.log(`${recipe.repository}: another process is pushing it; waiting`),
    async () => {
      const found = await findDigest(`${repository}:1`, key, options);
      return `${repository}@${found ?? (await push(recipe, repository, key, options))}`;
    },
  );
}

/** The digest of an image in the registry, if it was made from the content that has this key. */
async function findDigest(
  image: string,
  key: string,
  { crane, signal }: PushOptions,
): Promise<string | undefined> {
  const manifest = await run(crane, ["manifest", image], { signal }).catch((error: unknown) => {
    if (/MANIFEST_UNKNOWN|NAME_UNKNOWN/.test(String(error))) return undefined;
    throw error;
  });
  if (manifest === undefined) return undefined;
  const { annotations } = JSON.parse(manifest) as { annotations?: Record<string, string> };
  if (annotations?.[KEY_ANNOTATION] !== key) return undefined;
  return `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
}

async function push(
  recipe: ImageRecipe,
  repository: string,
  key: string,
  { crane, log, signal }: PushOptions,
): Promise<string> {
  const started = performance.now();
  const scratch = await mkdtemp(join(tmpdir(), "modelhook-image-"));
  try {
    const archives: string[] = [];
    for (const layer of recipe.layers) {
      const path = join(scratch, `${archives.length}.tar`);
      await layer.write(path);
      archives.push(path);
    }
    // The tag moves last: a push that is killed half-way leaves the image that was there.
    const unfinished = `${repository}:unfinished`;
    const base = recipe.base === undefined ? "--oci-empty-base" : `--base=${recipe.base}`;
    const layers = archives.map((path) => `--new_layer=${path}`);
    await run(crane, ["append", base, ...layers, `--new_tag=${unfinished}`], { signal });
    const flags = [`--tag=${repository}:1`, `--annotation=${KEY_ANNOTATION}=${key}`];
    const pushed = await run(
      crane,
      ["mutate", unfinished, ...flags, ...configurationFlags(recipe)],
      { signal },
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    log(`${recipe.repository}: pushed in ${seconds} s`);
    return pushed.trim().slice(pushed.lastIndexOf("@") + 1);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function configurationFlags({ entrypoint, command, environment, user }: ImageRecipe): string[] {
  return [
    `--set-platform=${platform()}`,
    ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint.join(",")}`]),
    ...(command === undefined ? [] : [`--cmd=${command.join(",")}`]),
    ...Object.entries(environment ?? {}).map(([name, value]) => `--env=${name}=${value}`),
    ...(user === undefined ? [] : [`--user=${user}`]),
  ];
}

/** The platform of this machine in the words of registries. */
function platform(): string {
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined)
    throw new Error(`images for ${process.arch} cannot be made here: use an x64 or arm64 machine`);
  return `linux/${architecture}`;
}
