import type { BuildRequest, BuildSettings } from "../../src/builder/builder.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";
import { makeModelVersion } from "./modelversion.ts";

/** An administrator's choices that allow everything. */
export function makeSettings(): BuildSettings {
  return {
    modelhookImage: "registry.example/modelhook:1",
    kanikoImage: "registry.example/kaniko:1",
    engine: "kaniko",
    baseImage: "registry.example/busybox:1",
    allowedBaseImages: [],
    maxResources: {},
    ephemeralStorage: "1Gi",
    insecureRegistries: [],
    registryCertificates: "",
    imagePullSecrets: [],
    deadlineSeconds: 3600,
    maxAttempts: 3,
  };
}

/** The third attempt at the image of `makeModelVersion`. */
export function makeBuildRequest(tweak: Tweak<Draft<BuildRequest>> = () => {}): BuildRequest {
  const version = makeModelVersion((draft) => {
    draft.metadata.uid = "0123abcd-4567-89ef-0123-456789abcdef";
  });
  return frozen<Draft<BuildRequest>>(
    {
      version,
      imageRepo: version.spec.imageRepo,
      imageTag: "v1",
      attempt: 3,
      volume: { claimName: "models" },
      previous: undefined,
      nodeName: undefined,
      settings: makeSettings(),
    },
    tweak,
  );
}
