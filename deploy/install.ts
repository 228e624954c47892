import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments, stringify } from "yaml";
import type { Kubectl } from "./local/kubectl.ts";

/** What an installation is told. */
export interface InstallOptions {
  readonly kubectl: Kubectl;
  /** Our own image. */
  readonly image: string;
  readonly kanikoImage: string;
  /** Image below every model. */
  readonly baseImage: string;
  /** Images that a version may be built on besides that one (none by default). */
  readonly allowedBaseImages?: readonly string[];
  /** Registries (host:port) that may be reached by plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /** Directories on nodes that a namespace may store models below. */
  readonly allowedPrefixes: Readonly<Record<string, readonly string[]>>;
}

/** An object of install.yaml, as far as an installation changes it. */
interface Manifest {
  kind: string;
  data?: Record<string, string>;
  spec?: {
    template?: {
      spec: { containers: { image: string; env?: { name: string; value?: string }[] }[] };
    };
  };
}

/** Applies the CustomResourceDefinitions and install.yaml, and waits until both replicas answer. */
export async function install(options: InstallOptions): Promise<void> {
  const { kubectl } = options;
  const directory = join(import.meta.dirname, "crds");
  await kubectl(["apply", "--server-side", "--filename", directory]);
  const names = readdirSync(directory).map((file) => crdName(join(directory, file)));
  await kubectl(["wait", "--for=condition=Established", "--timeout=60s", ...names]);
  await kubectl(["apply", "--server-side", "--filename", "-"], manifests(options));
  const rollout = ["rollout", "status", "deployment/modelhook", "--timeout=180s"];
  await kubectl(["--namespace", "modelhook-system", ...rollout]);
}

/** Removes what `install` made. ModelVersions and Models go with their kinds; what they were built from and the images stay. */
export async function uninstall(kubectl: Kubectl): Promise<void> {
  const gone = ["--ignore-not-found", "--timeout=120s"];
  const ours = ["--namespace", "modelhook-system"];
  // First, while the controller still lets go of what it holds. With a kind its objects go, those that are in use, too.
  await kubectl(["delete", "--filename", join(import.meta.dirname, "crds"), ...gone]);
  await kubectl(["delete", "deployment", "modelhook", ...ours, ...gone]);
  // A leader that still runs would make its configurations anew.
  const pods = ["pod", "--selector", "app.kubernetes.io/name=modelhook", ...ours];
  await kubectl(["wait", "--for=delete", ...pods, "--timeout=120s"]);
  const configurations = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
  await kubectl(["delete", configurations, "modelhook", ...gone]);
  await kubectl(["delete", "--filename", join(import.meta.dirname, "install.yaml"), ...gone]);
}

/** install.yaml with the options filled in. */
export function manifests(options: InstallOptions): string {
  const text = readFileSync(join(import.meta.dirname, "install.yaml"), "utf8");
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest)
    .map((manifest) => stringify(filledIn(manifest, options), { version: "1.1" }))
    .join("---\n");
}

function filledIn(manifest: Manifest, options: InstallOptions): Manifest {
  if (manifest.kind === "ConfigMap") {
    const { kanikoImage, baseImage, insecureRegistries, allowedPrefixes } = options;
    const { allowedBaseImages = [] } = options;
    const limits = parse(manifest.data?.["config.yaml"] ?? "") as { build: object };
    const config = {
      ...limits,
      localStorage: { allowedPrefixes },
      build: { ...limits.build, kanikoImage, baseImage, allowedBaseImages, insecureRegistries },
    };
    return { ...manifest, data: { "config.yaml": stringify(config) } };
  }
  for (const container of manifest.spec?.template?.spec.containers ?? []) {
    container.image = options.image;
    const own = container.env?.find(({ name }) => name === "MODELHOOK_IMAGE");
    if (own !== undefined) own.value = options.image;
  }
  return manifest;
}

function crdName(file: string): string {
  const { metadata } = parse(readFileSync(file, "utf8")) as { metadata: { name: string } };
  return `crd/${metadata.name}`;
}
