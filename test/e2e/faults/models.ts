import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../deploy/local/command.ts";
import type { Engine } from "../../../src/api/modelversion.ts";
import type { Storage } from "../../../src/api/storage.ts";
import type { TestNode } from "../node.ts";

/** Writes a small model, and as many random bytes beside it, to a directory of the node; gives its path on this machine. */
export async function writeModel(node: TestNode, path: string, bytes = 0): Promise<string> {
  const directory = await onHost(node, path);
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, "variables"), { recursive: true });
  await writeFile(join(directory, "weights.bin"), randomBytes(bytes + 1000));
  await writeFile(join(directory, "variables/shard-0"), randomBytes(100));
  await writeFile(join(directory, ".vocabulary"), path);
  return directory;
}

/** Where this machine has a path of the node that lies below /models or /foo. */
export async function onHost(
  { cluster }: Pick<TestNode, "cluster">,
  path: string,
): Promise<string> {
  const [, top = "", ...below] = path.split("/");
  return join(await cluster.addHostPath(`/${top}`), ...below);
}

/** The files of a directory as `sha256sum` prints them, sorted by name. */
export async function hashesIn(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length));
  const lines = files.toSorted().map(async (file) => {
    const hash = createHash("sha256").update(await readFile(join(directory, file)));
    return `${hash.digest("hex")}  .${file}\n`;
  });
  return (await Promise.all(lines)).join("");
}

/** The same for the model that an image holds. */
export async function hashesOfImage(
  { cluster }: Pick<TestNode, "cluster">,
  image: string,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "modelhook-image-"));
  try {
    const archive = join(directory, "image.tar");
    await run(cluster.bin("crane"), ["export", image, archive]);
    await run("tar", ["-xf", archive, "-C", directory, "kubedl-model"]);
    return await hashesIn(join(directory, "kubedl-model"));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A version over a directory of the node, or over another storage. */
export function modelVersion(
  node: TestNode,
  name: string,
  stored: string | Storage,
  modelName = name,
  engine: Engine = "kaniko",
): object {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name },
    spec: {
      modelName,
      imageRepo: repositoryOf(node, modelName),
      storage: typeof stored === "string" ? localStorage(node, stored) : stored,
      builder: { engine },
    },
  };
}

/** A directory of the node as storage. */
export function localStorage({ cluster }: TestNode, path: string): Storage {
  return { localStorage: { path, nodeName: cluster.nodeName } };
}

/** Where the versions of a model are pushed to. */
export function repositoryOf({ cluster }: TestNode, modelName: string): string {
  return `${cluster.registry}/faults/${modelName}`;
}
