/** The one file that re-exports types, and only types, of the Kubernetes client: plain JSON shapes, dates as RFC 3339 strings. */
import type {
  V1ConfigMap,
  V1Container,
  V1CustomResourceDefinition,
  V1Deployment,
  V1EnvVar,
  V1Job,
  V1Node,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1ObjectMeta,
  V1OwnerReference,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodSpec,
  V1ResourceRequirements,
  V1Taint,
  V1Toleration,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";

/** The client's classes hold `Date`; on the wire, and here, every time is an RFC 3339 string. */
type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? { [Key in keyof T]: Json<T[Key]> }
      : T;

export type ObjectMeta = Json<V1ObjectMeta>;
export type OwnerReference = Json<V1OwnerReference>;
export type Pod = Json<V1Pod>;
export type PodSpec = Json<V1PodSpec>;
export type Container = Json<V1Container>;
export type EnvVar = Json<V1EnvVar>;
export type Volume = Json<V1Volume>;
export type VolumeMount = Json<V1VolumeMount>;
export type ResourceRequirements = Json<V1ResourceRequirements>;
export type Node = Json<V1Node>;
export type NodeSelectorTerm = Json<V1NodeSelectorTerm>;
export type NodeSelectorRequirement = Json<V1NodeSelectorRequirement>;
export type Taint = Json<V1Taint>;
export type Toleration = Json<V1Toleration>;
export type Job = Json<V1Job>;
export type Deployment = Json<V1Deployment>;
export type ConfigMap = Json<V1ConfigMap>;
export type CustomResourceDefinition = Json<V1CustomResourceDefinition>;
export type PersistentVolume = Json<V1PersistentVolume>;
export type PersistentVolumeClaim = Json<V1PersistentVolumeClaim>;

/** Any object of the API: its type, its metadata, and what else it holds. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
}
