import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { installLocally } from "../../deploy/local-installation.ts";
import { run } from "../../deploy/local/command.ts";
import { down, type LocalCluster } from "../../deploy/local/local-cluster.ts";
import { placeOf } from "../../deploy/local/place.ts";
import { CLOSED_PORT, MISSING_BASE, READ_ONLY_PORT } from "./faults/other-registries.ts";

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
  const [closed, readOnly] = [CLOSED_PORT, READ_ONLY_PORT].map(
    (port) => `${CLUSTER.network}.2:${port}`,
  );
  const installation = await installLocally({
    ...CLUSTER,
    log,
    insecureRegistries: [closed ?? "", readOnly ?? ""],
    allowedBaseImages: [`${CLUSTER.network}.2:5000/${MISSING_BASE}`],
  });
  project.provide("cluster", CLUSTER);
  project.provide("images", installation.images);
  return async () => {
    await forgetModels(installation.cluster);
    await down({ name: CLUSTER.name, log });
  };
}

/** Removes the models that the tests pushed; what is in the registry outlives the cluster. */
async function forgetModels(cluster: LocalCluster): Promise<void> {
  const place = placeOf(CLUSTER.name, CLUSTER.network);
  await cluster.stop("registry");
  for (const models of ["faults", "models"]) {
    const directory = join(place.registryData, "docker/registry/v2/repositories", models);
    await rm(directory, { recursive: true, force: true });
  }
  const collect = ["garbage-collect", "--quiet", "--delete-untagged"];
  await run(cluster.bin("registry"), [...collect, join(place.run, "registry.json")]);
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
