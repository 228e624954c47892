import { parseImageRef } from "../api/image-ref.ts";
import type { BuildPlan, BuildRequest } from "./builder.ts";

/** The image below a model, or why a build does not take it. */
export type BaseChoice =
  | { readonly state: "chosen"; readonly image: string }
  | Extract<BuildPlan, { readonly state: "refused" }>;

/** The image that the version names, else the administrator's; only such as the administrator lists. */
export function chooseBase({ version, settings }: BuildRequest): BaseChoice {
  const image = version.spec.builder?.baseImage ?? settings.baseImage;
  // It may not break out of its line in the Dockerfile or its argument.
  if (parseImageRef(image) === undefined) {
    const message = `spec.builder.baseImage: ${JSON.stringify(image)} is not an image reference`;
    return { state: "refused", reason: "InvalidObject", message };
  }
  // Whatever it triggers (ONBUILD) kaniko would run as root, and all that it holds lies below models.
  const allowed = [settings.baseImage, ...settings.allowedBaseImages];
  if (allowed.includes(image)) return { state: "chosen", image };
  const message = `spec.builder.baseImage: ${JSON.stringify(image)} is not allowed: the administrator allows ${allowed.join(", ")} (build.allowedBaseImages)`;
  return { state: "refused", reason: "InvalidObject", message };
}
