import { isFields, type Fields } from "../api/fields.ts";
import { parseConfiguration, parseIndex, parseManifest, type Descriptor } from "./manifest.ts";
import { RegistryError } from "./registry-error.ts";
import { repeatedKey } from "./repeated-key.ts";
import type { FoundManifest, Repository } from "./repository.ts";

/** An image for one platform, to be built upon. */
export interface BaseImage {
  /** Of its own manifest, and not of the index that led to it. */
  readonly digest: string;
  /** The whole configuration: `config`, `rootfs`, `history`, `os`, `architecture`. */
  readonly config: Fields;
  /** Base first. */
  readonly layers: readonly Descriptor[];
}

/** Node's names of the architectures that images have other names for. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** The platform of this machine as images name it, such as `linux/amd64`; variants of an architecture are not told apart. */
export function machinePlatform(): string {
  return `linux/${ARCHITECTURES[process.arch] ?? process.arch}`;
}

/**
 * Reads an image by its tag or digest; an index leads to its first image for the platform, as in kaniko. Undefined when there
 * is no such image; throws RegistryError `missing` when there is one, but not for the platform.
 */
export async function readBaseImage(
  repository: Pick<Repository, "manifest" | "text">,
  reference: string,
  platform: string,
): Promise<BaseImage | undefined> {
  const found = await repository.manifest(reference);
  if (found === undefined) return undefined;
  const image = await forPlatform(repository, found, platform);
  const manifest = parseManifest(image.text, image.mediaType);
  if (manifest === undefined) {
    const message = `${reference} is neither an image nor an index of images (${image.mediaType})`;
    throw new RegistryError("invalid", message);
  }
  const configuration = await repository.text(manifest.config);
  checkKeys("manifest", reference, image.text);
  checkKeys("configuration", reference, configuration);
  const config = parseConfiguration(configuration);
  return { digest: image.digest, config, layers: manifest.layers };
}

/** What an image has every build upon it run (`ONBUILD`), in the words of its Dockerfile. */
export function onBuildTriggers({ config }: BaseImage): readonly string[] {
  return fieldsNamed(config, "config")
    .flatMap((inner) => (isFields(inner) ? fieldsNamed(inner, "onbuild") : []))
    .flatMap((triggers) => (Array.isArray(triggers) ? triggers.map(String) : []));
}

/** kaniko's parser takes a key in any case, so that none of them may hide a trigger. */
function fieldsNamed(fields: Fields, name: string): readonly unknown[] {
  return Object.entries(fields)
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value);
}

/** What is looked at here has to be what others take the image for. */
function checkKeys(what: string, reference: string, text: string): void {
  const key = repeatedKey(text);
  if (key === undefined) return;
  const message = `the ${what} of ${reference} has the key ${JSON.stringify(key)} twice`;
  throw new RegistryError("invalid", message);
}

/** The manifest itself, or the one that the index has for the platform. */
async function forPlatform(
  repository: Pick<Repository, "manifest">,
  found: FoundManifest,
  platform: string,
): Promise<FoundManifest> {
  const index = parseIndex(found.text, found.mediaType);
  if (index === undefined) return found;
  const entry = index.find((each) => each.platform === platform);
  if (entry === undefined) {
    const others = [...new Set(index.map((each) => each.platform))].join(", ");
    const message = `${found.digest} has no image for ${platform}; it has some for: ${others}`;
    throw new RegistryError("missing", message);
  }
  const image = await repository.manifest(entry.digest);
  if (image !== undefined) return image;
  throw new RegistryError("missing", `${found.digest} names ${entry.digest}, which is not there`);
}
