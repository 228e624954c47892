/** A ModelVersion of the model whose data lies on a node; its image is `registry.test/<name>`. */
export function versionOf(modelName: string, name: string, metadata: object = {}) {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name, ...metadata },
    spec: {
      modelName,
      imageRepo: `registry.test/${name}`,
      imageTag: "v1",
      storage: { localStorage: { path: `/models/${name}`, nodeName: "node-1" } },
    },
  };
}

/** A Model. */
export function modelOf(name: string, spec: object, metadata: object = {}) {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "Model",
    metadata: { name, ...metadata },
    spec,
  };
}

/** A pod that serves a version. */
export function servingPod(name: string, modelVersion: string, metadata: object = {}) {
  const annotations = { "model.kubedl.io/model-version": modelVersion };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, ...metadata, annotations },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  };
}
