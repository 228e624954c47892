import type { Dispatcher } from "undici";
import type { BlobSource } from "./blob-source.ts";
import type { RegistryClient } from "./client.ts";
import { RegistryError } from "./registry-error.ts";
import { drain } from "./transport.ts";
import { inTries, type Trying } from "./tries.ts";

/** Answers to the wish to take a blob over that leave us to send it: we may not read the other repository, or it is gone. */
const MOUNT_REFUSALS: ReadonlySet<number> = new Set([401, 403, 404]);

/** What became of a blob. */
export interface Uploaded {
  readonly digest: string;
  readonly size: number;
  /** Bytes that were sent, those of broken tries among them; 0 for what the registry had already. */
  readonly sent: number;
}

/** Where a blob goes. */
export interface UploadTarget {
  readonly client: RegistryClient;
  /** Name of the repository in the registry. */
  readonly repository: string;
  /** Repository of the same registry that may have the blob. */
  readonly mountFrom?: string | undefined;
  readonly onRetry: Trying["onRetry"];
}

/** An upload that has begun, as far as it is known. */
interface Upload {
  location: string;
  /** Bytes that the registry has. */
  offset: number;
}

/**
 * Puts a blob into a repository (distribution specification, "Pushing Blobs"): asks for it first when its digest is known, else
 * sends it in one stream and names the digest at the end. A stream that breaks is taken up where the registry says it broke, or
 * begun anew. Throws RegistryError.
 */
export async function uploadBlob(source: BlobSource, target: UploadTarget): Promise<Uploaded> {
  const progress: { upload?: Upload | undefined; sent: number } = { sent: 0 };
  const { client, onRetry } = target;
  const digest = await inTries(() => tryUpload(source, target, progress), {
    onRetry,
    closed: client.closed,
  });
  return { digest, size: source.size, sent: progress.sent };
}

async function tryUpload(
  source: BlobSource,
  target: UploadTarget,
  progress: { upload?: Upload | undefined; sent: number },
): Promise<string> {
  const known = source.digest();
  if (known !== undefined && (await hasBlob(target, known))) return known;
  progress.upload = progress.upload && (await resumed(target, progress.upload));
  const upload = progress.upload ?? (await begin(target, known));
  if (upload === undefined) return known ?? "";
  progress.upload = upload;
  if (upload.offset < source.size) {
    const location = await send(source, target, upload, (bytes) => (progress.sent += bytes));
    progress.upload = location === undefined ? undefined : { location, offset: source.size };
  }
  // The rest alone was refused: everything is sent anew.
  if (progress.upload === undefined) return tryUpload(source, target, progress);
  const digest = source.digest();
  if (digest === undefined) throw new Error("content that was sent to its end has no digest");
  try {
    await commit(target, progress.upload.location, digest);
  } catch (error) {
    if (error instanceof RegistryError && error.fault === "invalid") {
      source.reset();
      progress.upload = undefined;
    }
    throw error;
  }
  return digest;
}

/** True when the repository has the blob; stores behind registries are redirected to once it is known to be there. */
export async function hasBlob(
  { client, repository }: Pick<UploadTarget, "client" | "repository">,
  digest: string,
): Promise<boolean> {
  const response = await client.send("HEAD", `/v2/${repository}/blobs/${digest}`);
  if (response.statusCode === 404) {
    await drain(response);
    return false;
  }
  if (response.statusCode < 400) {
    await drain(response);
    return true;
  }
  throw await client.refusal(`does not say whether it has ${repository}@${digest}`, response);
}

