import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../deploy/local/command.ts";
import { exists } from "../../deploy/local/exists.ts";
import { pushImage } from "../../deploy/local/images/push.ts";
import { busyboxRecipe, pauseRecipe } from "../../deploy/local/images/recipes.ts";
import { down, type LocalCluster, status, up } from "../../deploy/local/local-cluster.ts";
import { findFirstProcess, runInside, startInside } from "../../deploy/local/namespaces.ts";
import { ensureSystemPrograms } from "../../deploy/local/packages.ts";
import { nodeAddress, placeOf } from "../../deploy/local/place.ts";
import { type ProcessEntry, readProcesses, stillRuns } from "../../deploy/local/process-table.ts";
import { waitUntil } from "../../deploy/local/readiness.ts";

/** A cluster of its own, beside one that the developer may have running. */
const CLUSTER = { name: "e2e-life", network: "10.99.96" };
const PLACE = placeOf(CLUSTER.name, CLUSTER.network);
const CLI = join(import.meta.dirname, "../../deploy/local/cluster.ts");
const SOON = { timeout: 60_000, interval: 200 };

let before: HostState;
beforeAll(async () => {
  await ensureSystemPrograms(["nft", "ip", "busybox"], () => {});
  await down(CLUSTER);
  before = await readHostState();
});
afterAll(async () => {
  await down(CLUSTER);
  await rm(dirname(PLACE.run), { recursive: true, force: true });
});

describe("a running cluster", () => {
  let cluster: LocalCluster;
  let stalled: Socket;
  beforeAll(async () => {
    cluster = await up(CLUSTER);
    await pushImages(cluster);
    await cluster.kubectl(["apply", "-f", "-"], workloads(cluster.registry));
    for (const one of ["deployment/web", "daemonset/agent"])
      await cluster.kubectl(["rollout", "status", one, "--timeout=120s"]);
  });

  it("leads from pod to pod, and back to the pod itself, through a Service", async () => {
    const address = await cluster.kubectl([
      "get",
      "service/web",
      "-o",
      "jsonpath={.spec.clusterIP}",
    ]);
    const pods = await cluster.kubectl(["get", "pods", "-l", "app=web", "-o", "name"]);
    const answers = new Set<string>();
    for (const pod of pods.trim().split("\n"))
      for (let asked = 0; asked < 10; asked += 1)
        answers.add(await ask(cluster, pod, address, 80, "/name"));
    expect(answers.size).toBe(2);
  });

  it("has one registry address for host, node and pods", async () => {
    const { registry } = cluster;
    const [host = "", port] = registry.split(":");
    const fromHost = await fetch(`http://${registry}/v2/`);
    expect(fromHost.status).toBe(200);
    expect(await ask(cluster, "deployment/web", host, Number(port), "/v2/")).toBe("{}");
    expect(
      await cluster.kubectl(["get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}"]),
    ).toContain(registry);
  });

  it("has the directories for storage, with mode 1777, and keeps their content in its own files", async () => {
    const onHost = await cluster.addHostPath("/models");
    await cluster.enter([
      "setpriv",
      "--reuid=65532",
      "--clear-groups",
      "touch",
      "/models/by-anybody",
    ]);
    expect((await stat(onHost)).mode & 0o7777).toBe(0o1777);
    expect(await readdir(onHost)).toEqual(["by-anybody"]);
  });

  it("enforces Pod Security", async () => {
    await cluster.kubectl(["create", "namespace", "strict"]);
    await cluster.kubectl([
      "label",
      "namespace",
      "strict",
      "pod-security.kubernetes.io/enforce=restricted",
    ]);
    const refused = cluster.kubectl(["-n", "strict", "run", "root", "--image=none"]);
    await expect(refused).rejects.toThrow("violates PodSecurity");
  });

  it("sees the host's files without being able to change them", async () => {
    await expect(cluster.enter(["touch", "/usr/changed"])).rejects.toThrow("Read-only file system");
  });

  it("reaps orphans", async () => {
    const pid = await cluster.enter(["sh", "-c", "sleep 0.2 >/dev/null & echo $!"]);
    // A zombie would still have its directory.
    const there = async () => cluster.enter(["sh", "-c", `ls -d /proc/${pid.trim()} || true`]);
    await expect.poll(there, SOON).toBe("");
  });

  it("can be without its registry for a while, and has the images again afterwards", async () => {
    await cluster.stop("registry");
    await expect(fetch(`http://${cluster.registry}/v2/`)).rejects.toThrow("fetch failed");
    await cluster.start("registry");
    expect((await fetch(`http://${cluster.registry}/v2/busybox/tags/list`)).status).toBe(200);
  });

  it("is given again, not made again, by a second up", async () => {
    const first = await findFirstProcess(PLACE);
    const again = await up(CLUSTER);
    expect(await findFirstProcess(PLACE)).toBe(first);
    expect(await again.kubectl(["get", "deployment/web", "-o", "name"])).toBe(
      "deployment.apps/web\n",
    );
  });

  it("keeps its network: another one is refused", async () => {
    await expect(up({ ...CLUSTER, network: "10.99.94" })).rejects.toThrow(
      "cluster e2e-life is up with network 10.99.96: take it down before you make it with 10.99.94",
    );
  });

  it("says which component was killed, and up repairs it", async () => {
    await killInside("kube-scheduler");
    expect(await status(CLUSTER)).toMatchObject({ state: "made", ended: ["kube-scheduler"] });
    await up(CLUSTER);
    expect(await status(CLUSTER)).toMatchObject({ state: "made", ended: [], nodeReady: true });
  });

  it("takes all of its pods and processes along when its outermost process is killed", async () => {
    const processes = await processesBelow(await outermost());
    expect(processes.length).toBeGreaterThan(15);
    stalled = await stallConnection();
    process.kill(await outermost(), "SIGKILL");
    await expect.poll(async () => stillAlive(processes), SOON).toEqual([]);
    expect(await status(CLUSTER)).toMatchObject({ state: "unfinished" });
  });

  it("leaves nothing after down, though it was killed while somebody was connected", async () => {
    await down(CLUSTER);
    expect(await readHostState()).toEqual(before);
    expect(await status(CLUSTER)).toEqual({ state: "absent" });
    stalled.destroy();
  });

  it("leaves nothing after up and down", async () => {
    cluster = await up(CLUSTER);
    const processes = await processesBelow(await outermost());
    await down(CLUSTER);
    expect(await stillAlive(processes)).toEqual([]);
    expect(await readHostState()).toEqual(before);
  });
});

