import type { KubeObject, Node } from "../api/kube-types.ts";
import { modelSpecSchema, modelStatusSchema } from "../api/model.ts";
import { modelBindingSpecSchema } from "../api/modelbinding.ts";
import { modelVersionSpecSchema, modelVersionStatusSchema } from "../api/modelversion.ts";
import { schemaFaults } from "../api/schema-faults.ts";
import { placeOf, type SourceFile } from "./injected-files.ts";
import { listOf } from "./world.ts";

/** Versions that KubeDL left behind may lack any part of a spec, and serve pods all the same. */
const storedVersionSpec = modelVersionSpecSchema.partial();

/** The faults of a file's objects that decisions look at, a line each. */
export function knownFaultLines({ name, documents }: SourceFile): readonly string[] {
  return documents.flatMap((document) =>
    document.objects.flatMap((found) =>
      knownFaults(found.object).map((fault) => `${placeOf(name, document, found)}: ${fault}`),
    ),
  );
}

/** What no API server would have stored of an object that decisions look at; empty for all others. */
function knownFaults(object: KubeObject): readonly string[] {
  const list = listOf(object);
  if (list === undefined) return [];
  const { metadata } = object;
  if (typeof metadata?.name !== "string" || metadata.name === "")
    return ["metadata.name: is required"];
  const { spec, status } = object as { readonly spec?: unknown; readonly status?: unknown };
  switch (list) {
    case "versions":
      return [
        ...faultsOf(storedVersionSpec, spec ?? {}, "spec"),
        ...faultsOf(modelVersionStatusSchema, status ?? {}, "status"),
      ];
    case "models":
      return [
        ...faultsOf(modelSpecSchema, spec ?? {}, "spec"),
        ...faultsOf(modelStatusSchema, status ?? {}, "status"),
      ];
    case "bindings":
      return faultsOf(modelBindingSpecSchema, spec, "spec");
    case "nodes":
      return taintFaults(object);
    case "namespaces":
      return [];
  }
}

function faultsOf(
  schema: Parameters<typeof schemaFaults>[0],
  value: unknown,
  path: string,
): readonly string[] {
  return schemaFaults(schema, value).map(
    ({ field, message }) => `${path}${field === "" ? "" : `.${field}`}: ${message}`,
  );
}

function taintFaults({ spec }: Node): readonly string[] {
  const taints: unknown = spec?.taints ?? [];
  const areTaints =
    Array.isArray(taints) &&
    taints.every((taint: unknown) => typeof (taint as { key?: unknown } | null)?.key === "string");
  return areTaints ? [] : ["spec.taints: must be a list of objects with a key"];
}
