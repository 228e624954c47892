import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPrograms, type ProgramPaths } from "./build.ts";
import { SUBJECTS, writeClient, writeClusterPki } from "./cluster-pki.ts";
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  etcdUrl,
} from "./components.ts";
import type { Access } from "./kubeconfig.ts";
import { type Kubectl, makeKubectl } from "./kubectl.ts";
import { findFreePort } from "./ports.ts";
import { type BoundProcess, removeAtEnd, startBound } from "./processes.ts";
import { CONTROL_PLANE_PROGRAMS } from "./programs.ts";
import { apiServerAnswers, tailOf, waitUntil } from "./readiness.ts";

export interface ControlPlaneOptions {
  /** Whether kube-controller-manager runs (default true): garbage collection, Jobs, ServiceAccounts. */
  readonly controllerManager?: boolean;
  readonly admissionPlugins?: {
    readonly enable?: readonly string[];
    readonly disable?: readonly string[];
  };
  /** Takes lines of progress (default: standard error). */
  readonly log?: (line: string) => void;
}

/** A Kubernetes API without nodes on 127.0.0.1; it ends with this process, however that ends. */
export interface ControlPlane {
  /** Path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  readonly url: string;
  /** Runs kubectl as that administrator and gives its standard output. */
  readonly kubectl: Kubectl;
  /** Kills the API server as a crash would; watches break, connections are refused. */
  stopApiServer(): Promise<void>;
  /** Starts it again on the same port with the same data and waits until it is ready. */
  startApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
  /** Stops its processor time: connections stay open and nothing is answered. */
  pauseApiServer(): void;
  resumeApiServer(): void;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const PORT_ATTEMPTS = 5;

/**
 * Starts etcd, kube-apiserver and, unless told otherwise, kube-controller-manager, compiled first if need be.
 * It is ready when /readyz is ok and, with a controller manager, namespace default has its ServiceAccount.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const withManager = options.controllerManager ?? true;
  const programs = await buildPrograms(
    CONTROL_PLANE_PROGRAMS.filter((name) => withManager || name !== "kube-controller-manager"),
    {
      log: options.log ?? ((line) => process.stderr.write(`${line}\n`)),
      assets: process.env.KUBEBUILDER_ASSETS,
    },
  );
  const directory = await mkdtemp(join(tmpdir(), "modelhook-"));
  const removeDirectory = removeAtEnd(directory);
  const running: BoundProcess[] = [];
  const stop = async () => {
    await Promise.all(running.map(async (one) => one.kill()));
    await removeDirectory();
  };
  try {
    return await start({ options, withManager, programs, directory, running, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Start {
  readonly options: ControlPlaneOptions;
  readonly withManager: boolean;
  readonly programs: ProgramPaths<(typeof CONTROL_PLANE_PROGRAMS)[number]>;
  readonly directory: string;
  readonly running: BoundProcess[];
  readonly stop: () => Promise<void>;
}

async function start(given: Start): Promise<ControlPlane> {
  const { directory, programs, running, withManager } = given;
  const pki = await writeClusterPki(join(directory, "pki"), ["127.0.0.1"]);
  const launch = async (name: string, command: readonly string[]) => {
    const one = await startBound(name, command, join(directory, `${name}.log`));
    running.push(one);
    return one;
  };
  const etcd = await launch("etcd", [
    programs.etcd,
    ...etcdArguments(join(directory, "etcd"), directory),
  ]);

  const enable = given.options.admissionPlugins?.enable ?? [];
  const disable = given.options.admissionPlugins?.disable ?? [];
  const launchApiServer = async (port: number, admin: Access) => {
    const one = await launch("kube-apiserver", [
      programs["kube-apiserver"],
      ...apiServerArguments({
        pki: pki.directory,
        etcd: etcdUrl(directory),
        bindAddress: "127.0.0.1",
        port,
        enableAdmissionPlugins: enable,
        // Nobody makes ServiceAccounts without a controller manager, and then this plugin refuses every pod.
        disableAdmissionPlugins: withManager ? disable : [...disable, "ServiceAccount"],
      }),
    ]);
    await waitUntilAnswers(admin, "/readyz", [etcd, one]);
    return one;
  };
  const { port, admin, server } = await withFreePort(async (candidate) => {
    const access = await writeClient(pki, directory, {
      name: "admin",
      server: `https://127.0.0.1:${candidate}`,
      subject: SUBJECTS.admin,
    });
    return {
      port: candidate,
      admin: access,
      server: await launchApiServer(candidate, access),
    };
  });
  if (withManager) {
    const { kubeconfig } = await writeClient(pki, directory, {
      name: "controller-manager",
      server: admin.server,
      subject: SUBJECTS.controllerManager,
    });
    const manager = await launch("kube-controller-manager", [
      programs["kube-controller-manager"],
      ...controllerManagerArguments(pki.directory, kubeconfig),
    ]);
    await waitUntilAnswers(admin, "/api/v1/namespaces/default/serviceaccounts/default", [
      server,
      manager,
    ]);
  }

  let apiServer = server;
  const stopApiServer = async () => apiServer.kill();
  const startApiServer = async () => {
    apiServer = await launchApiServer(port, admin);
  };
  return {
    kubeconfig: admin.kubeconfig,
    url: admin.server,
    kubectl: makeKubectl(programs.kubectl, admin.kubeconfig, directory),
    stopApiServer,
    startApiServer,
    restartApiServer: async () => {
      await stopApiServer();
      await startApiServer();
    },
    pauseApiServer: () => apiServer.signal("SIGSTOP"),
    resumeApiServer: () => apiServer.signal("SIGCONT"),
    stop: given.stop,
  };
}

/** Says that a port was taken between its choice and its use. */
class PortTaken extends Error {}

async function withFreePort<T>(action: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action(await findFreePort());
    } catch (error) {
      if (!(error instanceof PortTaken) || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** Waits for the answer to a GET that needs these processes; the last is the one to blame for its lack. */
async function waitUntilAnswers(
  admin: Access,
  path: string,
  needed: readonly [BoundProcess, BoundProcess],
): Promise<void> {
  const [, last] = needed;
  await waitUntil({
    what: `${last.name}: ${path} was not answered`,
    timeoutMs: START_TIMEOUT_MS,
    log: last.log,
    check: async () => {
      for (const one of needed) await assertRuns(one);
      return apiServerAnswers(admin, path);
    },
  });
}

async function assertRuns(one: BoundProcess): Promise<void> {
  const { name, log } = one;
  const end = one.ended();
  if (end === undefined) return;
  const message = `${name} ended with ${end}${await tailOf(log)}`;
  const taken = (await readFile(log, "utf8")).includes("address already in use");
  throw taken ? new PortTaken(message) : new Error(message);
}
