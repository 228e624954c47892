import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Container, Pod } from "../../src/api/kube-types.ts";
import type { PatchOperation } from "../../src/api/review.ts";
import { issueAuthority, issueLeaf } from "../../src/tls/issue.ts";
import { answer } from "./answer.ts";
import { builtReport, nextBuild } from "./builds.ts";
import { addNode, eventually, read, runsOn } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { servingPod, versionOf } from "./objects.ts";

const DAY = 86_400_000;
const SIDECAR = { name: "sidecar", image: "registry.test/sidecar:1" };
const EARLY = { name: "early", image: "registry.test/early:1" };

let plane: ControlPlane;
let modelhook: RunningModelhook;
let other: { stop(): Promise<void> };

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, "node-1");
  await answer(plane, versionOf("digits", "digits-1"));
  await nextBuild(plane, "digits-1", builtReport("digits-1"));
  // Webhooks are called in the order of their configurations' names: this one comes after ours.
  other = await serveMutations("zz-mesh", addContainers);
});
afterAll(async () => {
  await other?.stop();
  await modelhook?.kill();
  await plane?.stop();
});

describe("containers that another webhook adds after us", () => {
  test("get a copied model, but for one that starts before the loader", async () => {
    const said = await answer(plane, servingPod("copied", "digits-1"));
    expect(said).toBe(
      "Warning: init container early starts before the model is there and does not get it",
    );
    const { spec } = await live("copied");
    expect(spec?.initContainers?.map(({ name }) => name)).toEqual(["early", "kubedl-model-loader"]);
    expect(mountsOf(spec?.initContainers?.[0])).toEqual([]);
    expect(spec?.containers.map(mountsOf)).toEqual([["/kubedl-model"], ["/kubedl-model"]]);
  });

  test("get an image volume, all of them", async () => {
    await runsOn(plane, "node-1", "v1.36.3", "containerd://2.2.1");
    const pod = await eventually("a pod with an image volume", async () => {
      await plane.kubectl(["delete", "pod", "mounted", "--ignore-not-found", "--now"]);
      await answer(plane, servingPod("mounted", "digits-1"));
      const found = await live("mounted");
      return found.spec?.volumes?.some(({ image }) => image !== undefined) ? found : undefined;
    });
    const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    expect(all.map(({ name }) => name)).toEqual(["early", "server", "sidecar"]);
    expect(all.map(mountsOf)).toEqual([["/kubedl-model"], ["/kubedl-model"], ["/kubedl-model"]]);
  });
});

async function live(name: string): Promise<Pod> {
  const found = await read<Pod>(plane, "pod", name);
  if (found === undefined) throw new Error(`there is no pod ${name}`);
  return found;
}

function mountsOf(container: Container | undefined): readonly string[] {
  const mounts = container?.volumeMounts ?? [];
  return mounts.map(({ mountPath }) => mountPath).filter((path) => path.startsWith("/kubedl"));
}

/** Adds a sidecar, and an init container before all others. */
function addContainers({ spec }: Pod): readonly PatchOperation[] {
  const hasInit = (spec?.initContainers ?? []).length > 0;
  return [
    { op: "add", path: "/spec/containers/-", value: SIDECAR },
    hasInit
      ? { op: "add", path: "/spec/initContainers/0", value: EARLY }
      : { op: "add", path: "/spec/initContainers", value: [EARLY] },
  ];
}

/** A mutating webhook of somebody else that makes these changes to every pod. */
async function serveMutations(
  name: string,
  change: (pod: Pod) => readonly PatchOperation[],
): Promise<{ stop(): Promise<void> }> {
  const lifetime = { from: Date.now(), to: Date.now() + DAY };
  const authority = await issueAuthority(lifetime);
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const review = (await json(request)) as { request: { uid: string; object: Pod } };
    const { uid, object } = review.request;
    const patch = Buffer.from(JSON.stringify(change(object))).toString("base64");
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        response: { uid, allowed: true, patchType: "JSONPatch", patch },
      }),
    );
  };
  const server = createServer(
    await issueLeaf(authority, ["127.0.0.1"], lifetime),
    (request, response) => void reply(request, response),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const configuration = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.org`,
        clientConfig: {
          url: `https://127.0.0.1:${port}/`,
          caBundle: Buffer.from(authority.cert).toString("base64"),
        },
        rules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] },
        ],
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  };
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(configuration));
  return {
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
