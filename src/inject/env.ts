/** Variables that tell a program about its model. */
export const ENV = {
  /** Directory of the model, to read or to write. */
  modelPath: "KUBEDL_MODEL_PATH",
  /** In exporting pods: `true` where what the pod writes becomes the model. */
  modelWriter: "KUBEDL_MODEL_WRITER",
} as const;
