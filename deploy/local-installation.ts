import { NO_BASE } from "../src/api/modelversion.ts";
import { install } from "./install.ts";
import { pushNodeImages } from "./local/images.ts";
import { pushProductImage } from "./local/images/product.ts";
import { up, type LocalCluster, type UpOptions } from "./local/local-cluster.ts";

/** A one-node cluster with the product installed from this tree. */
export interface LocalInstallation {
  readonly cluster: LocalCluster;
  /** The images in the cluster's registry, as repository@digest. */
  readonly images: Readonly<Record<"busybox" | "kaniko" | "modelhook", string>>;
}

/** Brings the cluster up, makes and pushes the images, installs the product and waits until both replicas are ready. */
export async function installLocally(
  options: UpOptions & {
    readonly log: (line: string) => void;
    /** Registries besides the cluster's that may be reached by plain HTTP. */
    readonly insecureRegistries?: readonly string[];
    /** Images that a version may be built on, besides the installation's and `scratch`. */
    readonly allowedBaseImages?: readonly string[];
  },
): Promise<LocalInstallation> {
  const cluster = await up(options);
  const push = { registry: cluster.registry, log: options.log, signal: options.signal };
  const { busybox, kaniko } = await pushNodeImages(["pause", "busybox", "kaniko"], push);
  const modelhook = await pushProductImage(push);
  await install({
    kubectl: cluster.kubectl,
    image: modelhook,
    kanikoImage: kaniko,
    baseImage: busybox,
    allowedBaseImages: [NO_BASE, ...(options.allowedBaseImages ?? [])],
    insecureRegistries: [cluster.registry, ...(options.insecureRegistries ?? [])],
    allowedPrefixes: { "*": ["/models"] },
  });
  return { cluster, images: { busybox, kaniko, modelhook } };
}
