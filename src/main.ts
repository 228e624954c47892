import { Command, type CommanderError, InvalidArgumentError, Option } from "commander";
import type { ExplainOptions } from "./cli/explain.ts";
import type { InjectOptions } from "./cli/inject.ts";
import type { UninstallOptions } from "./cli/uninstall.ts";
import type { Logger } from "./telemetry/logger.ts";

const INJECT_HELP = `
Ends with 1 when something would be denied, and with 2 when the input can not be used.

Example:
  modelhook inject -f deploy/demo/serve.yaml --versions deploy/demo/versions.yaml --diff`;

const EXPLAIN_HELP = `
Ends with 1 when there is no such pod, and with 2 when the cluster does not tell.

Example:
  modelhook explain pod serve-6d5f9c-x2x7p -n digits`;

const UNINSTALL_HELP = `
Scales the Deployment to 0, deletes both webhook configurations, takes our finalizers off jobs, pods and
ModelVersions, and deletes the volumes and claims that modelhook made; data and images stay. It can be run again.
Ends with 1 when something is left or was refused, and with 2 when the cluster does not tell.

Example:
  modelhook uninstall --dry-run`;

const BUILD_DIRECTORY = [
  "--build <directory>",
  "what the containers of the pod tell each other",
] as const;

const program = new Command("modelhook")
  .description("Turns trained models into immutable images and puts them into serving pods.")
  .showHelpAfterError();

program
  .command("serve")
  .description("answer the API server's admission requests; lead the controller when elected")
  .option("--config <file>", "configuration file", "/etc/modelhook/config.yaml")
  .option("--https-port <port>", "port of the webhook", port, 8443)
  .option("--probe-port <port>", "port of /healthz, /readyz and /metrics", port, 8080)
  .option("--drain-seconds <seconds>", "how long a stopping replica still answers", seconds, 8)
  .option(
    "--url <url>",
    "https://host:port by which the API server calls a process outside of the cluster",
  )
  .option("--takeover", "build although KubeDL runs in the cluster", false)
  .action(async (options: ServeFlags) => {
    const { loadConfig } = await import("./config.ts");
    const config = loadConfig(options.config);
    const { serve } = await import("./serve.ts");
    await serve(config, {
      ...options,
      url: options.url,
      drainGraceMs: options.drainSeconds * 1000,
      signal: untilStopped(),
    });
  });

program
  .command("inject")
  .description("print manifests as the cluster would have them, with models in their pods")
  .requiredOption("-f, --filename <file...>", "manifests, YAML or JSON; - is standard input")
  .option(
    "--versions <file...>",
    "instead of a cluster: ModelVersions, Models, ModelBindings, Namespaces, Nodes",
  )
  .option("-n, --namespace <name>", "namespace of objects that name none")
  .option("--config <file>", "limits of the administrator: config.yaml, or its ConfigMap")
  .addOption(new Option("--context <name>", "context of the kubeconfig").conflicts("versions"))
  .option("--diff", "print what changes only")
  .addHelpText("after", INJECT_HELP)
  .exitOverride(misused)
  .action(async (options: InjectOptions) => {
    const { inject } = await import("./cli/inject.ts");
    const { TERMINAL } = await import("./cli/terminal.ts");
    process.exitCode = await inject(options, TERMINAL);
  });

program
  .command("explain")
  .description("tell why a pod of the cluster was, or was not, given a model")
  .command("pod")
  .description("tell why a pod of the cluster was, or was not, given a model")
  .argument("<name>", "name of the pod")
  .option("-n, --namespace <name>", "its namespace, unless it is that of the context")
  .option("--context <name>", "context of the kubeconfig")
  .addHelpText("after", EXPLAIN_HELP)
  .exitOverride(misused)
  .action(async (name: string, options: ExplainOptions) => {
    const { explain } = await import("./cli/explain.ts");
    const { TERMINAL } = await import("./cli/terminal.ts");
    process.exitCode = await explain(name, options, TERMINAL);
  });

program
  .command("uninstall")
  .description("have nothing in the cluster wait for modelhook any more")
  .option("-n, --namespace <name>", "namespace of the installation", "modelhook-system")
  .option("--context <name>", "context of the kubeconfig")
  .option("--dry-run", "say what would be done, and change nothing")
  .option("--force", "let jobs go whose models are not exported yet")
  .addHelpText("after", UNINSTALL_HELP)
  .exitOverride(misused)
  .action(async (options: UninstallOptions) => {
    const { uninstall } = await import("./cli/uninstall.ts");
    const { TERMINAL } = await import("./cli/terminal.ts");
    process.exitCode = await uninstall(options, TERMINAL);
  });

imageTask(
  "stage-source",
  "inside a build pod: look at the model, ask the registry, stage for kaniko",
)
  .requiredOption(...BUILD_DIRECTORY)
  .requiredOption("--staged <directory>", "empty directory for what kaniko can not take as it is")
  .requiredOption("--base-image <image>", "image below the model")
  .action(async (options: StagedTaskFlags & { staged: string; baseImage: string }) => {
    const { stageSource } = await import("./cli/stage-source.ts");
    process.exitCode = await stageSource({ ...options, ...(await registryTaskOptions(options)) });
  });

