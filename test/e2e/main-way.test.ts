import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Job, Pod } from "../../src/api/kube-types.ts";
import type { Model } from "../../src/api/model.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import {
  apply,
  enforce,
  eventually,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  modelImagesOf,
  read,
  whenBuilt,
  type TestNode,
} from "./node.ts";

const NAMESPACE = "main-way";

describe("from a training pod to serving pods, on a real node", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;
  let trained: string;
  let version: ModelVersion;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test("a non-root training job writes a model with every awkward kind of entry", async () => {
    await apply(node, NAMESPACE, trainingJob(node));
    const complete = ["--for=condition=Complete", "job/train", "--timeout=120s"];
    await kubectl(node, NAMESPACE, "wait", ...complete);
    trained = await logsOf(node, "job/train");
    expect(trained.trim().split("\n").length).toBeGreaterThan(10);
  });

  test("its success becomes one ModelVersion, built, pushed and verified", async () => {
    const [exported, ...others] = await eventually("the version", async () => {
      const versions = await list<ModelVersion>(node, NAMESPACE, "modelversions");
      return versions.length > 0 ? versions : undefined;
    });
    expect(others).toEqual([]);
    version = await whenBuilt(node, NAMESPACE, exported?.metadata.name ?? "");
    expect(version.status).toMatchObject({
      imageBuildPhase: "ImageBuildSucceeded",
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      files: trained.trim().split("\n").length,
    });
    const model = await eventually("the latest version", async () => {
      const live = await read<Model>(node, NAMESPACE, "model", "walk");
      return live?.status?.latestVersion === undefined ? undefined : live;
    });
    expect(model.status?.latestVersion?.digest).toBe(version.status?.digest);
    const job = await read<Job>(node, NAMESPACE, "job", "train");
    expect(job?.metadata?.finalizers ?? []).not.toContain("model.kubedl.io/export");
  });

  test("two replicas serve it at level restricted, every byte as it was trained", async () => {
    await enforce(node, NAMESPACE, "restricted");
    await apply(node, NAMESPACE, deployment(node, version.metadata.name ?? ""));
    const status = ["status", "deployment/serve", "--timeout=120s"];
    await kubectl(node, NAMESPACE, "rollout", ...status);
    const pods = await list<Pod>(node, NAMESPACE, "pods", "app=serve");
    expect(pods.length).toBe(2);
    for (const pod of pods) {
      expect(await logsOf(node, `pod/${pod.metadata?.name}`)).toBe(trained);
      expect(modelImagesOf(pod)).toEqual([
        `image-volume ${version.spec.imageRepo}@${version.status?.digest}`,
      ]);
    }
  });

  test("dotfiles, links, empty directories and modes arrive; nothing of it can be written", async () => {
    expect((await shell(node, "cat .dockerignore")).trim()).toBe("*");
    expect((await shell(node, "readlink dangling; readlink latest")).trim()).toBe(
      "nowhere\nweights.bin",
    );
    expect(
      (await shell(node, "stat -c %a private.bin run.sh variables empty")).trim().split("\n"),
    ).toEqual(["644", "755", "775", "755"]);
    expect((await shell(node, "touch new 2>&1 || true")).trim()).toContain("Read-only file system");
  });
});

async function logsOf(node: TestNode, target: string): Promise<string> {
  return kubectl(node, NAMESPACE, "logs", target);
}

/** Runs a command in a serving pod, in the directory of its model. */
async function shell(node: TestNode, command: string): Promise<string> {
  const script = ["sh", "-c", `cd /kubedl-model && ${command}`];
  return kubectl(node, NAMESPACE, "exec", "deployment/serve", "--", ...script);
}

/** The job that was walked by hand, without its volume: the export annotation asks for one. */
function trainingJob(node: TestNode): object {
  const text = readFileSync(join(import.meta.dirname, "walk/3-train.yaml"), "utf8")
    .replaceAll("${BUSYBOX}", node.images.busybox)
    .replaceAll("${SIZE_MB}", "5");
  const job = parse(text) as Job;
  const pod = job.spec?.template.spec;
  const intent = {
    modelName: "walk",
    imageRepo: `${node.cluster.registry}/models/walk`,
    storage: { localStorage: { path: "/models/main-way", nodeName: node.cluster.nodeName } },
  };
  return {
    ...job,
    metadata: {
      name: "train",
      annotations: { "model.kubedl.io/export": JSON.stringify(intent) },
    },
    spec: {
      ...job.spec,
      template: {
        spec: { ...pod, volumes: [], containers: [{ ...pod?.containers[0], volumeMounts: [] }] },
      },
    },
  };
}

function deployment(node: TestNode, modelVersion: string): object {
  const command =
    "cd /kubedl-model; find . -type f -print0 | sort -z | xargs -0 sha256sum; sleep 3600";
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "serve" },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "serve" } },
      template: {
        metadata: {
          labels: { app: "serve" },
          annotations: { "model.kubedl.io/model-version": modelVersion },
        },
        spec: {
          terminationGracePeriodSeconds: 0,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1234,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: "server",
              image: node.images.busybox,
              command: ["sh", "-c", command],
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ["ALL"] },
              },
              readinessProbe: { exec: { command: ["test", "-e", "/kubedl-model/run.sh"] } },
            },
          ],
        },
      },
    },
  };
}
