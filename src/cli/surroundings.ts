import type { Policy } from "../admission/policy.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { BUILT_IN_POLICY } from "./built-in-limits.ts";
import { afterApplying, emptyWorld, type World } from "./world.ts";

/** What is known of where manifests are applied. */
export interface Surroundings {
  readonly world: World;
  /** Namespace of what names none. */
  readonly namespace: string;
  /** What of a cluster could not be read, a sentence each. */
  readonly unread: readonly string[];
}

/** The surroundings, or why they can not be known, a sentence each. */
export type FoundSurroundings =
  | { readonly ok: true; readonly value: Surroundings }
  | { readonly ok: false; readonly faults: readonly string[] };

/** What the user says of the place. */
export interface PlaceOptions {
  readonly namespace?: string | undefined;
  readonly context?: string | undefined;
  /** The administrator's limits, where a file has them. */
  readonly policy: Policy | undefined;
}

/** Without these a pod would be told that its model does not exist. */
const NEEDED: ReadonlySet<string> = new Set(["modelversions", "models", "modelbindings"]);

const TWO_WAYS =
  "name a cluster that runs modelhook by --context or KUBECONFIG, or files that hold ModelVersions by --versions";

/** The surroundings that objects of files make up; no cluster is asked. */
export function surroundingsOf(
  known: readonly KubeObject[],
  { namespace = "default", policy }: PlaceOptions,
): Surroundings {
  const world = emptyWorld(policy ?? BUILT_IN_POLICY);
  return { world: afterApplying(world, known, namespace), namespace, unread: [] };
}

/** What a cluster tells about the namespaces of these objects. */
export async function surroundingsIn(
  objects: readonly KubeObject[],
  options: PlaceOptions,
): Promise<FoundSurroundings> {
  // The client costs more time than all that needs no cluster.
  const { inCluster } = await import("./cluster.ts");
  const { readLiveLimits, readWorld } = await import("./live-world.ts");
  const { startAttempts } = await import("./attempts.ts");
  const attempts = startAttempts();
  const found = await inCluster(options.context, async ({ api, namespace: own }) => {
    const namespace = options.namespace ?? own;
    const namespaces = new Set(objects.map(({ metadata }) => metadata?.namespace || namespace));
    const policy = options.policy ?? (await readLiveLimits(api, attempts));
    return { namespace, world: await readWorld(api, [...namespaces], policy, attempts) };
  });
  if (!found.ok) return { ok: false, faults: [`${found.message}; ${TWO_WAYS}`] };
  const unread = attempts.unread();
  const missing = unread.filter(({ resource }) => NEEDED.has(resource));
  if (missing.length > 0) {
    return { ok: false, faults: [...missing.map(({ message }) => message), TWO_WAYS] };
  }
  return {
    ok: true,
    value: { ...found.value, unread: unread.map(({ message }) => message) },
  };
}
