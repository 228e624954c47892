/** `npm run demo`: a model trained, made an image and served, on a real cluster, step by step. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse, stringify } from "yaml";
import type { Job } from "../../src/api/kube-types.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { install } from "../install.ts";
import { openCluster, pushImages, type DemoCluster } from "./cluster.ts";
import { refusalOf, untilBuilt, untilExported } from "./observe.ts";
import { startReport, type Report } from "./report.ts";

const USAGE = `npm run demo [-- --keep] [-- --context NAME --registry HOST/PATH]
  --keep      leave the cluster running
  --context   use the cluster of this kubectl context
  --registry  registry that its nodes pull from and this machine pushes to
`;

const NAMESPACE = "digits";

const { values } = parseArgs({
  options: {
    keep: { type: "boolean", default: false },
    context: { type: "string" },
    registry: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
} else {
  try {
    await demonstrate();
  } catch (error) {
    process.stderr.write(
      `\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}

async function demonstrate(): Promise<void> {
  const report = startReport(process.stdout);
  const cluster = await report.step("A Kubernetes cluster", async (log) =>
    openCluster(values, log),
  );
  let summary: readonly string[];
  try {
    summary = await runSteps(report, cluster);
  } finally {
    if (!values.keep) await report.step("Clean up", async () => cluster.remove());
  }
  report.end(summary);
}

/** Gives the summary. */
async function runSteps(report: Report, cluster: DemoCluster): Promise<readonly string[]> {
  const { kubectl } = cluster;
  const { installation, digits } = await report.step(
    "Images: modelhook from its Dockerfile, kaniko, and a Python with scikit-learn",
    async (log) => pushImages(cluster, log),
  );
  const fill = (name: string, modelVersion = ""): string =>
    manifest(name, {
      REGISTRY: cluster.registry,
      NODE: cluster.nodeName ?? "",
      DIGITS_IMAGE: digits,
      MODEL_VERSION: modelVersion,
    });
  await report.step("modelhook installed: 2 replicas answer", async () => install(installation));

  await report.step("A ModelVersion with two storage types is refused", async (log) => {
    log(await refusalOf(cluster, fill("two-storages.yaml")));
  });

  const trained = await report.step("A Job trains a classifier of digits", async (log) => {
    await kubectl(["apply", "--filename", "-"], fill("1-namespace.yaml"));
    await kubectl(["apply", "--filename", "-"], trainingManifests(fill("2-train.yaml"), cluster));
    await kubectl([
      ...inNamespace(),
      "wait",
      "--for=condition=Complete",
      "job/train",
      "--timeout=300s",
    ]);
    logLines(log, await kubectl([...inNamespace(), "logs", "job/train"]));
    const job = JSON.parse(await kubectl([...inNamespace(), "get", "job", "train", "-o", "json"]));
    return job as Job;
  });

  const version = await report.step(
    "Its success becomes a ModelVersion, and an image",
    async (log) => {
      const name = await untilExported(cluster, NAMESPACE, trained, log);
      return untilBuilt(cluster, NAMESPACE, name, log);
    },
  );
  const name = version.metadata.name ?? "";

  await report.step("A Deployment with one annotation serves it", async (log) => {
    await kubectl(["apply", "--filename", "-"], fill("3-serve.yaml", name));
    await kubectl([...inNamespace(), "rollout", "status", "deployment/serve", "--timeout=180s"]);
    const loader = "jsonpath={.items[0].spec.initContainers[0].image}";
    log(
      `the loader's image: ${await kubectl([...inNamespace(), "get", "pods", "-l", "app=serve", "-o", loader])}`,
    );
  });

  const answer = await report.step(
    "Digits that it never saw, over HTTP to the Service",
    async (log) => {
      await kubectl(["apply", "--filename", "-"], fill("4-ask.yaml"));
      await kubectl([
        ...inNamespace(),
        "wait",
        "--for=condition=Complete",
        "job/ask",
        "--timeout=120s",
      ]);
      const text = await kubectl([...inNamespace(), "logs", "job/ask"]);
      logLines(log, text);
      return text;
    },
  );
  return [...summaryOf(version, cluster), "", "The serving pod answered:", ...lastLines(answer)];
}

function summaryOf(
  { metadata, spec, status }: ModelVersion,
  cluster: DemoCluster,
): readonly string[] {
  const command = `${cluster.kubectlCommand} --namespace ${NAMESPACE}`;
  const looks = [
    `${command} get models,modelversions -o wide`,
    `${command} describe modelversion ${metadata.name}`,
    `${command} get pods -l app=serve -o yaml`,
  ];
  return [
    `ModelVersion  ${metadata.name}`,
    `image         ${status?.image}`,
    `pods run      ${spec.imageRepo}@${status?.digest}`,
    `model         ${status?.files} files, ${status?.size} bytes`,
    "",
    values.keep ? "Look around:" : "With `npm run demo -- --keep` you can look around:",
    ...looks.map((look) => `  ${look}`),
    ...(values.keep && values.context === undefined ? ["Remove it: npm run cluster -- down"] : []),
  ];
}

/** The part of the answer that fits below a summary: prediction and accuracy. */
function lastLines(answer: string): readonly string[] {
  return answer.trimEnd().split("\n").slice(-2);
}

function inNamespace(): readonly string[] {
  return ["--namespace", NAMESPACE];
}

function manifest(name: string, variables: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(import.meta.dirname, "manifests", name), "utf8");
  return text.replace(/\$\{([A-Z_]+)\}/g, (all, variable: string) => variables[variable] ?? all);
}

/** The training Job; where no node of ours keeps the model, with a claim of the default storage class. */
function trainingManifests(text: string, { nodeName }: DemoCluster): string {
  if (nodeName !== undefined) return text;
  const job = parse(text) as {
    spec: { template: { metadata: { annotations: Record<string, string> } } };
  };
  const { annotations } = job.spec.template.metadata;
  const key = "model.kubedl.io/export";
  const intent = parse(annotations[key] ?? "") as object;
  annotations[key] = stringify({
    ...intent,
    storage: { persistentVolumeClaim: { claimName: "training" } },
  });
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "training", namespace: NAMESPACE },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
  return [claim, job].map((object) => stringify(object)).join("---\n");
}

function logLines(log: (line: string) => void, text: string): void {
  for (const line of text.trimEnd().split("\n")) log(line);
}
