import type { Rule } from "../../src/api/rules.ts";
import { NAMESPACE, type Manifest, type PolicyCase } from "./policy-case.ts";

export const LOCAL = { path: "/models/digits", nodeName: "node-1" };
export const NFS = { server: "nfs.test", path: "/digits" };
export const EFS = { volumeHandle: "fs-1::" };
export const CLAIM = { claimName: "models" };
export const TYPES = "allowed: localStorage, nfs, AWSEfs, persistentVolumeClaim";

const SPEC = {
  modelName: "digits",
  imageRepo: "registry.test/models/digits",
  storage: { persistentVolumeClaim: CLAIM },
};

/** A minimal valid ModelVersion with another spec or other metadata. */
export function versionManifest(spec: object = {}, metadata: object = {}): Manifest {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name: "digits-v1", namespace: NAMESPACE, ...metadata },
    spec: { ...SPEC, ...spec },
  };
}

/** A case of a ModelVersion with another spec. */
export type Row = readonly [
  rule: Rule,
  has: string,
  spec: object,
  fault?: string | undefined,
  bare?: string | null | undefined,
  more?: Partial<PolicyCase>,
];

export const stored = (storage: object): object => ({ storage });
export const local = (change: object): object => stored({ localStorage: { ...LOCAL, ...change } });
export const nfs = (change: object): object => stored({ nfs: { ...NFS, ...change } });
export const efs = (change: object): object => stored({ AWSEfs: { ...EFS, ...change } });
export const claim = (change: object): object =>
  stored({ persistentVolumeClaim: { ...CLAIM, ...change } });
export const resources = (change: object): object => ({ builder: { resources: change } });
export const tooLong = (length: number): string => `Too long: may not be more than ${length} bytes`;
