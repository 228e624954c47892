import { chooseBase } from "./base-image.ts";
import { buildJob } from "./build-job.ts";
import { buildPod } from "./build-pod.ts";
import type { Builder, BuildPlan, BuildRequest } from "./builder.ts";
import { readOutcome } from "./outcome.ts";
import { plainHttpFault } from "./registry-policy.ts";

/** Builds with kaniko's executor: one Job per attempt, in the version's namespace, at level baseline. */
export const kanikoBuilder: Builder = { plan, outcome: readOutcome };

function plan(request: BuildRequest): BuildPlan {
  const { settings } = request;
  const base = chooseBase(request);
  if (base.state === "refused") return base;
  for (const image of [request.imageRepo, base.image]) {
    const message = plainHttpFault(image, settings.insecureRegistries);
    if (message !== undefined) return { state: "refused", reason: "PushDenied", message };
  }
  return { state: "ready", objects: [buildJob(request, buildPod(request, base.image))] };
}
