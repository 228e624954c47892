import { notAllowed, registryNotAllowed } from "../api/allow-list.ts";
import { repositoryOf } from "../api/image-ref.ts";
import type { Engine } from "../api/modelversion.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { imageOf, type ModelVersionObserved } from "./observed.ts";

/** What builds a version that names no engine. */
const DEFAULT_ENGINE: Engine = "kaniko";

/**
 * Why the administrator lets a version not be built that could be; each fault with its field. The webhook refuses such a version,
 * but it may have been away, KubeDL may have been there, and limits are tightened after versions were stored. What the storage and
 * the base image may be is asked where they are prepared; more resources than are allowed are lowered.
 */
export function limitFaults({ version, limits }: ModelVersionObserved): readonly string[] {
  const { imageRepo, builder } = storedSpec(version);
  // The image of a build that has begun once stands in the status, and that is what is pushed.
  const repo = repositoryOf(imageOf(version) ?? "");
  const engine = builder?.engine ?? DEFAULT_ENGINE;
  return [
    ...registryNotAllowed(
      repo,
      limits.registries,
      repo === imageRepo ? "spec.imageRepo" : "status.image",
    ),
    ...notAllowed(engine, limits.engines, "spec.builder.engine", {
      rule: "EngineAllowed",
      setting: "build.allowedEngines",
    }),
  ].map(({ field, message }) => `${field}: ${message}`);
}
