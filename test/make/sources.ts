import type { Limits } from "../../src/admission/limits.ts";
import { createAdmissionStores } from "../../src/gather/admission-stores.ts";
import type { Sources } from "../../src/gather/exporting.ts";
import { createStores } from "../../src/gather/stores.ts";
import { JOB_KINDS } from "../../src/jobs/kinds.ts";
import { makeSettings } from "./build.ts";
import { makePagedServer } from "./paged-server.ts";
import { makePolicy } from "./snapshot.ts";

/** Where a pass of the leader reads: empty stores, an API server that has nothing, and the limits of `makePolicy`. */
export function makeSources(parts: Partial<Sources> = {}): Sources {
  const limits: Limits = {
    policy: makePolicy(),
    build: {
      ...makeSettings(),
      allowedBaseImages: [],
      allowedRegistries: { "*": ["*"] },
      engine: "kaniko",
      allowedEngines: ["kaniko", "direct"],
      insecureRegistries: [],
      imagePullSecrets: [],
      maxResources: {},
    },
    certificateDirectory: undefined,
  };
  return {
    api: makePagedServer([]),
    stores: createStores(createAdmissionStores(), JOB_KINDS),
    limits: () => limits,
    now: () => 0,
    ...parts,
  };
}
