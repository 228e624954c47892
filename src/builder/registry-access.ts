import { DEFAULT_SECRET } from "../api/annotations.ts";
import type { Volume, VolumeMount } from "../api/kube-types.ts";
import type { BuildSettings } from "./builder.ts";
import { registryOf } from "./registry-policy.ts";

/** Where containers of ours find the credentials of `credentialsVolume`: in `/credentials/config.json`, if anywhere. */
export const CREDENTIALS_MOUNT: VolumeMount = {
  name: "credentials",
  mountPath: "/credentials",
  readOnly: true,
};

/** The volume of the push credentials: of the Secret that is named, else of `regcred`. */
export function credentialsVolume(pushSecret: string | undefined): Volume {
  return {
    name: CREDENTIALS_MOUNT.name,
    secret: {
      secretName: pushSecret ?? DEFAULT_SECRET,
      // A pod with a missing Secret would never start; our container says what is missing instead.
      optional: true,
      items: [{ key: ".dockerconfigjson", path: "config.json" }],
    },
  };
}

/** The arguments that let our container speak plain HTTP to the registries of images, where the administrator has listed them. */
export function insecureArguments(
  images: readonly string[],
  { insecureRegistries }: BuildSettings,
): readonly string[] {
  const hosts = new Set(images.map((image) => registryOf(image)));
  return insecureRegistries
    .filter((listed) => hosts.has(listed))
    .map((listed) => `--insecure-registry=${listed}`);
}