imageTask("verify-image", "inside a build pod: compare the pushed image with the model")
  .requiredOption(...BUILD_DIRECTORY)
  .action(async (options: StagedTaskFlags) => {
    const { verifyImage } = await import("./cli/verify-image.ts");
    process.exitCode = await verifyImage({ ...options, ...(await registryTaskOptions(options)) });
  });

imageTask("build-image", "inside a build pod: build and push the image without kaniko")
  .requiredOption("--base-image <image>", "image below the model")
  .option("--label <key=value>", "label of the image; can be given several times", label, {})
  .option("--previous <repository@digest>", "image of the version before this one")
  .option("--again", "an attempt before this one may have pushed a part", false)
  .action(async ({ label: labels, ...options }: BuildImageFlags) => {
    const { buildImage } = await import("./cli/build-image.ts");
    const exitCode = await buildImage({
      ...options,
      labels,
      ...(await registryTaskOptions(options)),
    });
    // At once: what was begun before a failure, such as a file that is hashed, would keep the process.
    process.exit(exitCode);
  });

registryTask(
  "check-push",
  "inside a preflight pod: ask the registry whether it would take the push",
  "<repository[:tag]>",
).action(async (options: RegistryTaskFlags) => {
  const { checkPush } = await import("./cli/check-push.ts");
  const exitCode = await checkPush({
    ...options,
    ...(await registryTaskOptions(options)),
    answerMs: 8000,
  });
  // At once: a connection that is still being made would keep the process, and its words from being read.
  process.exit(exitCode);
});

interface ServeFlags {
  readonly config: string;
  readonly httpsPort: number;
  readonly probePort: number;
  readonly drainSeconds: number;
  readonly url?: string;
  readonly takeover: boolean;
}

interface ImageTaskFlags extends RegistryTaskFlags {
  readonly source: string;
  readonly directory: string;
  readonly versionUid: string;
}

interface StagedTaskFlags extends ImageTaskFlags {
  readonly build: string;
}

interface BuildImageFlags extends ImageTaskFlags {
  readonly baseImage: string;
  readonly label: Readonly<Record<string, string>>;
  readonly previous?: string;
  readonly again: boolean;
}

interface RegistryTaskFlags {
  readonly image: string;
  readonly credentials: string;
  readonly credentialsSecret?: string;
  readonly insecureRegistry: readonly string[];
}

try {
  await program.parseAsync();
} catch (error) {
  // A configuration error says all that is to be said; anything else is a bug, or a cluster that can not be reached.
  const isConfigError = error instanceof Error && error.name === "ConfigError";
  process.stderr.write(`modelhook: ${isConfigError ? error.message : format(error)}\n`);
  // At once: what was begun before the failure would keep the process alive, unready for ever.
  process.exit(1);
}

/** A hidden command that only the controller's build pods run. */
function imageTask(name: string, description: string): Command {
  return registryTask(name, description, "<repository:tag>")
    .requiredOption("--source <directory>", "where the root of the volume is mounted")
    .requiredOption("--directory <path>", "directory of the model below it")
    .requiredOption("--version-uid <uid>", "UID of the ModelVersion");
}

/** A hidden command that only pods of the controller's run, to ask a registry. */
function registryTask(name: string, description: string, image: string): Command {
  return program
    .command(name, { hidden: true })
    .description(description)
    .requiredOption(`--image ${image}`, "image to push")
    .requiredOption("--credentials <file>", "docker config.json; it need not exist")
    .option("--credentials-secret <name>", "Secret that --credentials must come from")
    .option("--insecure-registry <host...>", "registry that may speak plain HTTP", []);
}

/** What a task gets besides its flags: where Kubernetes reads a container's last words, and a log. */
async function registryTaskOptions({ insecureRegistry }: RegistryTaskFlags): Promise<{
  readonly insecureRegistries: readonly string[];
  readonly terminationLog: string;
  readonly logger: Logger;
}> {
  const { createLogger } = await import("./telemetry/logger.ts");
  return {
    insecureRegistries: insecureRegistry,
    terminationLog: "/dev/termination-log",
    logger: createLogger({ level: "info" }),
  };
}

function label(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const equals = text.indexOf("=");
  if (equals > 0) return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
  throw new InvalidArgumentError("a label is key=value");
}

function port(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  throw new InvalidArgumentError("a port is a number from 0 to 65535");
}

function seconds(text: string): number {
  const number = Number(text);
  if (number >= 0 && number <= 600) return number;
  throw new InvalidArgumentError("seconds are a number from 0 to 600");
}

/** Aborts when the process is asked to stop; a second request ends it at once. */
function untilStopped(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => controller.abort(new Error(`got ${name}`)));
  }
  return controller.signal;
}

/** Ends as for other input that can not be used. */
function misused({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : 2);
}

function format(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