/** Begins an upload; undefined when the registry took the blob over from the other repository. */
async function begin(
  { client, repository, mountFrom }: Pick<UploadTarget, "client" | "repository" | "mountFrom">,
  digest: string | undefined,
): Promise<Upload | undefined> {
  const mount =
    mountFrom === undefined || digest === undefined || mountFrom === repository
      ? ""
      : `?${new URLSearchParams({ mount: digest, from: mountFrom }).toString()}`;
  const response = await client
    .send("POST", `/v2/${repository}/blobs/uploads/${mount}`, {
      headers: { "content-length": "0" },
      ...(mount === "" ? {} : { besides: [`repository:${mountFrom}:pull`] }),
    })
    .catch((error: unknown) => {
      // Some token servers refuse the whole token for the part of it that they do not give.
      if (mount !== "" && error instanceof RegistryError && error.fault === "denied")
        return undefined;
      throw error;
    });
  if (response === undefined) return begin({ client, repository }, undefined);
  if (response.statusCode === 201 && mount !== "") {
    await drain(response);
    return undefined;
  }
  if (mount !== "" && MOUNT_REFUSALS.has(response.statusCode)) {
    await drain(response);
    return begin({ client, repository }, undefined);
  }
  if (response.statusCode !== 202) {
    throw await client.refusal(`takes no push to ${repository}`, response);
  }
  return { location: await locationOf(client, response), offset: 0 };
}

/**
 * How far an upload has come whose last request broke; undefined when it has to begin anew. Distribution 3.1 keeps what came of
 * a broken request, and names a new location for the rest, even to whoever shows one that it signed before it was killed.
 */
async function resumed(
  { client }: UploadTarget,
  { location }: Upload,
): Promise<Upload | undefined> {
  const response = await client.get(location);
  await drain(response);
  const last = /^(?:bytes=)?0-(\d+)$/.exec(String(response.headers["range"] ?? ""))?.[1];
  if (response.statusCode !== 204 || last === undefined) return undefined;
  const next = response.headers.location;
  // Registries say 0-0 of nothing and of one byte alike; the first byte is soon sent again.
  if (last === "0") return undefined;
  return { location: next === undefined ? location : String(next), offset: Number(last) + 1 };
}

/**
 * Sends what is left; gives the location for what follows. Undefined when the registry does not take the rest of what it has a
 * part of: Quay counts that part one byte too long, others know no `Content-Range`.
 */
async function send(
  source: BlobSource,
  { client, repository }: UploadTarget,
  { location, offset }: Upload,
  count: (bytes: number) => void,
): Promise<string | undefined> {
  const failure: { cause?: unknown } = {};
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of source.read(offset)) {
        count(piece.length);
        yield piece;
      }
    } catch (cause) {
      failure.cause = cause;
      throw cause;
    }
  }
  const range = offset === 0 ? {} : { "content-range": `${offset}-${source.size - 1}` };
  let response: Dispatcher.ResponseData;
  try {
    response = await client.send("PATCH", location, {
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(source.size - offset),
        ...range,
      },
      body,
    });
  } catch (error) {
    // What ended the request may be what it was to carry, and not the registry.
    throw failure.cause ?? error;
  }
  if (response.statusCode === 202) return locationOf(client, response);
  const refusal = await refusalOfUpload(
    client,
    `does not take the content for ${repository}`,
    response,
  );
  if (offset > 0 && response.statusCode < 500 && response.statusCode !== 429) return undefined;
  throw refusal;
}

async function commit(
  { client, repository }: UploadTarget,
  location: string,
  digest: string,
): Promise<void> {
  const separator = location.includes("?") ? "&" : "?";
  const response = await client.send(
    "PUT",
    `${location}${separator}${new URLSearchParams({ digest }).toString()}`,
  );
  if (response.statusCode !== 201 && response.statusCode !== 204) {
    throw await refusalOfUpload(client, `does not keep ${repository}@${digest}`, response);
  }
  await drain(response);
}

/** A registry that was started again may have lost the upload, or be further back in it than we are: the next try asks. */
async function refusalOfUpload(
  client: RegistryClient,
  what: string,
  response: Dispatcher.ResponseData,
): Promise<RegistryError> {
  const { statusCode } = response;
  const refusal = await client.refusal(what, response);
  const isLost = statusCode === 404 || statusCode === 416;
  return isLost ? new RegistryError("unreachable", refusal.message) : refusal;
}

async function locationOf(
  client: RegistryClient,
  response: Dispatcher.ResponseData,
): Promise<string> {
  const { location } = response.headers;
  if (location === undefined) {
    throw await client.refusal("names no location for an upload", response);
  }
  await drain(response);
  return String(location);
}
