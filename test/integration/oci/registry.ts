import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { buildPrograms } from "../../../deploy/local/build.ts";
import { findFreePort } from "../../../deploy/local/ports.ts";

/** A distribution registry on the loopback interface. */
export interface TestRegistry {
  /** Host and port, as images name it. */
  readonly host: string;
  /** Where it keeps its data. */
  readonly directory: string;
  /** Kills it without a word. */
  kill(): Promise<void>;
  /** Starts it again at the same address, with the same data and configuration. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Login of a registry with `htpasswd`; the hash of the password is bcrypt, which is all that the registry takes. */
export const LOGIN = { username: "builder", password: "correct horse" };
const HTPASSWD = "builder:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";

/** What a test registry does besides what every registry does. */
export interface TestRegistryOptions {
  /** Asks everybody for `LOGIN`. */
  readonly htpasswd?: boolean;
  /** Parts of the registry's configuration, by section. */
  readonly http?: object;
  readonly storage?: object;
  readonly auth?: object;
  /** Speaks TLS with the certificate in `http`. */
  readonly tls?: boolean;
  readonly port?: number;
}

/** Starts a registry and waits until it answers. */
export async function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const { registry } = await buildPrograms(["registry"], { log: (line) => console.log(line) });
  const directory = mkdtempSync(join(tmpdir(), "modelhook-registry-"));
  const port = options.port ?? (await findFreePort());
  const host = `127.0.0.1:${port}`;
  const htpasswd = join(directory, "htpasswd");
  writeFileSync(htpasswd, HTPASSWD);
  const config = join(directory, "config.yaml");
  writeFileSync(
    config,
    stringify({
      version: "0.1",
      log: { level: "error", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, "data") }, ...options.storage },
      http: { addr: host, ...options.http },
      ...(options.htpasswd === true
        ? { auth: { htpasswd: { realm: "test", path: htpasswd } } }
        : options.auth === undefined
          ? {}
          : { auth: options.auth }),
    }),
  );
  const tls = options.tls === true;
  let child = await serve(registry, config, { host, tls });

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  return {
    host,
    directory: join(directory, "data"),
    kill,
    async restart() {
      await kill();
      child = await serve(registry, config, { host, tls });
    },
    async stop() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Runs the registry; ends when it answers. */
async function serve(
  registry: string,
  config: string,
  { host, tls }: { readonly host: string; readonly tls: boolean },
): Promise<ChildProcess> {
  const child = spawn(registry, ["serve", config], {
    stdio: ["ignore", "ignore", "pipe"],
    // Traces and the like are not to be sent anywhere.
    env: { PATH: process.env["PATH"], OTEL_TRACES_EXPORTER: "none" },
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const deadline = performance.now() + 20_000;
  while (!(await isUp(host, tls))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`the registry does not start: ${errors}`);
    }
    await sleep(50);
  }
  return child;
}

async function isUp(host: string, tls: boolean): Promise<boolean> {
  try {
    await fetch(`${tls ? "https" : "http"}://${host}/v2/`);
    return true;
  } catch (error) {
    // A certificate that nobody knows is an answer, too.
    const { code = "" } = (error as Error).cause as NodeJS.ErrnoException;
    return tls && /CERT|UNABLE_TO_VERIFY/.test(code);
  }
}
