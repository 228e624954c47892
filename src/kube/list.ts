import type { KubeObject } from "../api/kube-types.ts";
import type { ApiServer } from "./client.ts";
import { isGone } from "./errors.ts";
import { apiVersionOf, resourcePath, type Resource } from "./resources.ts";

/** Which objects of a resource; all of them when empty. */
export interface Selection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Reads the metadata of the objects and nothing else of them. */
  readonly metadataOnly?: boolean | undefined;
}

/** Parameters of the media type that stands for metadata without the rest (Kubernetes API concepts, partial object metadata). */
const METADATA = ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** The `accept` header of a list or watch of the selection. */
export function acceptOf({ metadataOnly }: Selection, what: "list" | "watch"): string | undefined {
  if (metadataOnly !== true) return undefined;
  return `application/json${what === "list" ? METADATA : METADATA.replace("List", "")}`;
}

/** All selected objects as they were at one resource version. */
export interface Listing<T> {
  readonly items: T[];
  readonly resourceVersion: string;
}

interface Page<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[] | null;
}

/**
 * Reads a whole collection page by page (500 objects by default), every item with its apiVersion and kind.
 * A continue token that expires on the way starts the list again in one page, which cannot expire.
 */
export async function listAll<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  options: Selection & { readonly pageSize?: number; readonly signal?: AbortSignal } = {},
): Promise<Listing<T>> {
  try {
    return await listPages(api, resource, options, options.pageSize ?? 500);
  } catch (error) {
    if (!isGone(error)) throw error;
    return listPages(api, resource, options, undefined);
  }
}

async function listPages<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  options: Selection & { readonly signal?: AbortSignal },
  limit: number | undefined,
): Promise<Listing<T>> {
  const path = resourcePath(resource, { namespace: options.namespace });
  const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  const accept = acceptOf(options, "list");
  const items: T[] = [];
  let token: string | undefined;
  for (;;) {
    const page: Page<T> = await api.request("GET", path, {
      query: {
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        limit,
        continue: token,
      },
      signal: options.signal,
      ...(accept === undefined ? {} : { accept }),
    });
    // The server calls metadata without the rest a kind of its own.
    for (const item of page.items ?? []) items.push({ ...item, ...type });
    token = page.metadata.continue;
    if (token === undefined || token === "") {
      return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }
}
