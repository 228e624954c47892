import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildPrograms } from "./build.ts";
import { isProgramMissing, run } from "./command.ts";
import { stateDirectory } from "./place.ts";

/**
 * Prepares the use of a cluster that the user has: gives the path of a new kubeconfig with that context alone.
 * The user's own kubeconfig, current context included, is only read.
 */
export async function useContext(context: string, log: (line: string) => void): Promise<string> {
  const kubectl = await findKubectl(log);
  const config = await run(kubectl, [
    "config",
    "view",
    "--raw",
    "--flatten",
    "--minify",
    `--context=${context}`,
  ]).catch((error: unknown) => {
    throw new Error(`your kubeconfig has no usable context ${context}`, { cause: error });
  });
  const path = contextKubeconfig(context);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, config, { mode: 0o600 });
  await run(kubectl, [`--kubeconfig=${path}`, "--request-timeout=10s", "get", "--raw", "/readyz"]);
  return path;
}

/** Forgets that context: removes the kubeconfig that `useContext` wrote. */
export async function forgetContext(context: string): Promise<void> {
  await rm(contextKubeconfig(context), { force: true });
}

/** Where `useContext` writes. */
export function contextKubeconfig(context: string): string {
  return join(stateDirectory(), "contexts", `${encodeURIComponent(context)}.kubeconfig`);
}

async function findKubectl(log: (line: string) => void): Promise<string> {
  try {
    await run("kubectl", ["version", "--client"]);
    return "kubectl";
  } catch (error) {
    if (!isProgramMissing(error)) throw error;
    return (await buildPrograms(["kubectl"], { log })).kubectl;
  }
}
