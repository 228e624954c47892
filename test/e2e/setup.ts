import type { TestProject } from "vitest/node";
import { installLocally } from "../../deploy/local-installation.ts";
import { down } from "../../deploy/local/local-cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Name and network of the cluster that the tests share. */
    cluster: { readonly name: string; readonly network: string };
    /** Images in its registry. */
    images: { readonly busybox: string; readonly kaniko: string; readonly modelhook: string };
  }
}

/**
 * Not the demo's name and network, so that a demo that was kept does not stand in the way. Two runs at the same time need
 * two of each.
 */
const CLUSTER = {
  name: process.env["MODELHOOK_E2E_CLUSTER"] ?? "tests",
  network: process.env["MODELHOOK_E2E_NETWORK"] ?? "10.99.98",
};

/** One cluster with the product for all end-to-end tests; without root it fails, and says what is missing. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const installation = await installLocally({ ...CLUSTER, log });
  project.provide("cluster", CLUSTER);
  project.provide("images", installation.images);
  return async () => down({ name: CLUSTER.name, log });
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
