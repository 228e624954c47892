import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";

const CRD = join(import.meta.dirname, "../../deploy/crds/model.kubedl.io_modelversions.yaml");

/** What KubeDL lets be stored of a ModelVersion, besides its name. */
export interface StoredVersion {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

/** Stores ModelVersions under a definition without rules; each has a finalizer of somebody else. */
export async function storeWithoutSchema(
  plane: ControlPlane,
  namespace: string,
  versions: Readonly<Record<string, StoredVersion>>,
): Promise<void> {
  const definition = parse(await readFile(CRD, "utf8")) as {
    spec: { versions: { schema: object }[] };
  };
  for (const version of definition.spec.versions) {
    const free = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    version.schema = { openAPIV3Schema: free };
  }
  await plane.kubectl(["apply", "--filename", "-"], stringify(definition));
  await established(plane);
  for (const [name, { metadata, spec, status }] of Object.entries(versions)) {
    const object = {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelVersion",
      metadata: { name, namespace, finalizers: ["kubedl.io/old"], ...metadata },
      spec,
    };
    await plane.kubectl(["create", "--filename", "-"], JSON.stringify(object));
    if (status === undefined) continue;
    const flags = ["--namespace", namespace, "--subresource=status", "--type=merge"];
    const patch = ["patch", "modelversion", name, ...flags, "--patch", JSON.stringify({ status })];
    await plane.kubectl(patch);
  }
}

/** Waits until every definition is served, and kubectl knows it. */
export async function established(plane: ControlPlane): Promise<void> {
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
  // kubectl remembers for minutes which kinds there are.
  await plane.kubectl(["api-resources"]);
}
