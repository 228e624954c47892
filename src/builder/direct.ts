import type { Container, PodSpec } from "../api/kube-types.ts";
import { chooseBase } from "./base-image.ts";
import { buildJob, podOfBuild } from "./build-job.ts";
import { buildResources } from "./build-resources.ts";
import type { Builder, BuildPlan, BuildRequest } from "./builder.ts";
import { DIRECT_CONTAINER } from "./containers.ts";
import { imageArguments, imageLabels, literal } from "./image-arguments.ts";
import { readOutcome } from "./outcome.ts";
import { CREDENTIALS_MOUNT, credentialsVolume } from "./registry-access.ts";
import { certificateVolumes, trustingContainer } from "./registry-certificates.ts";
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from "./restricted.ts";

/** Builds with our own image, which streams the model to the registry: one Job per attempt, at level restricted. */
export const directBuilder: Builder = { plan, outcome: readOutcome };

function plan(request: BuildRequest): BuildPlan {
  const base = chooseBase(request);
  if (base.state === "refused") return base;
  return { state: "ready", objects: [buildJob(request, directPod(request, base.image))] };
}

function directPod(request: BuildRequest, baseImage: string): PodSpec {
  const { version, volume, settings } = request;
  return {
    ...podOfBuild(request),
    securityContext: RESTRICTED_POD,
    containers: [buildContainer(request, baseImage)],
    volumes: [
      { name: "model", persistentVolumeClaim: { claimName: volume.claimName, readOnly: true } },
      credentialsVolume(version.spec.builder?.pushSecret?.name),
      ...certificateVolumes(settings),
    ],
  };
}

function buildContainer(request: BuildRequest, baseImage: string): Container {
  const { version, previous, attempt, settings } = request;
  const secret = version.spec.builder?.pushSecret?.name;
  const args = [
    "build-image",
    ...imageArguments(request, [request.imageRepo, baseImage]),
    `--base-image=${baseImage}`,
    ...imageLabels(request).map(([key, value]) => `--label=${key}=${value}`),
    ...(previous === undefined ? [] : [`--previous=${previous}`]),
    ...(attempt > 1 ? ["--again"] : []),
    ...(secret === undefined ? [] : [`--credentials-secret=${secret}`]),
  ];
  return {
    name: DIRECT_CONTAINER,
    image: settings.modelhookImage,
    args: args.map(literal),
    resources: buildResources(request),
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: RESTRICTED_CONTAINER,
    ...trustingContainer(settings, [
      { name: "model", mountPath: "/source", readOnly: true },
      CREDENTIALS_MOUNT,
    ]),
  };
}
