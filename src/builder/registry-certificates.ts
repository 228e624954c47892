import { REGISTRY_CERTIFICATES } from "../api/annotations.ts";
import type { Container, ObjectMeta, Volume, VolumeMount } from "../api/kube-types.ts";
import type { BuildSettings } from "./builder.ts";
import { registryOf } from "./registry-policy.ts";

/**
 * How the administrator's authorities get into pods that reach registries: the pod bears them in an annotation, and a volume of
 * the downward API shows that as a file. So they come with the pod and go with it, and nobody has to make objects for them.
 */
const VOLUME = "registry-certificates";
const FILE = "ca.pem";

/** Where containers of ours find the file; Node trusts what is in it besides what it knows. */
const OURS = "/registry-certificates";
/** Where kaniko finds it: it leaves everything below /kaniko alone when it unpacks the base image. */
const KANIKO = "/kaniko/registry-certificates";

/** The annotations of the pod. */
export function certificateAnnotations({
  registryCertificates,
}: BuildSettings): Pick<ObjectMeta, "annotations"> {
  if (registryCertificates === "") return {};
  return { annotations: { [REGISTRY_CERTIFICATES]: registryCertificates } };
}

/** The volumes of the pod. */
export function certificateVolumes({ registryCertificates }: BuildSettings): readonly Volume[] {
  if (registryCertificates === "") return [];
  const fieldRef = { fieldPath: `metadata.annotations['${REGISTRY_CERTIFICATES}']` };
  return [{ name: VOLUME, downwardAPI: { items: [{ path: FILE, fieldRef }] } }];
}

/** What a container of ours that mounts this has to have, too, to trust them. */
export function trustingContainer(
  { registryCertificates }: BuildSettings,
  volumeMounts: VolumeMount[],
): Pick<Container, "env" | "volumeMounts"> {
  if (registryCertificates === "") return { volumeMounts };
  return {
    env: [{ name: "NODE_EXTRA_CA_CERTS", value: `${OURS}/${FILE}` }],
    volumeMounts: [...volumeMounts, { name: VOLUME, mountPath: OURS, readOnly: true }],
  };
}

/** What kaniko is given to trust them, when it reaches the registries of these images and their token servers. */
export function trustingKaniko(
  images: readonly string[],
  { registryCertificates }: BuildSettings,
): { readonly args: readonly string[]; readonly volumeMounts: readonly VolumeMount[] } {
  if (registryCertificates === "") return { args: [], volumeMounts: [] };
  const hosts = new Set(images.map((image) => registryOf(image)));
  return {
    args: [...hosts].map((host) => `--registry-certificate=${host}=${KANIKO}/${FILE}`),
    volumeMounts: [{ name: VOLUME, mountPath: KANIKO, readOnly: true }],
  };
}
