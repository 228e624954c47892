import type { ModelVersion } from "../../src/api/modelversion.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";

/** Digest of the image of `makeBuiltVersion`. */
export const DIGEST = `sha256:${"a".repeat(64)}`;

/** A ModelVersion that is valid, and of which nothing is built yet. */
export function makeModelVersion(tweak: Tweak<Draft<ModelVersion>> = () => {}): ModelVersion {
  return frozen<Draft<ModelVersion>>(
    {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelVersion",
      metadata: { name: "mnist-v1", namespace: "team-a" },
      spec: {
        modelName: "mnist",
        imageRepo: "registry.example/models/mnist",
        storage: { persistentVolumeClaim: { claimName: "models" } },
      },
    },
    tweak,
  );
}

/** A ModelVersion whose image is built. */
export function makeBuiltVersion(tweak: Tweak<Draft<ModelVersion>> = () => {}): ModelVersion {
  return makeModelVersion((version) => {
    version.status = {
      imageBuildPhase: "ImageBuildSucceeded",
      image: "registry.example/models/mnist:v1",
      digest: DIGEST,
      size: 100 * 2 ** 20,
    };
    tweak(version);
  });
}

/** The version under another name, made on that day of November 2026. */
export function namedVersion(
  name: string,
  day: number,
  version: ModelVersion = makeBuiltVersion(),
): ModelVersion {
  const creationTimestamp = `2026-11-${String(day).padStart(2, "0")}T00:00:00Z`;
  const metadata = { ...version.metadata, name, creationTimestamp, uid: `uid-${name}` };
  return frozen({ ...version, metadata }, () => {});
}

/** The version while somebody deletes it. */
export function leavingVersion(version: ModelVersion): ModelVersion {
  const metadata = { ...version.metadata, deletionTimestamp: "2026-11-23T00:00:00Z" };
  return frozen({ ...version, metadata }, () => {});
}

/** A ModelVersion whose build failed for good. */
export function makeFailedVersion(): ModelVersion {
  return makeModelVersion((version) => {
    version.status = { imageBuildPhase: "ImageBuildFailed", message: "the directory is empty" };
  });
}
