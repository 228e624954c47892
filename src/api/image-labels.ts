import { LABELS } from "./annotations.ts";

/** Labels in the configuration of the images that builds push. */
export const IMAGE_LABELS = {
  /** UID of the ModelVersion: whose image it is, so that an attempt finds what an earlier one pushed. */
  versionUid: LABELS.versionUid,
  /** Fingerprint of the directory from which it was built; the same as the directory's only while nothing in it changes. */
  source: "model.kubedl.io/source",
  /** `namespace/name` of the ModelVersion. */
  version: "model.kubedl.io/modelversion",
  model: "model.kubedl.io/model-name",
  createdBy: "model.kubedl.io/created-by",
  /** `Kind/name` of the job that trained the model. */
  job: "model.kubedl.io/job",
  jobUid: "model.kubedl.io/job-uid",
} as const;
