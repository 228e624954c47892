import type { ModelVersion } from "../../src/api/modelversion.ts";
import type { ModelVersionObserved } from "../../src/reconcile/observed.ts";
import { NOW } from "./attempt.ts";
import { makeSettings } from "./build.ts";
import { frozen } from "./frozen.ts";
import { makeLimits } from "./limits.ts";

/** What is known of a version for which nothing was made yet. */
export function makeObservedVersion(version: ModelVersion): ModelVersionObserved {
  return frozen<ModelVersionObserved>(
    {
      now: NOW,
      version,
      settings: makeSettings(),
      limits: makeLimits(),
      jobs: [],
      pods: [],
      events: [],
      rivals: [],
    },
    () => {},
  );
}
