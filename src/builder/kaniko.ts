import { LABELS } from "../api/annotations.ts";
import { parseImageRef } from "../api/image-ref.ts";
import type { Job } from "../api/kube-types.ts";
import { buildJobName } from "../api/names.ts";
import { controlledBy } from "../api/owner-reference.ts";
import { buildPod } from "./build-pod.ts";
import type { Builder, BuildPlan, BuildRequest } from "./builder.ts";
import { readOutcome } from "./outcome.ts";
import { certificateAnnotations } from "./registry-certificates.ts";
import { plainHttpFault } from "./registry-policy.ts";

/** Builds with kaniko's executor: one Job per attempt, in the version's namespace, at level baseline. */
export const kanikoBuilder: Builder = { plan, outcome: readOutcome };

function plan(request: BuildRequest): BuildPlan {
  const { version, settings } = request;
  const baseImage = version.spec.builder?.baseImage ?? settings.baseImage;
  // Neither may break out of its line in the Dockerfile or its argument.
  if (parseImageRef(baseImage) === undefined) {
    const message = `spec.builder.baseImage: ${JSON.stringify(baseImage)} is not an image reference`;
    return { state: "refused", reason: "InvalidObject", message };
  }
  // kaniko unpacks it as root, beside the push credentials, and pods that serve run what it holds.
  const allowed = [settings.baseImage, ...settings.allowedBaseImages];
  if (!allowed.includes(baseImage)) {
    const message = `spec.builder.baseImage: ${JSON.stringify(baseImage)} is not allowed: the administrator allows ${allowed.join(", ")} (build.allowedBaseImages)`;
    return { state: "refused", reason: "InvalidObject", message };
  }
  for (const image of [request.imageRepo, baseImage]) {
    const message = plainHttpFault(image, settings.insecureRegistries);
    if (message !== undefined) return { state: "refused", reason: "PushDenied", message };
  }
  return { state: "ready", objects: [buildJob(request, baseImage)] };
}

function buildJob(request: BuildRequest, baseImage: string): Job {
  const { version, settings } = request;
  const { uid = "", namespace = "" } = version.metadata;
  const labels = { [LABELS.versionUid]: uid };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: buildJobName(uid, request.attempt),
      namespace,
      labels,
      ownerReferences: [controlledBy(version)],
    },
    spec: {
      // Attempts are counted in the version's status, where they survive the Job.
      backoffLimit: 0,
      activeDeadlineSeconds: settings.deadlineSeconds,
      template: {
        metadata: { labels, ...certificateAnnotations(settings) },
        spec: buildPod(request, baseImage),
      },
    },
  };
}