describe("making a cluster", () => {
  it("is done once when it is asked for twice at the same time", async () => {
    const lines: string[] = [];
    const [one, other] = await Promise.all([
      up(CLUSTER),
      up({ ...CLUSTER, log: (line) => lines.push(line) }),
    ]);
    expect(one.kubeconfig).toBe(other.kubeconfig);
    expect(lines.join("\n")).toContain("another process makes or removes cluster e2e-life");
    await down(CLUSTER);
  });

  it.each(["namespaces made", "kube-apiserver ready"])(
    "leaves nothing that the next down does not remove when it is killed at: %s",
    async (line) => {
      const making = startCli(["up", "--name", CLUSTER.name, "--network", CLUSTER.network]);
      await making.untilLine(line);
      making.signal("SIGKILL");
      await making.ended;
      await down(CLUSTER);
      expect(await readHostState()).toEqual(before);
    },
  );

  it("starts anew when the one before was killed, and says what it removes", async () => {
    const making = startCli(["up", "--name", CLUSTER.name, "--network", CLUSTER.network]);
    await making.untilLine("namespaces made");
    making.signal("SIGKILL");
    await making.ended;
    const lines: string[] = [];
    await up({ ...CLUSTER, log: (line) => lines.push(line) });
    expect(lines[0]).toContain("removing what is left of a cluster that was killed: processes");
    await down(CLUSTER);
  });

  it("fails with the end of the component's log, and leaves nothing, when one ends early", async () => {
    const failed = up({
      ...CLUSTER,
      log: (line) => {
        if (line.includes("registry ready")) void killInside("etcd");
      },
    });
    await expect(failed).rejects.toThrow(/^etcd has ended\nThe end of .*\/logs\/etcd.log:\n/);
    expect(await readHostState()).toEqual(before);
    expect(await status(CLUSTER)).toEqual({ state: "absent" });
  });

  it("cleans up when it is interrupted", async () => {
    const making = startCli(["up", "--name", CLUSTER.name, "--network", CLUSTER.network]);
    await making.untilLine("namespaces made");
    making.signal("SIGINT");
    expect(await making.ended).toEqual({
      code: 1,
      output: expect.stringContaining("stopped by SIGINT"),
    });
    expect(await readHostState()).toEqual(before);
    expect(await status(CLUSTER)).toEqual({ state: "absent" });
  });

  it("stops before it makes anything when the host uses its network", async () => {
    await run("ip", ["link", "add", "mh-e2e-other", "type", "veth"]);
    try {
      await run("ip", ["address", "add", "10.99.96.77/32", "dev", "mh-e2e-other"]);
      await expect(up(CLUSTER)).rejects.toThrow(
        "10.99.96.0/24 is in use on this machine (10.99.96.77/32 by mh-e2e-other): choose another with --network",
      );
      expect(await status(CLUSTER)).toEqual({ state: "absent" });
    } finally {
      await run("ip", ["link", "delete", "mh-e2e-other"]);
    }
  });

  it("stops before it makes anything when a link has its name", async () => {
    await run("ip", ["link", "add", PLACE.link, "type", "veth"]);
    try {
      await expect(up(CLUSTER)).rejects.toThrow(
        `a network link ${PLACE.link} is there and does not belong to this cluster`,
      );
    } finally {
      await run("ip", ["link", "delete", PLACE.link]);
    }
  });

  it("says that it needs root", async () => {
    const asNobody = ["setpriv", "--reuid=65534", "--clear-groups"];
    // Only to read this checkout, wherever it is.
    const reading = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
    const refused = startCli(["up", "--name", CLUSTER.name], {}, [...asNobody, ...reading]);
    expect(await refused.ended).toEqual({
      code: 1,
      output: expect.stringMatching(/needs root .* or name a cluster with --context/),
    });
  });

  it("says that it needs Go when a program has to be compiled", async () => {
    const cache = await mkdtemp(join(tmpdir(), "cache-"));
    const refused = startCli(["up", "--name", CLUSTER.name], {
      PATH: cache,
      XDG_CACHE_HOME: cache,
    });
    expect(await refused.ended).toEqual({
      code: 1,
      output: expect.stringContaining("there is no `go` in PATH: install Go 1.26 or newer"),
    });
    expect(await status(CLUSTER)).toEqual({ state: "absent" });
    await rm(cache, { recursive: true });
  });
});

