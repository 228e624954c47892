import type { ApiServer } from "./client.ts";
import { statusError } from "./errors.ts";
import type { Resource } from "./resources.ts";

/** A resource in the version that the API server prefers of it. */
export interface ServedResource extends Resource {
  /** All versions that it is served in. */
  readonly versions: readonly string[];
  readonly verbs: readonly string[];
}

/** The part of an `apidiscovery.k8s.io/v2` APIGroupDiscoveryList that is read. */
interface Discovery {
  readonly kind?: string;
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    /** The preferred one comes first. */
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind: string };
        readonly scope: string;
        readonly verbs: readonly string[];
      }[];
    }[];
  }[];
}

/** Every API server from Kubernetes 1.30 on tells all groups in one answer of this type. */
const ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Reads what the API server serves besides the core group; throws ApiError where it does not tell. */
export async function servedResources(api: ApiServer): Promise<readonly ServedResource[]> {
  const answer = await api.request<Discovery>("GET", "/apis", { accept: ACCEPT });
  // Whatever else a server on the way answers would read as a cluster without any kind.
  if (answer.kind !== "APIGroupDiscoveryList") {
    const message = `the answer is ${answer.kind}, not APIGroupDiscoveryList`;
    throw statusError({ message }, { status: 406, request: "GET /apis" });
  }
  return resourcesIn(answer);
}

/** The resources of a document, each once, whatever the number of its versions. */
function resourcesIn({ items = [] }: Discovery): readonly ServedResource[] {
  return items.flatMap(({ metadata, versions = [] }) => {
    const found = new Map<string, ServedResource>();
    for (const { version, resources = [] } of versions) {
      for (const { resource: plural, responseKind, scope, verbs } of resources) {
        const first = found.get(plural) ?? {
          group: metadata?.name ?? "",
          version,
          plural,
          kind: responseKind?.kind ?? "",
          namespaced: scope === "Namespaced",
          versions: [],
          verbs,
        };
        found.set(plural, { ...first, versions: [...first.versions, version] });
      }
    }
    return [...found.values()];
  });
}
