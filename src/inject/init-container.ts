import type {
  Container,
  Pod,
  ResourceRequirements,
  Volume,
  VolumeMount,
} from "../api/kube-types.ts";
import { commonLimits, isGuaranteed, largestLimits } from "./quality-of-service.ts";
import { ephemeralLimit } from "./pod-limits.ts";
import { compareQuantities, parseQuantity } from "../api/quantity.ts";

/** Name of the init container that copies the model; KubeDL's, so that its tools find it. */
export const LOADER = "kubedl-model-loader";
/** Volume that the model is copied into. */
export const MODEL_VOLUME = "kubedl-model";
/** Empty volume that hides the pod's API token from the loader. */
export const NO_TOKEN_VOLUME = "kubedl-no-token";

/** Volume that KubeDL's own loader copies into. */
const KUBEDL_VOLUME = "kubedl-model-loader";

/** Where every model image holds its model. */
const IMAGE_PATH = "/kubedl-model";
/** Where the loader sees the volume. */
const TARGET = "/kubedl-volume";
/** Directory of the volume that containers mount; it appears by rename, so a half copied model is never seen. */
const COPIED = "model";
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A user that no image or pod has to grant anything, and that the restricted level accepts. */
const LOADER_USER = 65532;

/** What tells a finished copy from a directory that the kubelet made for a subPath; lies beside the copy, where no container sees it. */
const DONE = ".done";

/**
 * Copies links, modes, dotfiles and empty directories. It may run again in the same pod, so a finished copy is kept and the
 * rest of a broken one, whose directories may be read-only, is removed; what can not be removed ends the loader as failed.
 * The kubelet's directory may not be ours to change, but an empty one can be removed. busybox `cp -p` would complain of
 * every owner.
 */
const SCRIPT = [
  "set -e",
  `cd ${TARGET}`,
  `if [ -e ${DONE} ]; then exit 0; fi`,
  `if [ ! -d ${IMAGE_PATH} ]; then echo "the image holds no ${IMAGE_PATH}: it is no model image" >&2; exit 1; fi`,
  `for rest in .partial ${COPIED}; do`,
  '  if [ -e "$rest" ] && ! rmdir "$rest" 2>/dev/null; then find "$rest" -type d -exec chmod u+w {} +; rm -rf "$rest"; fi',
  "done",
  `cp -dR ${IMAGE_PATH} .partial`,
  `mv .partial ${COPIED}`,
  `: > ${DONE}`,
].join("\n");

/** Tenths of the files' bytes that a copy takes. */
const SIZE_MARGIN = 11;
/** What each file may take besides its bytes: the kubelet counts blocks, and a model of a million small files is mostly those. */
const BLOCK = 4096;
const MIB = 2 ** 20;

/** Ephemeral storage of a copy of so many bytes and files, in MiB as a quantity; undefined while the size is not known. */
export function copyQuantity(bytes: number | undefined, files: number): string | undefined {
  if (bytes === undefined) return undefined;
  return inMebibytes(Math.max(1, (bytes * SIZE_MARGIN) / 10 + files * BLOCK));
}

function inMebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MIB)}Mi`;
}

/** The loader of a pod: runs under the restricted level, with a read-only root and no API token. */
export function loaderContainer(
  pod: Pod,
  image: string,
  wanted: ResourceRequirements | undefined,
  defaults: ResourceRequirements,
  storage: string | undefined,
): Container {
  const resources = withEphemeralStorage(wanted ?? fittingResources(pod, defaults), storage, pod);
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
  return hasLoaderThat((mount) => mount.name === MODEL_VOLUME && mount.mountPath === TARGET, pod);
}

/** True when the pod has the loader that KubeDL's own controller puts into pods. */
export function hasLoaderOfKubeDl(pod: Pod): boolean {
  return hasLoaderThat((mount) => mount.name === KUBEDL_VOLUME, pod);
}

function hasLoaderThat(mounts: (mount: VolumeMount) => boolean, pod: Pod): boolean {
  return (pod.spec?.initContainers ?? []).some(
    ({ name, volumeMounts }) => name === LOADER && (volumeMounts ?? []).some(mounts),
  );
}

/** Resources that change neither the pod's quality of service nor what it needs to be scheduled. */
function fittingResources(pod: Pod, defaults: ResourceRequirements): ResourceRequirements {
  // Limits of the whole pod bind the loader too, and requests of its own could exceed them.
  if (pod.spec?.resources?.limits !== undefined || pod.spec?.resources?.requests !== undefined) {
    return {};
  }
  // An init container no larger than the largest container costs nothing to schedule.
  return isGuaranteed(pod) ? largestLimits(pod) : withinLimits(defaults, commonLimits(pod));
}

/** A quota on limits refuses a container without one, or a pod for a larger one, though all of the user's comply. */
function withinLimits(
  defaults: ResourceRequirements,
  limits: Readonly<Record<string, string>>,
): ResourceRequirements {
  if (Object.keys(limits).length === 0) return defaults;
  const requests = Object.entries(defaults.requests ?? {}).map(([name, request]) => {
    const limit = limits[name];
    return [name, limit !== undefined && compareQuantities(request, limit) > 0 ? limit : request];
  });
  return {
    requests: Object.fromEntries(requests),
    limits: { ...defaults.limits, ...limits },
  };
}

function withEphemeralStorage(
  resources: ResourceRequirements,
  storage: string | undefined,
  pod: Pod,
): ResourceRequirements {
  const { requests, limits } = resources;
  const isSet = [requests, limits].some((list) => list?.["ephemeral-storage"] !== undefined);
  if (storage === undefined || isSet) return resources;
  const room = { requests: { ...requests, "ephemeral-storage": storage } };
  const limit = ephemeralLimit(pod);
  if (limit === undefined) return { ...resources, ...room };
  // The kubelet holds all that the pod uses, the copy included, against the pod's limit, and evicts it.
  const both = inMebibytes(limit + parseQuantity(storage));
  return { ...resources, ...room, limits: { ...limits, "ephemeral-storage": both } };
}