async function pushImages(cluster: LocalCluster): Promise<void> {
  const options = { crane: cluster.bin("crane"), registry: cluster.registry, log: () => {} };
  for (const recipe of [pauseRecipe, busyboxRecipe])
    await pushImage(await recipe(options), options);
}

/** Two pods that serve their own name behind a Service, and a DaemonSet. */
function workloads(registry: string): string {
  const pod = (app: string, script: string) => ({
    selector: { matchLabels: { app } },
    template: {
      metadata: { labels: { app } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          { name: app, image: `${registry}/busybox:1`, command: ["/bin/sh", "-c", script] },
        ],
      },
    },
  });
  const serveName = "hostname >/tmp/name && exec httpd -f -p 8080 -h /tmp";
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: { replicas: 2, ...pod("web", serveName) },
    },
    {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "agent" },
      spec: pod("agent", "exec sleep 3600"),
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ]
    .map((object) => JSON.stringify(object))
    .join("\n---\n");
}

/** The body that a pod gets for GET http://host:port/path. */
async function ask(
  cluster: LocalCluster,
  pod: string,
  host: string,
  port: number,
  path: string,
): Promise<string> {
  const script = `printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' | nc ${host} ${port}`;
  const answer = await cluster.kubectl(["exec", pod, "--", "/bin/sh", "-c", script]);
  return answer.split("\r\n\r\n")[1] ?? "";
}

