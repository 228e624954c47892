import type {
  Container,
  Pod,
  ResourceRequirements,
  Volume,
  VolumeMount,
} from "../api/kube-types.ts";
import { isGuaranteed, largestLimits } from "./quality-of-service.ts";

/** Name of the init container that copies the model; KubeDL's, so that its tools find it. */
export const LOADER = "kubedl-model-loader";
/** Volume that the model is copied into. */
export const MODEL_VOLUME = "kubedl-model";
/** Empty volume that hides the pod's API token from the loader. */
export const NO_TOKEN_VOLUME = "kubedl-no-token";

/** Where every model image holds its model. */
const IMAGE_PATH = "/kubedl-model";
/** Where the loader sees the volume. */
const TARGET = "/kubedl-volume";
/** Directory of the volume that containers mount; it appears by rename, so a half copied model is never seen. */
const COPIED = "model";
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A user that no image or pod has to grant anything, and that the restricted level accepts. */
const LOADER_USER = 65532;

/**
 * Copies links, modes, dotfiles and empty directories. It may run again in the same pod, so a finished copy is kept and the
 * rest of a broken one, whose directories may be read-only, is removed. busybox `cp -p` would complain of every owner.
 */
const SCRIPT = [
  "set -e",
  `cd ${TARGET}`,
  `if [ -e ${COPIED} ]; then exit 0; fi`,
  `if [ ! -d ${IMAGE_PATH} ]; then echo "the image holds no ${IMAGE_PATH}: it is no model image" >&2; exit 1; fi`,
  "if [ -e .partial ]; then find .partial -type d -exec chmod u+w {} +; rm -rf .partial; fi",
  `cp -dR ${IMAGE_PATH} .partial`,
  `mv .partial ${COPIED}`,
].join("\n");

/** Share that a copy takes on top of the files' own bytes: directories and block sizes. */
const SIZE_MARGIN = 1.1;
const MIB = 2 ** 20;

/** Ephemeral storage of a copy, in MiB as a quantity; undefined while the model's size is not known. */
export function copyQuantity(bytes: number | undefined): string | undefined {
  return bytes === undefined
    ? undefined
    : `${Math.max(1, Math.ceil((bytes * SIZE_MARGIN) / MIB))}Mi`;
}

/** The loader of a pod: runs under the restricted level, with a read-only root and no API token. */
export function loaderContainer(
  pod: Pod,
  image: string,
  wanted: ResourceRequirements | undefined,
  defaults: ResourceRequirements,
  storage: string | undefined,
): Container {
  // A Guaranteed pod stays one, and an init container no larger than the largest container costs nothing to schedule.
  const own = wanted ?? (isGuaranteed(pod) ? largestLimits(pod) : defaults);
  const resources = withEphemeralStorage(own, storage);
  return {
    name: LOADER,
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/sh", "-c", SCRIPT],
    resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: LOADER_USER,
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: MODEL_VOLUME, mountPath: TARGET },
      { name: NO_TOKEN_VOLUME, mountPath: TOKEN_PATH, readOnly: true },
    ],
  };
}

/** The volumes of the loader. */
export function loaderVolumes(storage: string | undefined): readonly Volume[] {
  return [
    { name: MODEL_VOLUME, emptyDir: storage === undefined ? {} : { sizeLimit: storage } },
    { name: NO_TOKEN_VOLUME, emptyDir: {} },
  ];
}

/** How a container sees the copied model. */
export function modelMount(mountPath: string): VolumeMount {
  return { name: MODEL_VOLUME, mountPath, subPath: COPIED, readOnly: true };
}

/** True when the pod has a loader of ours: the reserved name, filling the reserved volume. */
export function hasLoader(pod: Pod): boolean {
  return (pod.spec?.initContainers ?? []).some(
    ({ name, volumeMounts }) =>
      name === LOADER &&
      (volumeMounts ?? []).some(
        (mount) => mount.name === MODEL_VOLUME && mount.mountPath === TARGET,
      ),
  );
}

function withEphemeralStorage(
  resources: ResourceRequirements,
  storage: string | undefined,
): ResourceRequirements {
  if (storage === undefined || resources.requests?.["ephemeral-storage"] !== undefined) {
    return resources;
  }
  return { ...resources, requests: { ...resources.requests, "ephemeral-storage": storage } };
}
