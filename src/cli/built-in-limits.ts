import type { Policy } from "../admission/policy.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";

/** Where modelhook runs, unless an administrator changed deploy/install.yaml. */
export const SYSTEM_NAMESPACE = "modelhook-system";

/**
 * The limits where an administrator sets none, as deploy/install.yaml has them; written out, since reading them costs a tenth of the
 * time that an injection takes.
 */
export const BUILT_IN_POLICY: Policy = {
  systemNamespace: SYSTEM_NAMESPACE,
  controllerUser: `system:serviceaccount:${SYSTEM_NAMESPACE}:modelhook`,
  localPrefixes: {},
  nfsServers: [],
  efsFileSystems: [],
  efsAttributes: ["encryptInTransit"],
  registries: { "*": ["*"] },
  engines: ["kaniko", "direct"],
  baseImages: ["modelhook.example/busybox"],
  maxResources: {},
  jobKinds: JOB_KINDS,
  loaderResources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "256Mi" } },
};
