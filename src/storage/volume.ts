import type { PersistentVolume, PersistentVolumeClaim } from "../api/kube-types.ts";
import { MANAGED_BY } from "../api/annotations.ts";
import type { VolumeRequest } from "./provider.ts";

type AccessMode = "ReadWriteOnce" | "ReadWriteMany";

/** Quantity that Kubernetes wants on every volume. Directories have no size of their own, and only quotas look at it: hence small. */
const NOMINAL_CAPACITY = "1Gi";

/** A volume that only the claim of the same name can bind, and that nobody's data is deleted with. */
export function volumeFor(
  request: VolumeRequest,
  accessMode: AccessMode,
  source: Partial<NonNullable<PersistentVolume["spec"]>>,
): PersistentVolume {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: request.name, labels: { ...request.labels, [MANAGED_BY]: "modelhook" } },
    spec: {
      accessModes: [accessMode],
      capacity: { storage: NOMINAL_CAPACITY },
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace: request.namespace,
        name: request.name,
      },
      persistentVolumeReclaimPolicy: "Retain",
      // Empty here and on the claim: a default class would provision an empty disk instead.
      storageClassName: "",
      volumeMode: "Filesystem",
      ...source,
    },
  };
}

/** The claim that binds `volumeFor` the same request. */
export function claimFor(request: VolumeRequest, accessMode: AccessMode): PersistentVolumeClaim {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: request.name,
      namespace: request.namespace,
      labels: { ...request.labels, [MANAGED_BY]: "modelhook" },
    },
    spec: {
      accessModes: [accessMode],
      resources: { requests: { storage: NOMINAL_CAPACITY } },
      storageClassName: "",
      volumeMode: "Filesystem",
      volumeName: request.name,
    },
  };
}
