import {
  modelVersionSpecSchema,
  type ModelVersion,
  type ModelVersionSpec,
} from "./modelversion.ts";

/** The spec of a version as it may be stored: KubeDL's schema requires no part of it, and our rules hold for what is written after them. */
export function storedSpec(version: ModelVersion): Partial<ModelVersionSpec> {
  const spec: Partial<ModelVersionSpec> | undefined = version.spec;
  return spec ?? {};
}

/** The model that a version names; undefined when it names none, or one by a name that no label and no Model of ours can have. */
export function modelNameOf(version: ModelVersion): string | undefined {
  return modelVersionSpecSchema.shape.modelName.safeParse(storedSpec(version).modelName).data;
}
