import type { Storage } from "../../../src/api/storage.ts";
import { kubectl, type TestNode } from "../node.ts";
import { repositoryOf } from "./models.ts";

/** A Job that runs a script in the directory of the model that it exports. */
export function exportingJob(
  node: TestNode,
  name: string,
  intent: { readonly modelName: string; readonly storage: Storage },
  script: string,
  terminationGracePeriodSeconds = 0,
): object {
  const exported = { ...intent, imageRepo: repositoryOf(node, intent.modelName) };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, annotations: { "model.kubedl.io/export": JSON.stringify(exported) } },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds,
          securityContext: { runAsUser: 1000, runAsGroup: 1000 },
          containers: [
            {
              name: "train",
              image: node.images.busybox,
              command: ["sh", "-euc", `cd /kubedl-model; ${script}`],
            },
          ],
        },
      },
    },
  };
}

/** A pod that prints the hashes of the model it serves, and can not be ready without it. */
export function servingPod(
  node: TestNode,
  name: string,
  version: string,
  more: Readonly<Record<string, string>> = {},
): object {
  const { metadata, spec } = servingTemplate(node, name, version);
  const annotations = { ...metadata.annotations, ...more };
  return { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name, annotations }, spec };
}

/** A Deployment of such pods. */
export function servingDeployment(
  node: TestNode,
  name: string,
  version: string,
  replicas: number,
): object {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: servingTemplate(node, name, version),
    },
  };
}

/** What each pod with a label printed. */
export async function logsByPod(
  node: TestNode,
  namespace: string,
  selector: string,
): Promise<Readonly<Record<string, string>>> {
  const flags = ["--prefix", "--tail=-1", "--max-log-requests=100"];
  const text = await kubectl(node, namespace, "logs", `--selector=${selector}`, ...flags);
  const logs: Record<string, string> = {};
  for (const [, pod = "", line = ""] of text.matchAll(/^\[pod\/([^/]+)\/[^\]]+\] (.*\n)/gm))
    logs[pod] = (logs[pod] ?? "") + line;
  return logs;
}

function servingTemplate(node: TestNode, app: string, version: string) {
  const script =
    "cd /kubedl-model && find . -type f -print0 | sort -z | xargs -0 sha256sum && touch /tmp/served && exec sleep 3600";
  return {
    metadata: {
      labels: { app, faults: "serving" },
      annotations: { "model.kubedl.io/model-version": version },
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "server",
          image: node.images.busybox,
          command: ["sh", "-euc", script],
          readinessProbe: { exec: { command: ["test", "-e", "/tmp/served"] }, periodSeconds: 1 },
        },
      ],
    },
  };
}
