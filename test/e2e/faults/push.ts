import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Engine, ModelVersion } from "../../../src/api/modelversion.ts";
import { eventually, read, type TestNode } from "../node.ts";
import { taggedDigest } from "./image-reads.ts";
import { findProcesses, signalAll } from "./processes.ts";
import { repositoryDirectory } from "./pushed-images.ts";

/** Bytes of a model whose push takes long enough to be caught. */
export const CATCHABLE_BYTES = 40_000_000;

/** A push that stands still in the middle. */
export interface HeldPush {
  readonly resume: () => void;
  readonly kill: () => void;
}

/** Argument by which an engine's process is told the image that it pushes. */
const IMAGE_ARGUMENT: Readonly<Record<Engine, string>> = {
  kaniko: "--destination=",
  direct: "--image=",
};

/** Stops an engine while it sends the layer of a version, at a moment when the registry has a part of it. */
export async function holdPush(
  node: TestNode,
  namespace: string,
  name: string,
  engine: Engine = "kaniko",
): Promise<HeldPush> {
  const image = await eventually(`the image of ${name}`, async () => {
    const version = await read<ModelVersion>(node, namespace, "modelversion", name);
    return version?.status?.image;
  });
  const [, repository = ""] = image.replace(/:[^:/]*$/, "").split(/\/(.*)/s);
  const before = new Set(partialUploads(repository));
  const inTime = { seconds: 120, everyMs: 5 };
  const pushing = await eventually(
    `${engine} for ${image}`,
    async () => {
      const found = await findProcesses(`${IMAGE_ARGUMENT[engine]}${image}`);
      return found.length > 0 ? found : undefined;
    },
    inTime,
  );
  await eventually(
    `the push of ${image}`,
    async () => partialUploads(repository).some((upload) => !before.has(upload)),
    inTime,
  );
  signalAll(pushing, "SIGSTOP");
  if ((await taggedDigest(image)) !== null)
    throw new Error(`${image} was pushed before ${engine} could be stopped`);
  return {
    resume: () => signalAll(pushing, "SIGCONT"),
    kill: () => signalAll(pushing, "SIGKILL"),
  };
}

/** Uploads of which the registry has some bytes. Synchronous, so that a moment of a push is not missed while others work. */
function partialUploads(repository: string): readonly string[] {
  const directory = join(repositoryDirectory(repository), "_uploads");
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((upload) => {
    const data = statSync(join(directory, upload, "data"), { throwIfNoEntry: false });
    return data !== undefined && data.size > 0;
  });
}
