import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { digestOf } from "./push.ts";

/** An image as its registry gives it. */
export interface PulledImage {
  readonly digest: string;
  readonly config: {
    readonly config: { readonly Labels: Readonly<Record<string, string>> };
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  readonly layers: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
  }[];
}

/** One entry of a directory: type and permission bits, and its content's digest or where it leads. */
export type Entry = readonly [path: string, type: string, mode: string, what: string];

/** Reads an image of `host/repository:tag`. */
export async function pullImage(image: string): Promise<PulledImage> {
  const { url, reference } = locate(image);
  const text = await pull(`${url}/manifests/${reference}`);
  const manifest = JSON.parse(text.toString()) as {
    config: { digest: string };
    layers: PulledImage["layers"];
  };
  const config = await pull(`${url}/blobs/${manifest.config.digest}`);
  return {
    digest: digestOf(text),
    config: JSON.parse(config.toString()) as PulledImage["config"],
    layers: manifest.layers,
  };
}

/** Everything that the layers of an image give when they are unpacked one over the other. */
export async function unpackedEntries(image: string): Promise<readonly Entry[]> {
  const { url } = locate(image);
  const root = mkdtempSync(join(tmpdir(), "modelhook-unpacked-"));
  try {
    for (const { mediaType, digest, size } of (await pullImage(image)).layers) {
      const layer = await pull(`${url}/blobs/${digest}`);
      if (digestOf(layer) !== digest || layer.length !== size) throw new Error(`${digest} is torn`);
      // As a runtime does: owners and modes as they are in the archive, whoever the user is.
      execFileSync("tar", ["-xpf", "-", "--same-owner", "--numeric-owner", "-C", root], {
        input: uncompressed(mediaType, layer),
      });
    }
    return entriesOf(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

function uncompressed(mediaType: string, layer: Buffer): Buffer {
  if (mediaType.endsWith("+gzip")) return gunzipSync(layer);
  return mediaType.endsWith("+zstd") ? zstdDecompressSync(layer) : layer;
}

/** A model's entries as its image is to have them, when everybody may read all of it. */
export function entriesInImage(model: string): readonly Entry[] {
  return entriesOf(model).map(([path, type, mode, what]): Entry => [
    `kubedl-model/${path}`,
    type,
    mode,
    what,
  ]);
}

/** Everything below a directory, sorted; names that are not UTF-8 are told apart by their bytes. */
export function entriesOf(root: string): readonly Entry[] {
  const entries: Entry[] = [];
  function add(directory: Buffer): void {
    const names = readdirSync(directory, { encoding: "buffer" });
    for (const name of names.toSorted((a, b) => Buffer.compare(a, b))) {
      const path = Buffer.concat([directory, Buffer.from("/"), name]);
      const stats = lstatSync(path);
      const below = path.subarray(root.length + 1).toString("latin1");
      const mode = (stats.mode & 0o7777).toString(8);
      entries.push([below, typeOf(stats), mode, whatIsIn(path, stats)]);
      if (stats.isDirectory()) add(path);
    }
  }
  add(Buffer.from(root));
  return entries;
}

function typeOf(stats: Stats): string {
  if (stats.isFile()) return "file";
  if (stats.isSymbolicLink()) return "link";
  return stats.isDirectory() ? "directory" : "other";
}

function whatIsIn(path: Buffer, stats: Stats): string {
  if (stats.isSymbolicLink()) return readlinkSync(path, { encoding: "buffer" }).toString("latin1");
  return stats.isFile() ? digestOf(readFileSync(path)) : "";
}

function locate(image: string): { readonly url: string; readonly reference: string } {
  const slash = image.indexOf("/");
  const isByDigest = image.includes("@");
  const separator = isByDigest ? image.indexOf("@") : image.lastIndexOf(":");
  const url = `http://${image.slice(0, slash)}/v2/${image.slice(slash + 1, separator)}`;
  return { url, reference: image.slice(separator + 1) };
}

async function pull(url: string): Promise<Buffer> {
  const accept = "application/vnd.oci.image.manifest.v1+json";
  const response = await fetch(url, { headers: { accept } });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}
