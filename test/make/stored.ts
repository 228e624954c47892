import type { ModelVersion } from "../../src/api/modelversion.ts";
import { makeModelVersion } from "./modelversion.ts";

/** A ModelVersion as KubeDL's schema lets it be stored: with any spec, or none. */
export function makeStoredVersion(spec: object | undefined, status?: object): ModelVersion {
  return makeModelVersion((version) => {
    version.metadata.uid = "0123abcd-4567-89ef-0123-456789abcdef";
    version.metadata.resourceVersion = "7";
    version.metadata.generation = 1;
    version.metadata.labels = { "model.kubedl.io/model-name": "mnist" };
    Object.assign(version, { spec }, status === undefined ? {} : { status });
  });
}
