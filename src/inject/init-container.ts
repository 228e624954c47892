import type {
  Container,
  Pod,
  ResourceRequirements,
  Volume,
  VolumeMount,
} from "../api/kube-types.ts";
import { inMebibytes } from "./loader-resources.ts";

/** Name of the init container that copies the model; KubeDL's, so that its tools find it. Those of further models begin with it. */
export const LOADER = "kubedl-model-loader";
/** Volume that the models are copied into. */
export const MODEL_VOLUME = "kubedl-model";
/** Empty volume that hides the pod's API token from the loader. */
export const NO_TOKEN_VOLUME = "kubedl-no-token";
/** Directory of a model image that holds the model, from the image's root. */
export const IMAGE_DIRECTORY = "kubedl-model";

/** Volume that KubeDL's own loader copies into. */
const KUBEDL_VOLUME = "kubedl-model-loader";

/** Where the loader sees the model. */
const IMAGE_PATH = `/${IMAGE_DIRECTORY}`;
/** Where the loader sees the volume. */
const TARGET = "/kubedl-volume";
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A user that no image or pod has to grant anything, and that the restricted level accepts. */
const LOADER_USER = 65532;

/**
 * Copies links, modes, dotfiles and empty directories into the directory `$1` of the volume, which appears by rename, so that a half
 * copied model is never seen. It may run again in the same pod, so a finished copy is kept and the rest of a broken one, whose
 * directories may be read-only, is removed; what can not be removed ends the loader as failed. A directory that the kubelet made for
 * a subPath is told from a finished copy by a file beside it, where no container sees it; it may not be ours to change, but an
 * empty one can be removed. busybox `cp -p` would complain of every owner.
 */
const SCRIPT = [
  "set -e",
  `cd ${TARGET}`,
  'if [ -e ".$1.done" ]; then exit 0; fi',
  `if [ ! -d ${IMAGE_PATH} ]; then echo "the image holds no ${IMAGE_PATH}: it is no model image" >&2; exit 1; fi`,
  'for rest in ".$1.partial" "$1"; do',
  '  if [ -e "$rest" ] && ! rmdir "$rest" 2>/dev/null; then find "$rest" -type d -exec chmod u+w {} +; rm -rf "$rest"; fi',
  "done",
  // A umask would take modes away that the model has in an image volume.
  `(umask 0; cp -dR ${IMAGE_PATH} ".$1.partial")`,
  'mv ".$1.partial" "$1"',
  ': > ".$1.done"',
].join("\n");

/** One copy of a model. */
export interface Loader {
  readonly name: string;
  /** The model image, or with `source` any image that has a shell. */
  readonly image: string;
  /** Which of the pod's models it is, from 0. */
  readonly model: number;
  /** Image volume of the pod that holds the model, for a model image without a shell. */
  readonly source?: string | undefined;
}

/** A loader of the pod as it is. */
export interface FoundLoader {
  /** Index in the list of init containers. */
  readonly index: number;
  readonly container: Container;
  readonly model: number;
}

/** The container of a loader: runs under the restricted level, with a read-only root and no API token. */
export function loaderContainer(
  { name, image, model, source }: Loader,
  resources: ResourceRequirements,
): Container {
  return {
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/sh", "-c", SCRIPT, LOADER, directoryOf(model)],
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
      ...(source === undefined ? [] : [imageMount(source, IMAGE_PATH)]),
    ],
  };
}

/** The volumes of all loaders of a pod; `copies` are bytes, undefined while they are not known. */
export function loaderVolumes(copies: number | undefined): readonly Volume[] {
  const emptyDir = copies === undefined ? {} : { sizeLimit: inMebibytes(copies) };
  return [
    { name: MODEL_VOLUME, emptyDir },
    { name: NO_TOKEN_VOLUME, emptyDir: {} },
  ];
}

/** How a container sees a copied model. */
export function copyMount(model: number, mountPath: string): VolumeMount {
  return { name: MODEL_VOLUME, mountPath, subPath: directoryOf(model), readOnly: true };
}

/** How a container sees the model in an image volume. */
export function imageMount(name: string, mountPath: string): VolumeMount {
  return { name, mountPath, subPath: IMAGE_DIRECTORY, readOnly: true };
}

/** Loaders of ours in the pod: the reserved name, filling the reserved volume. */
export function loadersOf(pod: Pod): readonly FoundLoader[] {
  return (pod.spec?.initContainers ?? []).flatMap((container, index) => {
    const { name, volumeMounts, command } = container;
    const fills = (volumeMounts ?? []).some(
      (mount) => mount.name === MODEL_VOLUME && mount.mountPath === TARGET,
    );
    if (!fills || !name.startsWith(LOADER)) return [];
    return [{ index, container, model: modelOf(command?.at(-1)) }];
  });
}

/** True when the pod has the loader that KubeDL's own controller puts into pods. */
export function hasLoaderOfKubeDl(pod: Pod): boolean {
  return (pod.spec?.initContainers ?? []).some(
    ({ name, volumeMounts }) =>
      name === LOADER && (volumeMounts ?? []).some((mount) => mount.name === KUBEDL_VOLUME),
  );
}

/** Image of the model that a loader copies: its own, or that of the volume where it finds the model. */
export function modelImageOf({ spec }: Pod, { container }: FoundLoader): string | undefined {
  const source = container.volumeMounts?.find(({ mountPath }) => mountPath === IMAGE_PATH)?.name;
  if (source === undefined) return container.image;
  return spec?.volumes?.find(({ name }) => name === source)?.image?.reference;
}

/** Directory of the volume that holds a copy. */
function directoryOf(model: number): string {
  return model === 0 ? "model" : `model-${model + 1}`;
}

function modelOf(directory: string | undefined): number {
  const number = /^model-(\d+)$/.exec(directory ?? "")?.[1];
  return number === undefined ? 0 : Number(number) - 1;
}
