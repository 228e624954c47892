import type { Policy } from "../../src/admission/policy.ts";
import type { Snapshot } from "../../src/admission/snapshot.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { JOB_KINDS } from "../../src/jobs/kinds.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";
import { makeHeldJob } from "./job.ts";

/** Policy of an installation in namespace modelhook-system that lets every namespace use /models of its nodes. */
export function makePolicy(tweak: Tweak<Draft<Policy>> = () => {}): Policy {
  return frozen<Draft<Policy>>(
    {
      systemNamespace: "modelhook-system",
      controllerUser: "system:serviceaccount:modelhook-system:modelhook",
      localPrefixes: { "*": ["/models"] },
      nfsServers: ["*"],
      efsFileSystems: ["*"],
      efsAttributes: ["encryptInTransit"],
      registries: { "*": ["*"] },
      engines: ["kaniko", "direct"],
      maxResources: {},
      baseImages: ["registry.example/busybox:1"],
      jobKinds: JOB_KINDS,
      loaderResources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "256Mi" } },
    },
    tweak,
  );
}

/** What decisions see of a cluster that holds these versions, and the Job that the pod of `makeTrainingPod` belongs to. */
export function makeSnapshot(
  versions: readonly ModelVersion[] = [],
  tweak: Tweak<Draft<Snapshot>> = () => {},
): Snapshot {
  const named = versions.map((version) => [version.metadata.name ?? "", version] as const);
  return frozen<Draft<Snapshot>>(
    {
      now: 1_700_000_000_000,
      policy: makePolicy(),
      standby: false,
      versions: Object.fromEntries(named),
      versionNames: named.map(([name]) => name),
      imageRivals: [],
      models: {},
      modelNames: [],
      bindings: [],
      injectionEnabled: false,
      owners: [makeHeldJob()],
      siblings: [],
      nodes: [],
      missing: {},
    },
    tweak,
  );
}
