import { notAllowed, registryNotAllowed } from "../api/allow-list.ts";
import { repositoryOf } from "../api/image-ref.ts";
import type { Engine } from "../api/modelversion.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { imageOf, type ModelVersionObserved } from "./observed.ts";

/** The engine that builds a version: the one that it names, else the administrator's choice. */
export function engineOf({ version, settings }: ModelVersionObserved): Engine {
  return storedSpec(version).builder?.engine ?? settings.engine;
}

/**
 * Why the administrator lets a version not be built that could be; each fault with its field. The webhook refuses such a version,
 * but it may have been away, KubeDL may have been there, and limits are tightened after versions were stored. What the storage and
 * the base image may be is asked where they are prepared; more resources than are allowed are lowered.
 */
export function limitFaults(observed: ModelVersionObserved): readonly string[] {
  const { version, limits } = observed;
  const { imageRepo } = storedSpec(version);
  // The image of a build that has begun once stands in the status, and that is what is pushed.
  const repo = repositoryOf(imageOf(version) ?? "");
  return [
    ...registryNotAllowed(
      repo,
      limits.registries,
      repo === imageRepo ? "spec.imageRepo" : "status.image",
    ),
    ...notAllowed(engineOf(observed), limits.engines, "spec.builder.engine", {
      rule: "EngineAllowed",
      setting: "build.allowedEngines",
    }),
  ].map(({ field, message }) => `${field}: ${message}`);
}
