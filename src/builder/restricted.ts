import type { Container, PodSpec } from "../api/kube-types.ts";

/** User of our own image; numbers, so that the kubelet sees that it is not root. */
const USER = 65_532;

/** Security context of pods of ours that pass the level restricted (Pod Security Standards). */
export const RESTRICTED_POD: NonNullable<PodSpec["securityContext"]> = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  seccompProfile: { type: "RuntimeDefault" },
};

/** The same for their containers. */
export const RESTRICTED_CONTAINER: NonNullable<Container["securityContext"]> = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};
