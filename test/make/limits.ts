import type { VersionLimits } from "../../src/admission/policy.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";

/** Limits of a namespace that may use /models of the nodes, every NFS server and file system, and one base image. */
export function makeLimits(tweak: Tweak<Draft<VersionLimits>> = () => {}): VersionLimits {
  return frozen<Draft<VersionLimits>>(
    {
      localPrefixes: ["/models"],
      nfsServers: ["*"],
      efsFileSystems: ["*"],
      efsAttributes: ["encryptInTransit"],
      registries: ["*"],
      engines: ["kaniko", "direct"],
      maxResources: {},
      baseImages: ["registry.example/busybox:1"],
    },
    tweak,
  );
}
