import { spawn } from "node:child_process";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, parseAllDocuments, stringify } from "yaml";
import { startControlPlane, type ControlPlane } from "../../deploy/local/control-plane.ts";
import { findFreePort } from "../../deploy/local/ports.ts";
import type { Policy } from "../../src/admission/policy.ts";
import type { BuildSettings } from "../../src/builder/builder.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The product's own process, outside of the cluster whose API server calls it. */
export interface RunningModelhook {
  readonly probeUrl: string;
  /** What it wrote so far. */
  output(): string;
  /** Exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop and waits. */
  stop(): Promise<void>;
  /** Kills it as a crash would. */
  kill(): Promise<void>;
  /** Replaces its file of limits, as a mounted ConfigMap is replaced; a text is written as it is. */
  setLimits(limits: ModelhookOptions | string): Promise<void>;
  /** Stops its processor time: connections stay open and nothing is answered. */
  pause(): void;
  resume(): void;
}

/** What a test tells the process. */
export interface ModelhookOptions {
  readonly instance?: string;
  /** `before:N` or `after:N`. */
  readonly failPoint?: string;
  readonly allowedPrefixes?: Readonly<Record<string, readonly string[]>>;
  readonly maxAttempts?: number;
  /** Limits of the administrator other than the test's usual ones, as decisions read them. */
  readonly limits?: Partial<Policy>;
  /** Settings of builds that decide nothing. */
  readonly build?: Partial<BuildSettings>;
  /** Builds although KubeDL runs. */
  readonly takeover?: boolean;
}

/** A control plane with all that the product installs, its process aside; `before` makes what was there earlier. */
export async function startPlane(
  before: (plane: ControlPlane) => Promise<void> = async () => {},
): Promise<ControlPlane> {
  const plane = await startControlPlane();
  await before(plane);
  await plane.kubectl([
    "apply",
    "--server-side",
    "--force-conflicts",
    "--filename",
    join(ROOT, "deploy/crds"),
  ]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
  const installed = parseAllDocuments(await readFile(join(ROOT, "deploy/install.yaml"), "utf8"))
    .filter((document) => document.get("kind") !== "Deployment")
    .join("");
  await plane.kubectl(["apply", "--server-side", "--filename", "-"], installed);
  return plane;
}

/** Starts `modelhook serve` from source and waits until it is ready; a fail point has to lie after that. */
export async function startModelhook(
  plane: ControlPlane,
  options: ModelhookOptions = {},
): Promise<RunningModelhook> {
  const modelhook = await launchModelhook(plane, options);
  await untilReady(modelhook);
  return modelhook;
}

/** Starts `modelhook serve` from source. */
export async function launchModelhook(
  plane: ControlPlane,
  options: ModelhookOptions = {},
): Promise<RunningModelhook> {
  const directory = await mkdtemp(join(tmpdir(), "modelhook-serve-"));
  const config = join(directory, "config.yaml");
  const setLimits = async (limits: ModelhookOptions | string): Promise<void> => {
    const text = typeof limits === "string" ? limits : stringify(configOf(limits));
    await writeFile(`${config}.new`, text);
    await rename(`${config}.new`, config);
  };
  await setLimits(options);
  const kubeconfig = join(directory, "kubeconfig");
  await writeFile(kubeconfig, await ownKubeconfig(plane), { mode: 0o600 });
  const [https, probes] = [await findFreePort(), await findFreePort()];
  const ports = ["--https-port", String(https), "--probe-port", String(probes)];
  const url = ["--url", `https://127.0.0.1:${https}`, "--drain-seconds", "0"];
  const takeover = options.takeover === true ? ["--takeover"] : [];
  const serve = [
    join(ROOT, "src/main.ts"),
    "serve",
    "--config",
    config,
    ...ports,
    ...url,
    ...takeover,
  ];
  const child = spawn(
    // It dies with the tests, however they end.
    "setpriv",
    ["--pdeathsig", "KILL", "--", process.execPath, ...serve],
    { env: environment(kubeconfig, options), stdio: ["ignore", "pipe", "pipe"] },
  );
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      void rm(directory, { recursive: true, force: true }).then(() => resolve(code));
    });
  });
  const probeUrl = `http://127.0.0.1:${probes}`;
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    probeUrl,
    output: () => text,
    ended,
    stop: async () => end("SIGTERM"),
    kill: async () => end("SIGKILL"),
    setLimits,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
}

/** The configuration file; what is undefined in it is left out. */
function configOf({ allowedPrefixes, maxAttempts, limits = {}, build }: ModelhookOptions): object {
  const [baseImage = "registry.test/busybox:1", ...allowedBaseImages] = limits.baseImages ?? [];
  return {
    localStorage: {
      allowedPrefixes: limits.localPrefixes ?? allowedPrefixes ?? { "*": ["/models"] },
    },
    nfs: { allowedServers: limits.nfsServers },
    AWSEfs: {
      allowedFileSystems: limits.efsFileSystems,
      allowedAttributes: limits.efsAttributes,
    },
    build: {
      kanikoImage: "registry.test/kaniko:1",
      baseImage,
      allowedBaseImages,
      allowedRegistries: limits.registries,
      allowedEngines: limits.engines,
      maxResources: limits.maxResources,
      maxAttempts: maxAttempts ?? 3,
      ...build,
    },
  };
}

/** The process gets the rights of its ServiceAccount and no others, as in a cluster. */
async function ownKubeconfig(plane: ControlPlane): Promise<string> {
  const config = parse(await readFile(plane.kubeconfig, "utf8")) as { users: object[] };
  const name = ["--namespace", "modelhook-system", "modelhook"];
  const token = (await plane.kubectl(["create", "token", ...name, "--duration=1h"])).trim();
  const users = config.users.map((user) => ({ ...user, user: { token } }));
  return stringify({ ...config, users });
}

function environment(kubeconfig: string, options: ModelhookOptions): NodeJS.ProcessEnv {
  const { failPoint, instance = "modelhook-0" } = options;
  return {
    PATH: process.env["PATH"],
    KUBECONFIG: kubeconfig,
    POD_NAMESPACE: "modelhook-system",
    POD_NAME: instance,
    MODELHOOK_IMAGE: "registry.test/modelhook:1",
    ...(failPoint === undefined ? {} : { MODELHOOK_FAIL_POINT: failPoint }),
  };
}

/** Waits until a process is ready; kills it when that takes too long. */
export async function untilReady(modelhook: RunningModelhook): Promise<void> {
  const over = modelhook.ended.then(() => true);
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const response = await fetch(`${modelhook.probeUrl}/readyz`).catch(() => undefined);
    if (response?.ok === true) return;
    if (await Promise.race([over, sleep(100, false)])) break;
  }
  await modelhook.kill();
  throw new Error(`modelhook did not become ready:\n${modelhook.output()}`);
}
