import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { request } from "node:http";
import { pipeline } from "node:stream/promises";

/** What the machine does when nothing but that is done: the limits of any builder. */
export interface Limits {
  /** Reads a file and hashes it, on one core. */
  readonly hashSeconds: number;
  /** Sends a file, whose digest is known, to the registry in one request. */
  readonly networkSeconds: number;
}

const PIECE = { highWaterMark: 1024 * 1024 };

/** Measures both limits with one file. */
export async function measureLimits(file: string, registry: string): Promise<Limits> {
  const hash = createHash("sha256");
  const hashing = performance.now();
  await pipeline(createReadStream(file, PIECE), hash);
  const hashSeconds = (performance.now() - hashing) / 1000;
  const digest = `sha256:${hash.digest("hex")}`;
  const sending = performance.now();
  const begun = await fetch(`http://${registry}/v2/bench/bare/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", `http://${registry}`);
  location.searchParams.set("digest", digest);
  const status = await put(location, file);
  if (status !== 201) throw new Error(`the registry answers ${status} to a bare push`);
  return { hashSeconds, networkSeconds: (performance.now() - sending) / 1000 };
}

async function put(url: URL, file: string): Promise<number | undefined> {
  const { size } = await stat(file);
  const headers = { "content-length": size, "content-type": "application/octet-stream" };
  const outgoing = request(url, { method: "PUT", headers });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    outgoing.on("error", reject).on("response", (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
  });
  await pipeline(createReadStream(file, PIECE), outgoing);
  return answered;
}
