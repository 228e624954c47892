import { join } from "node:path";
import { run } from "./command.ts";

/** A kubectl bound to one cluster. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** Makes a kubectl that knows only this kubeconfig and keeps its cache in `directory`: nothing of the user's is read or written. */
export function makeKubectl(program: string, kubeconfig: string, directory: string): Kubectl {
  const fixed = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(directory, "kubectl-cache")}`];
  return async (args, input) =>
    run(program, [...fixed, ...args], {
      ...(input === undefined ? {} : { input }),
      env: { KUBECONFIG: kubeconfig, KUBERC: "off" },
    });
}
