import { LABELS, VERSION_ANNOTATIONS } from "./annotations.ts";

/**
 * Labels of the images that builds push: `config.Labels` of the OCI image configuration (config.md), a map of texts under keys
 * that the rules for annotations hold for (annotations.md). All but `source` and `engine` are the same for every attempt at a version.
 */
export const IMAGE_LABELS = {
  /** UID of the ModelVersion: whose image it is, so that an attempt finds what an earlier one pushed. */
  versionUid: LABELS.versionUid,
  /** Fingerprint of the directory from which it was built; the same as the directory's only while nothing in it changes. */
  source: "model.kubedl.io/source",
  /** `direct` for an image of that engine, which is whole since its tag moved last; absent for kaniko's. */
  engine: "model.kubedl.io/engine",
  /** `namespace/name` of the ModelVersion. */
  version: "model.kubedl.io/modelversion",
  model: "model.kubedl.io/model-name",
  createdBy: "model.kubedl.io/created-by",
  /** `Kind/name` of the job that trained the model. */
  job: "model.kubedl.io/job",
  jobUid: VERSION_ANNOTATIONS.jobUid,
  /** The pod that wrote the model, and the node on which it did. */
  pod: VERSION_ANNOTATIONS.pod,
  node: VERSION_ANNOTATIONS.node,
  /** Image of that pod's first container, as the job names it. */
  trainingImage: VERSION_ANNOTATIONS.trainingImage,
  /** When the job started and succeeded, RFC 3339. */
  startedAt: VERSION_ANNOTATIONS.startedAt,
  completedAt: VERSION_ANNOTATIONS.completedAt,
  /**
   * RFC 3339 as well, a key that the OCI image specification reserves (annotations.md) and other tools show. It is the time at
   * which the model was complete, and absent where that is not known: the time of the build differs from attempt to attempt.
   */
  created: "org.opencontainers.image.created",
} as const;
