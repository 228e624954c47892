const MANIFEST_TYPES =
  "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/** The digest that the registry gives for `host/repository:tag`. */
export async function taggedDigest(image: string): Promise<string | null> {
  const response = await fetch(manifestUrl(image), {
    method: "HEAD",
    headers: { accept: MANIFEST_TYPES },
  });
  return response.headers.get("docker-content-digest");
}

/** What an image of that name is labelled with; takes `host/repository:reference`, where the reference may be a digest. */
export async function labelsOf(image: string): Promise<Readonly<Record<string, string>>> {
  const url = manifestUrl(image);
  const manifest = await getJson<{ config: { digest: string } }>(url);
  const blob = url.replace(/\/manifests\/.*$/, `/blobs/${manifest.config.digest}`);
  return (await getJson<{ config: { Labels?: Record<string, string> } }>(blob)).config.Labels ?? {};
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { headers: { accept: MANIFEST_TYPES } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Takes `host/repository:reference`, where the reference may be a digest. */
function manifestUrl(image: string): string {
  const [, host = "", repository = "", reference = ""] =
    /^([^/]+)\/([^:]+):(.+)$/.exec(image) ?? [];
  return `http://${host}/v2/${repository}/manifests/${reference}`;
}
