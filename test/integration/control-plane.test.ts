import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { run } from "../../deploy/local/command.ts";
import { type ControlPlane, startControlPlane } from "../../deploy/local/control-plane.ts";
import { exists } from "../../deploy/local/exists.ts";
import { issue, makeAuthority } from "../../deploy/local/pki.ts";

const CLI = join(import.meta.dirname, "../../deploy/local/cluster.ts");
const JOB = `
apiVersion: batch/v1
kind: Job
metadata: { name: train }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: train, image: example.org/train }]
`;

const SOON = { timeout: 30_000 };

/** A program that owns a control plane: says where it is, stops it on SIGUSR2, else waits for its own end. */
const OWNER = `
  import { startControlPlane } from "../../deploy/local/control-plane.ts";
  const plane = await startControlPlane();
  process.once("SIGUSR2", async () => {
    await plane.stop();
    process.exit();
  });
  setInterval(() => {}, 1000);
  console.log(plane.kubeconfig);
`;

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
});
afterAll(async () => plane?.stop());

describe("a control plane", () => {
  it("runs controllers: a Job gets a pod, and the pod goes with the Job", async () => {
    await plane.kubectl(["apply", "-f", "-"], JOB);
    const pods = async () => plane.kubectl(["get", "pods", "-o", "name"]);
    await expect.poll(pods, SOON).toMatch(/^pod\/train-/);
    await plane.kubectl(["delete", "job", "train", "--cascade=background"]);
    await expect.poll(pods, SOON).toBe("");
  });

  it("calls webhooks of the test's own process by URL", async () => {
    const webhook = await serveDenials("only on weekdays");
    await plane.kubectl(["apply", "-f", "-"], webhook.configuration);
    const created = plane.kubectl(["create", "configmap", "refused", "--from-literal=refuse=me"]);
    await expect(created).rejects.toThrow("only on weekdays");
    await plane.kubectl(["delete", "validatingwebhookconfiguration", "denials.example.org"]);
    await webhook.stop();
  });

  it("has its data and its address again after its API server was killed", async () => {
    await plane.kubectl(["create", "namespace", "kept"]);
    await plane.stopApiServer();
    await expect(plane.kubectl(["get", "namespaces"])).rejects.toThrow("refused");
    await plane.startApiServer();
    expect(await plane.kubectl(["get", "namespace", "kept", "-o", "name"])).toBe(
      "namespace/kept\n",
    );
  });

  it("answers nothing while its API server is paused, and goes on afterwards", async () => {
    plane.pauseApiServer();
    const asked = plane.kubectl(["get", "--raw", "/readyz", "--request-timeout=1s"]);
    await expect(asked).rejects.toThrow(/timeout|deadline|canceled/i);
    plane.resumeApiServer();
    expect(await plane.kubectl(["get", "--raw", "/readyz"])).toBe("ok");
  });

  it("can be the cluster of a context, and the kubeconfig that names it stays as it is", async () => {
    const state = await mkdtemp(join(tmpdir(), "state-"));
    const users = await readFile(plane.kubeconfig, "utf8");
    const env = { KUBECONFIG: plane.kubeconfig, XDG_STATE_HOME: state };
    const cli = async (...args: string[]) => run(process.execPath, [CLI, ...args], { env });

    const own = join(state, "modelhook", "contexts", "admin.kubeconfig");
    expect(await cli("up", "--context", "admin")).toBe(`export KUBECONFIG=${own}\n`);
    expect(await cli("kubeconfig", "--context", "admin")).toBe(`${own}\n`);
    const { clusters } = parse(await readFile(own, "utf8")) as { clusters: unknown };
    expect(clusters).toMatchObject([{ cluster: { server: plane.url } }]);
    await expect(cli("up", "--context", "other")).rejects.toThrow(
      "your kubeconfig has no usable context other",
    );
    await cli("down", "--context", "admin");
    expect(await exists(own)).toBe(false);
    expect(await readFile(plane.kubeconfig, "utf8")).toBe(users);
    await rm(state, { recursive: true });
  });

  it("stands beside others, and each has its own data", async () => {
    const [second, third] = await Promise.all([
      startControlPlane({ controllerManager: false }),
      startControlPlane({ controllerManager: false }),
    ]);
    expect(new Set([plane.url, second.url, third.url]).size).toBe(3);
    await second.kubectl(["create", "namespace", "second"]);
    expect(await third.kubectl(["get", "namespaces", "-o", "name"])).not.toContain("second");
    await Promise.all([second.stop(), third.stop()]);
  });

  it("admits pods without a controller manager, which would have made the ServiceAccount", async () => {
    const bare = await startControlPlane({ controllerManager: false });
    await bare.kubectl(["run", "one", "--image=example.org/one"]);
    expect(await bare.kubectl(["get", "pods", "-o", "name"])).toBe("pod/one\n");
    await bare.stop();
  });

  it("leaves no process and no file, whether it is stopped or its owner killed", async () => {
    for (const signal of ["SIGUSR2", "SIGKILL"] as const) {
      const owner = spawn(process.execPath, ["--input-type=module", "--eval", OWNER], {
        cwd: import.meta.dirname,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [kubeconfig] = (await once(createInterface(owner.stdout), "line")) as [string];
      const directory = dirname(kubeconfig);
      expect(await commandLinesWith(directory)).not.toHaveLength(0);
      owner.kill(signal);
      await expect
        .poll(async () => [...(await commandLinesWith(directory)), await exists(directory)], SOON)
        .toStrictEqual([false]);
    }
  });
});

/** A webhook on 127.0.0.1 that denies ConfigMaps of namespace default with that message. */
async function serveDenials(
  message: string,
): Promise<{ configuration: string; stop: () => Promise<void> }> {
  const authority = await makeAuthority("denials");
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { request: asked } = (await json(request)) as { request: { uid: string } };
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        response: { uid: asked.uid, allowed: false, status: { message } },
      }),
    );
  };
  const server = createServer(
    await issue(authority, { commonName: "denials", addresses: ["127.0.0.1"] }),
    (request, response) => void answer(request, response),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const configuration = JSON.stringify({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "denials.example.org" },
    webhooks: [
      {
        name: "denials.example.org",
        clientConfig: {
          url: `https://127.0.0.1:${port}/`,
          caBundle: Buffer.from(authority.cert).toString("base64"),
        },
        rules: [
          {
            apiGroups: [""],
            apiVersions: ["v1"],
            operations: ["CREATE"],
            resources: ["configmaps"],
          },
        ],
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  });
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { configuration, stop };
}

/** The command lines of this machine's processes that name a directory. */
async function commandLinesWith(directory: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(
    pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.includes(directory));
}
