import { join } from "node:path";
import { run } from "../command.ts";
import { pushNodeImages, type NodeImageOptions } from "../images.ts";
import { buildPrograms } from "../build.ts";
import { withLock } from "../lock.ts";
import { buildDockerfile } from "./dockerfile.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Bundles the product, builds the image of its own Dockerfile and pushes it; gives repo@digest. */
export async function pushProductImage(options: NodeImageOptions): Promise<string> {
  const { nodeBase } = await pushNodeImages(["nodeBase"], options);
  const { crane } = await buildPrograms(["crane"], options);
  // There is one dist/.
  return withLock(
    `product-${ROOT}`,
    () => options.log("another process builds the product's image; waiting"),
    async () => {
      const rolldown = join(ROOT, "node_modules/rolldown/bin/cli.mjs");
      await run(process.execPath, [rolldown, "--config"], { cwd: ROOT, signal: options.signal });
      const build = { context: ROOT, base: nodeBase, repository: "modelhook" };
      return buildDockerfile(build, { ...options, crane });
    },
  );
}
