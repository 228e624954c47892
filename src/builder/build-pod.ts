import type { Container, PodSpec, Volume } from "../api/kube-types.ts";
import { buildResources, kanikoNeeds } from "./build-resources.ts";
import { podOfBuild } from "./build-job.ts";
import type { BuildRequest } from "./builder.ts";
import { BUILD_CONTAINERS } from "./containers.ts";
import { imageArguments, imageLabels, literal } from "./image-arguments.ts";
import { CREDENTIALS_MOUNT, credentialsVolume } from "./registry-access.ts";
import { certificateVolumes, trustingContainer, trustingKaniko } from "./registry-certificates.ts";
import { registryOf } from "./registry-policy.ts";

/** Where our two containers leave what they tell each other. */
const BUILD_ARGUMENT = "--build=/build";

/**
 * The pod of one attempt. `source` looks at the model and stages what kaniko can not take as it is, `kaniko` builds and
 * pushes, `verify` compares the pushed image with the model. Two of the three are init containers, so that each starts only
 * when the one before it has succeeded, and each answers by its own termination message.
 *
 * | container | /source | /workspace/source | /workspace/staged | /build |
 * | --- | --- | --- | --- | --- |
 * | source | root of the claim | | written | written: Dockerfile, empty Dockerfile.dockerignore, what was seen |
 * | kaniko | | the model | read | read |
 * | verify | root of the claim | | | read |
 */
export function buildPod(request: BuildRequest, baseImage: string): PodSpec {
  return {
    ...podOfBuild(request),
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
    initContainers: [sourceContainer(request, baseImage), kanikoContainer(request, baseImage)],
    containers: [verifyContainer(request)],
    volumes: volumes(request),
  };
}

function sourceContainer(request: BuildRequest, baseImage: string): Container {
  const secret = request.version.spec.builder?.pushSecret?.name;
  return {
    ...ourContainer(BUILD_CONTAINERS.source, request, [
      "stage-source",
      ...imageArguments(request, [request.imageRepo, baseImage]),
      BUILD_ARGUMENT,
      "--staged=/workspace/staged",
      `--base-image=${baseImage}`,
      ...(secret === undefined ? [] : [`--credentials-secret=${secret}`]),
    ]),
    ...trustingContainer(request.settings, [
      { name: "model", mountPath: "/source", readOnly: true },
      { name: "staged", mountPath: "/workspace/staged" },
      { name: "build", mountPath: "/build" },
      CREDENTIALS_MOUNT,
    ]),
  };
}

function kanikoContainer(request: BuildRequest, baseImage: string): Container {
  const { volume, settings, imageRepo } = request;
  const trusting = trustingKaniko([imageRepo, baseImage], settings);
  return {
    name: BUILD_CONTAINERS.kaniko,
    image: settings.kanikoImage,
    args: [...kanikoArguments(request, baseImage), ...trusting.args].map(literal),
    env: [{ name: "DOCKER_CONFIG", value: "/kaniko/.docker" }],
    resources: buildResources(request, kanikoNeeds(settings)),
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: {
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      // To unpack the base image's files with their owners and modes.
      capabilities: { drop: ["ALL"], add: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"] },
    },
    volumeMounts: [
      {
        // The kubelet would make a missing subPath, but `source` has seen it by now.
        name: "model",
        mountPath: "/workspace/source",
        readOnly: true,
        ...(volume.subPath === undefined ? {} : { subPath: volume.subPath }),
      },
      { name: "staged", mountPath: "/workspace/staged", readOnly: true },
      { name: "build", mountPath: "/build", readOnly: true },
      { name: "credentials", mountPath: "/kaniko/.docker", readOnly: true },
      ...trusting.volumeMounts,
    ],
  };
}

function kanikoArguments(request: BuildRequest, baseImage: string): string[] {
  const { imageRepo, imageTag, settings } = request;
  const hosts = new Set([registryOf(imageRepo), registryOf(baseImage)]);
  const insecure = settings.insecureRegistries.filter((host) => hosts.has(host));
  return [
    "--context=dir:///workspace",
    "--dockerfile=/build/Dockerfile",
    `--destination=${imageRepo}:${imageTag}`,
    // One layer, though the model is copied in two steps.
    "--single-snapshot",
    "--snapshot-mode=redo",
    // Otherwise the whole model is held in memory.
    "--compressed-caching=false",
    "--push-retry=3",
    "--image-download-retry=3",
    "--skip-unused-stages",
    "--log-format=text",
    ...imageLabels(request).map(([key, value]) => `--label=${key}=${value}`),
    ...insecure.flatMap((host) => [
      `--insecure-registry=${host}`,
      `--skip-tls-verify-registry=${host}`,
    ]),
  ];
}

function verifyContainer(request: BuildRequest): Container {
  return {
    ...ourContainer(BUILD_CONTAINERS.verify, request, [
      "verify-image",
      ...imageArguments(request, [request.imageRepo]),
      BUILD_ARGUMENT,
    ]),
    ...trustingContainer(request.settings, [
      { name: "model", mountPath: "/source", readOnly: true },
      { name: "build", mountPath: "/build", readOnly: true },
      CREDENTIALS_MOUNT,
    ]),
  };
}

function ourContainer(name: string, request: BuildRequest, args: string[]): Container {
  return {
    name,
    image: request.settings.modelhookImage,
    args: args.map(literal),
    resources: buildResources(request),
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: {
      // Training may leave files that only their owner can read; the model itself is mounted read-only.
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: ["DAC_OVERRIDE"] },
    },
  };
}

function volumes({ version, volume, settings }: BuildRequest): Volume[] {
  return [
    { name: "model", persistentVolumeClaim: { claimName: volume.claimName, readOnly: true } },
    { name: "staged", emptyDir: {} },
    { name: "build", emptyDir: { sizeLimit: "1Mi" } },
    credentialsVolume(version.spec.builder?.pushSecret?.name),
    ...certificateVolumes(settings),
  ];
}