/** What a cluster could change on its host. */
interface HostState {
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly ruleset: string;
  readonly cgroups: readonly string[];
  readonly kernelSettings: readonly string[];
  readonly directories: readonly string[];
}

async function readHostState(): Promise<HostState> {
  const links = JSON.parse(await run("ip", ["-j", "link", "show"])) as { ifname: string }[];
  const cgroups = (await run("find", ["/sys/fs/cgroup", "-type", "d"])).trim().split("\n");
  // Kubernetes programs change these where they are not confined.
  const settings = [
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
  ];
  const directories = [
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/log/pods",
    "/run/containerd",
    "/foo",
  ];
  return {
    mounts: (await readFile("/proc/mounts", "utf8")).split("\n"),
    links: links.filter((link) => !isOthers(link.ifname)).map((link) => JSON.stringify(link)),
    ruleset: await run("nft", ["-j", "list", "ruleset"]),
    cgroups: cgroups.filter((path) => !isOthers(path)),
    kernelSettings: await Promise.all(
      settings.map(async (setting) => readFile(`/proc/sys/${setting}`, "utf8")),
    ),
    directories: await Promise.all(
      directories.map(
        async (path) => `${path} ${(await exists(path)) ? "is there" : "is not there"}`,
      ),
    ),
  };
}

/** Whether something belongs to another cluster that may come and go during the test. */
function isOthers(path: string): boolean {
  return /(^mh-|\/modelhook-)/.test(path) && !path.includes(CLUSTER.name);
}

async function outermost(): Promise<number> {
  const first = await findFirstProcess(PLACE);
  const parent = (await readProcesses()).find(({ pid }) => pid === first)?.parent;
  if (parent === undefined) throw new Error("the cluster has no processes");
  return parent;
}

/** A connection to the node whose data nobody takes: the kernel keeps it, with the network namespace, after a kill. */
async function stallConnection(): Promise<Socket> {
  const first = await findFirstProcess(PLACE);
  if (first === undefined) throw new Error("the cluster has no processes");
  const script = "busybox nc -l -p 7777 </dev/zero";
  await startInside(first, ["/bin/sh", "-c", script], join(PLACE.logs, "nc.log"));
  let socket: Socket | undefined;
  await waitUntil({
    what: "nothing listened at port 7777",
    timeoutMs: 10_000,
    check: async () => {
      socket = connect(7777, nodeAddress(PLACE)).pause();
      return once(socket, "connect").then(
        () => true,
        () => false,
      );
    },
  });
  if (socket === undefined) throw new Error("there is no connection");
  return socket;
}

/** Kills a program of the cluster as nobody expects it. */
async function killInside(program: string): Promise<void> {
  const first = await findFirstProcess(PLACE);
  if (first === undefined) throw new Error("the cluster has no processes");
  const script = `kill -9 $(grep -lx ${program} /proc/[0-9]*/comm | cut -d/ -f3)`;
  await runInside(first, ["/bin/sh", "-c", script]);
}

async function processesBelow(root: number): Promise<ProcessEntry[]> {
  const all = await readProcesses();
  const found = all.filter(({ pid }) => pid === root);
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found;
}

async function stillAlive(processes: readonly ProcessEntry[]): Promise<ProcessEntry[]> {
  const running = await Promise.all(processes.map(async (one) => stillRuns(one)));
  return processes.filter((_, index) => running[index]);
}

/** The command line tool as a process of its own. */
function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  prefix: readonly string[] = [],
): {
  signal: (signal: NodeJS.Signals) => void;
  untilLine: (text: string) => Promise<void>;
  ended: Promise<{ code: number | null; output: string }>;
} {
  const [command = "", ...rest] = [...prefix, process.execPath, CLI, ...args];
  const child = spawn(command, rest, { env: { ...process.env, ...env } });
  let output = "";
  const ended = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => (output += String(chunk)));
  return {
    signal: (signal) => void child.kill(signal),
    untilLine: async (text) =>
      waitUntil({
        what: `the command did not say ${text}`,
        detail: () => output,
        timeoutMs: 60_000,
        check: () => output.includes(text),
      }),
    ended,
  };
}
