import { parseImageRef } from "../api/image-ref.ts";

/** Where a reference without a registry leads. */
const DOCKER_HUB = "index.docker.io";

/**
 * Hosts that the registry library inside kaniko (go-containerregistry, name.Registry.Scheme) reaches by plain HTTP without
 * being told to: loopback, private addresses, `.local` and `.localhost` names.
 */
const PLAIN_HTTP_BY_ITSELF = [
  /^10\.\d+\.\d+\.\d+(?::|$)/,
  /^172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+(?::|$)/,
  /^192\.168\.\d+\.\d+(?::|$)/,
  /^localhost(?::|$)/,
  /\.local(?:host)?(?::\d{1,5})?$/,
  /127\.0\.0\.1/,
  /::1/,
];

/** The registry host of an image, with its port; undefined when the text is no reference. */
export function registryOf(image: string): string | undefined {
  const ref = parseImageRef(image);
  return ref === undefined ? undefined : (ref.registry ?? DOCKER_HUB);
}

/** True when credentials would go to that host unencrypted though no administrator said so. */
export function isUnlistedPlainHttp(host: string, insecureRegistries: readonly string[]): boolean {
  return (
    !insecureRegistries.includes(host) && PLAIN_HTTP_BY_ITSELF.some((pattern) => pattern.test(host))
  );
}
