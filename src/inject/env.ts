/** Variables that tell a program about its model. */
export const ENV = {
  /** Directory of the model, to read or to write. */
  modelPath: "KUBEDL_MODEL_PATH",
  /** In pods with several models: the directories of all, first the first, with colons between them. */
  modelPaths: "KUBEDL_MODEL_PATHS",
  /** In exporting pods: `true` where what the pod writes becomes the model. */
  modelWriter: "KUBEDL_MODEL_WRITER",
} as const;
