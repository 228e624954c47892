import { join } from "node:path";
import { uninstall, type InstallOptions } from "../install.ts";
import { buildPrograms, cacheDirectory } from "../local/build.ts";
import { useContext } from "../local/context.ts";
import { pushNodeImages } from "../local/images.ts";
import { pushProductImage } from "../local/images/product.ts";
import { makeKubectl, type Kubectl } from "../local/kubectl.ts";
import { down, up } from "../local/local-cluster.ts";
import { buildDemoImages } from "./images.ts";

/** The user's choice: a cluster of this machine, or one that the user has. */
export interface ClusterChoice {
  readonly context?: string | undefined;
  /** Registry that the nodes of that cluster pull from: HOST[:PORT][/PATH]. */
  readonly registry?: string | undefined;
}

/** Where the demo runs. */
export interface DemoCluster {
  readonly kubectl: Kubectl;
  /** How the user looks around: the beginning of a kubectl command. */
  readonly kubectlCommand: string;
  readonly registry: string;
  /** Node whose disk keeps the model; undefined where a claim of the default storage class does. */
  readonly nodeName: string | undefined;
  /** Takes away what the demo made. */
  remove(): Promise<void>;
}

type Log = (line: string) => void;

/** Makes the one-node cluster of this machine, or turns to the cluster of the context. */
export async function openCluster(choice: ClusterChoice, log: Log): Promise<DemoCluster> {
  if (choice.context === undefined) return openLocal(log);
  if (choice.registry === undefined) {
    throw new Error(
      "--context needs --registry HOST/PATH, a registry that its nodes can pull from",
    );
  }
  const kubeconfig = await useContext(choice.context, log);
  const program = (await buildPrograms(["kubectl"], { log })).kubectl;
  const kubectl = makeKubectl(program, kubeconfig, join(cacheDirectory(), "contexts"));
  await assertDefaultStorageClass(kubectl, choice.context);
  return {
    kubectl,
    kubectlCommand: `kubectl --context ${choice.context}`,
    registry: choice.registry,
    nodeName: undefined,
    remove: async () => {
      await kubectl(["delete", "namespace", "digits", "--ignore-not-found", "--timeout=120s"]);
      await uninstall(kubectl);
    },
  };
}

/** The demo's claim would wait for ever, and nobody would say why. */
async function assertDefaultStorageClass(kubectl: Kubectl, context: string): Promise<void> {
  const { items } = JSON.parse(await kubectl(["get", "storageclasses", "--output=json"])) as {
    items: readonly { metadata: { annotations?: Record<string, string> } }[];
  };
  const key = "storageclass.kubernetes.io/is-default-class";
  if (items.some(({ metadata }) => metadata.annotations?.[key] === "true")) return;
  throw new Error(`the cluster of context ${context} has no default storage class for the model`);
}

async function openLocal(log: Log): Promise<DemoCluster> {
  const cluster = await up({ log });
  return {
    kubectl: cluster.kubectl,
    kubectlCommand: `${cluster.bin("kubectl")} --kubeconfig ${cluster.kubeconfig}`,
    registry: cluster.registry,
    nodeName: cluster.nodeName,
    remove: async () => down({ log }),
  };
}

/** Makes and pushes every image that the demo needs; gives what an installation is told, and the demo's own image. */
export async function pushImages(
  { kubectl, registry, nodeName }: DemoCluster,
  log: Log,
): Promise<{ readonly installation: InstallOptions; readonly digits: string }> {
  const push = { registry, log };
  const { busybox, kaniko } = await pushNodeImages(["pause", "busybox", "kaniko"], push);
  const image = await pushProductImage(push);
  const { digits } = await buildDemoImages(push);
  const installation: InstallOptions = {
    kubectl,
    image,
    kanikoImage: kaniko,
    baseImage: busybox,
    // The local registry speaks plain HTTP; another one has to be what it should be.
    insecureRegistries: nodeName === undefined ? [] : [registry],
    allowedPrefixes: nodeName === undefined ? {} : { digits: ["/models"], default: ["/foo"] },
  };
  return { installation, digits };
}
