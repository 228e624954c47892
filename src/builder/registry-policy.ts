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

/**
 * Why an image can not be pulled or pushed: credentials would go to its registry unencrypted though no administrator said so.
 * Undefined when they would not.
 */
export function plainHttpFault(
  image: string,
  insecureRegistries: readonly string[],
): string | undefined {
  const host = registryOf(image);
  if (host === undefined || insecureRegistries.includes(host)) return undefined;
  if (!PLAIN_HTTP_BY_ITSELF.some((pattern) => pattern.test(host))) return undefined;
  return `kaniko would reach the registry ${host} by plain HTTP, because its address is private; an administrator can allow that by listing it in insecureRegistries`;
}
