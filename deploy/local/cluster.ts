import { Command } from "commander";
import { contextKubeconfig, forgetContext, useContext } from "./context.ts";
import { type ClusterStatus, down, status, up } from "./local-cluster.ts";
import { onInterrupt } from "./interrupt.ts";

interface Chosen {
  readonly name: string;
  readonly context?: string;
}

interface UpChosen extends Chosen {
  readonly network?: string;
  readonly hostPath?: string[];
}

const program = new Command("cluster").description(
  "A Kubernetes cluster for modelhook: one node on this machine, or a cluster that you have.",
);

command("up", "make the cluster, or repair it where it is there")
  .option("--network <a.b.c>", "network between this machine and the node (default: 10.99.99)")
  .option("--host-path <path...>", "directories of the node, mode 1777 (default: /foo /models)")
  .action(async ({ name, context, network, hostPath }: UpChosen) => {
    if (context === undefined) {
      const cluster = await up({ name, network, hostPaths: hostPath, signal: onInterrupt() });
      print(`registry ${cluster.registry}`);
      print(`kubectl ${cluster.bin("kubectl")}`);
      print(`export KUBECONFIG=${cluster.kubeconfig}`);
    } else {
      print(`export KUBECONFIG=${await useContext(context, printProgress)}`);
    }
  });

command("down", "remove it; pushed images and the logs of the last run stay").action(
  async ({ name, context }: Chosen) => {
    if (context === undefined) await down({ name });
    else await forgetContext(context);
  },
);

command("status", "say what runs; exit code 0 when all does").action(
  async ({ name, context }: Chosen) => {
    if (context === undefined) printStatus(await status({ name }));
    else print(`export KUBECONFIG=${await useContext(context, printProgress)}`);
  },
);

command("kubeconfig", "print the path of the administrator's kubeconfig").action(
  async ({ name, context }: Chosen) => {
    if (context !== undefined) {
      print(contextKubeconfig(context));
      return;
    }
    const found = await status({ name });
    if (found.state !== "made") throw new Error(`there is no cluster ${name}: run "up" first`);
    print(found.kubeconfig);
  },
);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option("--name <name>", "name of the cluster on this machine", "local")
    .option("--context <context>", "the cluster of this kubectl context instead");
}

function printStatus(found: ClusterStatus): void {
  if (found.state === "made") {
    for (const name of found.running) print(`${name.padEnd(24)} runs`);
    for (const name of found.ended) print(`${name.padEnd(24)} has ended`);
    print(`${"node".padEnd(24)} ${found.nodeReady ? "Ready" : "not Ready"}`);
    print(`${"registry".padEnd(24)} ${found.registry}`);
    print(`${"kubeconfig".padEnd(24)} ${found.kubeconfig}`);
  } else if (found.state === "unfinished") {
    print(`unfinished; "up" or "down" removes: ${found.remains.join(", ")}`);
  } else {
    print("there is none");
  }
  const whole = found.state === "made" && found.ended.length === 0 && found.nodeReady;
  process.exitCode = whole ? 0 : 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}
