import { Command, InvalidArgumentError } from "commander";

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

interface ServeFlags {
  readonly config: string;
  readonly httpsPort: number;
  readonly probePort: number;
  readonly drainSeconds: number;
  readonly url?: string;
}

try {
  await program.parseAsync();
} catch (error) {
  // A configuration error says all that is to be said; anything else is a bug, or a cluster that can not be reached.
  const isConfigError = error instanceof Error && error.name === "ConfigError";
  process.stderr.write(`modelhook: ${isConfigError ? error.message : format(error)}\n`);
  process.exitCode = 1;
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
