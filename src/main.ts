import { Command, InvalidArgumentError } from "commander";
import type { Logger } from "./telemetry/logger.ts";

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

imageTask(
  "stage-source",
  "inside a build pod: look at the model, ask the registry, stage for kaniko",
)
  .requiredOption("--staged <directory>", "empty directory for what kaniko can not take as it is")
  .requiredOption("--base-image <image>", "image below the model")
  .option("--credentials-secret <name>", "Secret that --credentials must come from")
  .action(async (options: ImageTaskFlags & { staged: string; baseImage: string }) => {
    const { stageSource } = await import("./cli/stage-source.ts");
    process.exitCode = await stageSource({ ...options, ...(await imageTaskOptions(options)) });
  });

imageTask("verify-image", "inside a build pod: compare the pushed image with the model").action(
  async (options: ImageTaskFlags) => {
    const { verifyImage } = await import("./cli/verify-image.ts");
    process.exitCode = await verifyImage({ ...options, ...(await imageTaskOptions(options)) });
  },
);

interface ServeFlags {
  readonly config: string;
  readonly httpsPort: number;
  readonly probePort: number;
  readonly drainSeconds: number;
  readonly url?: string;
  readonly takeover: boolean;
}

interface ImageTaskFlags {
  readonly source: string;
  readonly directory: string;
  readonly build: string;
  readonly image: string;
  readonly versionUid: string;
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
  return program
    .command(name, { hidden: true })
    .description(description)
    .requiredOption("--source <directory>", "where the root of the volume is mounted")
    .requiredOption("--directory <path>", "directory of the model below it")
    .requiredOption("--build <directory>", "what the containers of the pod tell each other")
    .requiredOption("--image <repository:tag>", "image to push")
    .requiredOption("--version-uid <uid>", "UID of the ModelVersion")
    .requiredOption("--credentials <file>", "docker config.json; it need not exist")
    .option("--insecure-registry <host...>", "registry that may speak plain HTTP", []);
}

/** What an image task gets besides its flags: where Kubernetes reads a container's last words, and a log. */
async function imageTaskOptions({ insecureRegistry }: ImageTaskFlags): Promise<{
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

function format(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
