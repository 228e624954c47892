import { join } from "node:path";
import { buildPrograms } from "./build.ts";
import type { LocalCluster } from "./cluster-handle.ts";
import { directoryOfModule } from "./go-module.ts";
import { type Entry, filesLayer } from "./images/layer.ts";
import { pushImage } from "./images/push.ts";
import { type Manifests, splitManifests } from "./operator-manifests.ts";
import { waitUntil } from "./readiness.ts";

/** A controller that its own project installs by a kustomization in its Go module. */
export interface Operator {
  readonly program: "training-operator" | "jobset";
  readonly module: string;
  /** Directory of the kustomization in the module. */
  readonly kustomization: string;
  /** Names of the CustomResourceDefinitions that it is given; an API server spends seconds on each of the big ones. */
  readonly kinds: readonly string[];
  /** Namespace that the kustomization names. */
  readonly namespace: string;
  /** What its image has beside the program. */
  readonly files: readonly Entry[];
  /** Arguments beside those of its manifests. */
  readonly arguments: readonly string[];
  /** Suspended jobs, one of each kind that has to work; that the operator calls them suspended shows that it does. */
  readonly probes: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec: object;
  }[];
}

const KINDS_TIMEOUT_MS = 60_000;
const READY_TIMEOUT_MS = 180_000;
const PROBE_TIMEOUT_MS = 60_000;

/** Installs an operator from its own manifests and waits until it answers for jobs; what runs already stays as it is. */
export async function startOperator(cluster: LocalCluster, operator: Operator): Promise<void> {
  const { program, kinds, kustomization, module } = operator;
  const programs = await buildPrograms([program], { log });
  const image = await pushImage(
    {
      repository: program,
      // Where the manifests of both have it.
      layers: [
        await filesLayer([
          { path: "manager", copyOf: programs[program], mode: 0o755 },
          ...operator.files,
        ]),
      ],
      user: "65532:65532",
    },
    { crane: cluster.bin("crane"), registry: cluster.registry, log },
  );
  const directory = join(await directoryOfModule(program, module), kustomization);
  const text = await cluster.kubectl(["kustomize", directory]);
  await install(cluster, splitManifests(text, { image, kinds, arguments: operator.arguments }));
  await whenReady(cluster, operator.namespace);
  for (const probe of operator.probes) await whenReconciled(cluster, operator.namespace, probe);
}

async function install({ kubectl }: LocalCluster, { kinds, others }: Manifests): Promise<void> {
  // The kinds are too long for the annotation that client-side apply keeps.
  const apply = ["apply", "--server-side", "--filename", "-"];
  await kubectl(apply, kinds);
  const wait = ["wait", "--for=condition=Established", "--timeout=60s", "--filename", "-"];
  await waitUntil({
    what: "the operator's kinds were not established",
    timeoutMs: KINDS_TIMEOUT_MS,
    // kubectl fails at once on a kind so new that its conditions are null.
    check: async () => succeeds(kubectl(wait, kinds)),
  });
  await kubectl(apply, others);
}

/**
 * The operator writes its certificates into a Secret that its own pod mounts. Kubelet brings changed Secrets into pods once in
 * a while, more than a minute at times, but at once into a pod that itself changes.
 */
async function whenReady({ kubectl }: LocalCluster, namespace: string): Promise<void> {
  await waitUntil({
    what: `the operator in ${namespace} was not ready`,
    timeoutMs: READY_TIMEOUT_MS,
    check: async () => {
      const inside = ["--namespace", namespace, "--all"];
      const wait = ["wait", "deployment", "--for=condition=Available", "--timeout=2s", ...inside];
      if (await succeeds(kubectl(wait))) return true;
      const changed = `modelhook.test/changed=${Date.now()}`;
      await kubectl(["annotate", "pods", changed, "--overwrite", ...inside]);
      return false;
    },
  });
}

/** Its webhooks are served a little later than it calls itself ready, and its controllers start after that. */
async function whenReconciled(
  { kubectl }: LocalCluster,
  namespace: string,
  probe: Operator["probes"][number],
): Promise<void> {
  const text = JSON.stringify(probe);
  const file = ["--namespace", namespace, "--filename", "-"];
  await waitUntil({
    what: `no ${probe.kind} was reconciled`,
    timeoutMs: PROBE_TIMEOUT_MS,
    check: async () =>
      (await succeeds(kubectl(["apply", ...file], text))) &&
      succeeds(kubectl(["wait", "--for=condition=Suspended", "--timeout=5s", ...file], text)),
  });
  await kubectl(["delete", "--timeout=60s", ...file], text);
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function succeeds(command: Promise<string>): Promise<boolean> {
  return command.then(
    () => true,
    () => false,
  );
}
