import { makeLimits } from "./limits.ts";
import type { VolumeRequest } from "../../src/storage/provider.ts";

/** A volume `mh-1` for namespace team-a, which may use /models and below it, on the node with the hostname host-1. */
export function makeVolumeRequest(): VolumeRequest {
  return {
    name: "mh-1",
    namespace: "team-a",
    labels: { made: "for a test" },
    limits: makeLimits((each) => {
      each.localPrefixes = ["/models", "/models/team-a", "/scratch"];
    }),
    hostname: "host-1",
  };
}
