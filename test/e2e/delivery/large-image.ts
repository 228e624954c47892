import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { hashJson, type Layer } from "../../../deploy/local/images/layer.ts";
import { pushImage } from "../../../deploy/local/images/push.ts";
import type { TestNode } from "../node.ts";

const MIB = 2 ** 20;
const CHUNK = 64 * MIB;
const CHUNKS = 80;
const END = Buffer.from("the end of the file");

/** Bytes of the one file of the model: 5 GiB of zeros, and a text at the end. */
export const LARGE_BYTES = CHUNK * CHUNKS;
/** Name of the file. */
export const LARGE_FILE = "large.bin";

/** Hexadecimal sha256 of the last MiB of the file. */
export function endOfLarge(): string {
  return createHash("sha256")
    .update(Buffer.concat([Buffer.alloc(MIB - END.length), END]))
    .digest("hex");
}

/** Pushes a model image with the file where the registry lacks it, without kaniko, which takes minutes; gives repo@digest. */
export async function pushLargeImage({ cluster, images }: TestNode): Promise<string> {
  const recipe = { repository: "large-model", base: images.busybox, layers: [largeLayer()] };
  return pushImage(recipe, {
    crane: cluster.bin("crane"),
    registry: cluster.registry,
    log: (line) => process.stderr.write(`${line}\n`),
  });
}

/** The layer as an archive that is compressed already: zeros are compressed once, gzip's members can be strung together. */
function largeLayer(): Layer {
  return {
    key: hashJson([LARGE_FILE, LARGE_BYTES, END.toString()]),
    write: async (path) => {
      const heads = [
        tarHeader("kubedl-model/", 0, "5"),
        tarHeader(`kubedl-model/${LARGE_FILE}`, LARGE_BYTES, "0"),
      ];
      const zeros = gzipSync(Buffer.alloc(CHUNK));
      const last = Buffer.concat([Buffer.alloc(CHUNK - END.length), END, Buffer.alloc(1024)]);
      const members = [
        gzipSync(Buffer.concat(heads)),
        ...Array.from({ length: CHUNKS - 1 }, () => zeros),
        gzipSync(last),
      ];
      await writeFile(path, Buffer.concat(members));
    },
  };
}

/** A header of the format that POSIX calls ustar. */
function tarHeader(name: string, size: number, type: "0" | "5"): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000755\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write(" ".repeat(8), 148);
  header.write(type, 156);
  header.write("ustar\0", 257);
  header.write("00", 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
