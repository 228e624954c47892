import type { BuildSettings } from "../../src/builder/builder.ts";

/** An administrator's choices that allow everything. */
export function makeSettings(): BuildSettings {
  return {
    modelhookImage: "registry.example/modelhook:1",
    kanikoImage: "registry.example/kaniko:1",
    baseImage: "registry.example/busybox:1",
    insecureRegistries: [],
    deadlineSeconds: 3600,
    maxAttempts: 3,
  };
}
