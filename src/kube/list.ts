import type { KubeObject } from "../api/kube-types.ts";
import type { ApiServer } from "./client.ts";
import { isGone } from "./errors.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { resourcePath, type Resource } from "./resources.ts";

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

/** A selection, and how it is read. */
export interface ListOptions<T> extends Selection {
  /** Default 500. */
  readonly pageSize?: number;
  /** The part of an object that is kept, page by page, so that the rest is never there as a whole; all of it when absent. */
  readonly pick?: (object: T) => T;
  readonly signal?: AbortSignal;
}

/**
 * Reads a whole collection page by page (500 objects by default), every item with its apiVersion and kind.
 * A continue token that expires on the way starts the list again in one page, which cannot expire.
 */
export async function listAll<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  options: ListOptions<T> = {},
): Promise<Listing<T>> {
  try {
    return await collect(listPages<T>(api, resource, options));
  } catch (error) {
    if (!isGone(error)) throw error;
    return collect(readPages<T>(api, resource, options, undefined));
  }
}

/**
 * The same, a page at a time, for collections of which only a part is kept. Throws what `isGone` tells when the token expires,
 * after minutes: what the pages said until then is half a view.
 */
export function listPages<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  options: ListOptions<T> = {},
): AsyncGenerator<Listing<T>, void> {
  return readPages<T>(api, resource, options, options.pageSize ?? 500);
}

async function* readPages<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  options: ListOptions<T>,
  limit: number | undefined,
): AsyncGenerator<Listing<T>, void> {
  const path = resourcePath(resource, { namespace: options.namespace });
  const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  const accept = acceptOf(options, "list");
  const { pick = (object) => object } = options;
  let token: string | undefined;
  do {
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
    const items: T[] = [];
    for (const item of page.items ?? []) items.push(pick({ ...item, ...type }));
    yield { items, resourceVersion: page.metadata.resourceVersion };
    token = page.metadata.continue;
  } while (token !== undefined && token !== "");
}

async function collect<T>(pages: AsyncIterable<Listing<T>>): Promise<Listing<T>> {
  const items: T[] = [];
  let resourceVersion = "";
  for await (const page of pages) {
    for (const item of page.items) items.push(item);
    ({ resourceVersion } = page);
  }
  return { items, resourceVersion };
}
