import type { ApiServer } from "../kube/client.ts";
import { inCluster } from "./cluster.ts";
import type { Terminal } from "./terminal.ts";
import { applyStep } from "./uninstall-apply.ts";
import { servedNamespace } from "./uninstall-installation.ts";
import { observeUninstall } from "./uninstall-observe.ts";
import { planUninstall, type Step } from "./uninstall-plan.ts";
import { closingLines, leftLines, lostLines, refusalLines, stepText } from "./uninstall-text.ts";

/** What `modelhook uninstall` is told. */
export interface UninstallOptions {
  /** Of the installation. */
  readonly namespace: string;
  readonly context?: string;
  readonly dryRun?: boolean;
  /** Lets jobs go whose models are not exported yet. */
  readonly force?: boolean;
}

/** Removes what waits for modelhook; gives the exit code: 1 when something is left or was refused, 2 when the cluster does not tell. */
export async function uninstall(options: UninstallOptions, terminal: Terminal): Promise<number> {
  if (options.namespace === "") {
    terminal.say("modelhook: --namespace is empty");
    return 2;
  }
  const done = await inCluster(options.context, async ({ api }) => run(api, options, terminal));
  if (done.ok) return done.value;
  terminal.say(`modelhook: ${done.message}`);
  return 2;
}

async function run(
  api: ApiServer,
  { namespace, context, dryRun = false, force = false }: UninstallOptions,
  { write, say }: Terminal,
): Promise<number> {
  const observed = await observeUninstall(api, namespace);
  const served = servedNamespace(observed.configurations);
  if (served !== undefined && served !== namespace) {
    say(`modelhook: it is installed in namespace ${served}, not in ${namespace}: use -n ${served}`);
    return 2;
  }
  const plan = planUninstall(observed);
  const refusal = force ? [] : refusalLines(plan, observed.unread);
  if (refusal.length > 0) {
    refusal.forEach(say);
    return 1;
  }
  const print = (lines: readonly string[]): void => {
    if (lines.length > 0) write(`${lines.join("\n")}\n`);
  };
  if (dryRun) {
    const steps = [...plan.stopping, ...plan.clearing].map((step) => stepText(step, true));
    const left = leftLines({ ...plan, stopping: [], clearing: [] }, observed.unread);
    left.forEach(say);
    print([
      ...lostLines(plan),
      ...steps,
      ...closingLines(left.length > 0, "would be done", context),
    ]);
    return left.length > 0 ? 1 : 0;
  }

  const applyAll = async (steps: readonly Step[]): Promise<boolean> => {
    let isDone = true;
    for (const step of steps) {
      const { done, faults } = await applyStep(api, step);
      if (done !== undefined) print([stepText(done, false)]);
      faults.forEach((fault) => say(`modelhook: ${fault}`));
      isDone &&= faults.length === 0;
      // What runs makes anew what is removed.
      if (!isDone && step.type === "stop") break;
    }
    return isDone;
  };
  if (!(await applyAll(plan.stopping))) return 1;
  // Jobs may have ended, and others begun, until it was stopped.
  const { clearing, lost } = planUninstall(await observeUninstall(api, namespace));
  print(lostLines({ lost }));
  await applyAll(clearing);
  const after = await observeUninstall(api, namespace);
  const left = leftLines(planUninstall(after), after.unread);
  left.forEach(say);
  const wasDone = plan.stopping.length + clearing.length > 0;
  print(closingLines(left.length > 0, wasDone ? "done" : "nothing to do", context));
  return left.length > 0 ? 1 : 0;
}
