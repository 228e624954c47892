import { inCluster } from "./cluster.ts";
import { explainPod } from "./explanation.ts";
import { observePod } from "./observe-pod.ts";
import type { Terminal } from "./terminal.ts";

/** What `modelhook explain pod` is told. */
export interface ExplainOptions {
  readonly namespace?: string;
  readonly context?: string;
}

/** Prints why a live pod was, or was not, given a model; gives the exit code: 1 when there is no such pod, 2 when nothing can be read. */
export async function explain(
  name: string,
  options: ExplainOptions,
  { say, write }: Terminal,
): Promise<number> {
  const read = await inCluster(options.context, async ({ api, namespace: own }) => {
    const ref = { namespace: options.namespace ?? own, name };
    return { ref, observed: name === "" ? undefined : await observePod(api, ref, Date.now()) };
  });
  if (!read.ok) {
    say(`modelhook: ${read.message}`);
    return 2;
  }
  const { ref, observed } = read.value;
  if (observed === undefined) {
    say(`modelhook: pod ${ref.namespace}/${ref.name} does not exist`);
    return 1;
  }
  write(`${explainPod(observed).join("\n")}\n`);
  return 0;
}
