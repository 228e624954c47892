import { VERSION_ANNOTATIONS } from "../api/annotations.ts";
import { IMAGE_LABELS } from "../api/image-labels.ts";
import type { BuildRequest } from "./builder.ts";
import { CREDENTIALS_MOUNT, insecureArguments } from "./registry-access.ts";

/** The labels of the image that say whose it is and where its model comes from; what is not known is left out. */
export function imageLabels({ version }: BuildRequest): readonly (readonly [string, string])[] {
  const { metadata, spec } = version;
  const annotations = metadata.annotations ?? {};
  const kind = annotations[VERSION_ANNOTATIONS.jobKind];
  const job = annotations[VERSION_ANNOTATIONS.jobName];
  const labels: readonly (readonly [string, string | undefined])[] = [
    [IMAGE_LABELS.versionUid, metadata.uid],
    [IMAGE_LABELS.version, `${metadata.namespace}/${metadata.name}`],
    [IMAGE_LABELS.model, spec.modelName],
    [IMAGE_LABELS.createdBy, spec.createdBy],
    [IMAGE_LABELS.job, kind === undefined || job === undefined ? undefined : `${kind}/${job}`],
    [IMAGE_LABELS.jobUid, annotations[VERSION_ANNOTATIONS.jobUid]],
    [IMAGE_LABELS.pod, annotations[VERSION_ANNOTATIONS.pod]],
    [IMAGE_LABELS.node, annotations[VERSION_ANNOTATIONS.node]],
    [IMAGE_LABELS.trainingImage, annotations[VERSION_ANNOTATIONS.trainingImage]],
    [IMAGE_LABELS.startedAt, annotations[VERSION_ANNOTATIONS.startedAt]],
    [IMAGE_LABELS.completedAt, annotations[VERSION_ANNOTATIONS.completedAt]],
    [IMAGE_LABELS.created, annotations[VERSION_ANNOTATIONS.completedAt]],
  ];
  return labels.filter((label): label is readonly [string, string] => label[1] !== undefined);
}

/** Arguments that all tasks of ours in a build pod share; the volume's root is mounted at `/source`. */
export function imageArguments(request: BuildRequest, asked: readonly string[]): string[] {
  const { version, volume, imageRepo, imageTag, settings } = request;
  return [
    "--source=/source",
    `--directory=${volume.subPath ?? ""}`,
    `--image=${imageRepo}:${imageTag}`,
    `--version-uid=${version.metadata.uid ?? ""}`,
    `--credentials=${CREDENTIALS_MOUNT.mountPath}/config.json`,
    ...insecureArguments(asked, settings),
  ];
}

/** An argument that the kubelet leaves as it is: it reads `$$` as `$` and `$(NAME)` as a variable. */
export function literal(argument: string): string {
  return argument.replaceAll("$", "$$$$");
}
