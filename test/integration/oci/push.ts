import { createHash } from "node:crypto";

/** A layer to be pushed. */
export interface TestLayer {
  readonly mediaType: string;
  readonly content: Buffer;
}

/** An image to be pushed. */
export interface TestImage {
  readonly labels?: Readonly<Record<string, string>>;
  /** What it has builds upon it run. */
  readonly onBuild?: readonly string[];
  readonly layers: readonly TestLayer[];
  /** What its configuration calls the layers. */
  readonly diffIds?: readonly string[];
}

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Pushes an image as `repository:tag` and gives its digest. */
export async function pushImage(
  url: string,
  repository: string,
  tag: string,
  { labels = {}, onBuild, layers, diffIds }: TestImage,
): Promise<string> {
  const config = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    content: Buffer.from(
      JSON.stringify({
        config: { Labels: labels, OnBuild: onBuild },
        ...(diffIds === undefined ? {} : { rootfs: { type: "layers", diff_ids: diffIds } }),
      }),
    ),
  };
  const [configDescriptor, ...layerDescriptors] = await Promise.all(
    [config, ...layers].map(async (blob) => pushBlob(url, repository, blob)),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: configDescriptor,
    layers: layerDescriptors,
  };
  return pushManifest(url, repository, tag, OCI_MANIFEST, JSON.stringify(manifest));
}

/** Puts a manifest as it is and gives its digest. */
export async function pushManifest(
  url: string,
  repository: string,
  tag: string,
  mediaType: string,
  text: string,
): Promise<string> {
  await request(`${url}/v2/${repository}/manifests/${tag}`, "PUT", text, mediaType);
  return digestOf(Buffer.from(text));
}

/** The digest of a blob. */
export function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

async function pushBlob(
  url: string,
  repository: string,
  { mediaType, content }: TestLayer,
): Promise<object> {
  const digest = digestOf(content);
  const started = await request(`${url}/v2/${repository}/blobs/uploads/`, "POST");
  const location = new URL(started.headers.get("location") ?? "", url);
  location.searchParams.set("digest", digest);
  await request(location.href, "PUT", content, "application/octet-stream");
  return { mediaType, digest, size: content.length };
}

async function request(
  url: string,
  method: string,
  body?: Buffer | string,
  type?: string,
): Promise<Response> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    ...(type === undefined ? {} : { headers: { "content-type": type } }),
  });
  if (!response.ok)
    throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response;
}
