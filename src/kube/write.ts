import type { KubeObject } from "../api/kube-types.ts";
import type { PatchOperation } from "../api/review.ts";
import type { ApiServer } from "./client.ts";
import { isConflict, isNotFound, unlessAbsent } from "./errors.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { resourcePath, type ObjectRef, type Resource } from "./resources.ts";

/** The name under which the API server remembers which fields are ours. */
const FIELD_MANAGER = "modelhook";

/** What every write takes besides its object. */
export interface WriteOptions {
  readonly subresource?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** Reads one object; throws ApiError, for which isNotFound holds when it does not exist. */
export async function get<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  ref: ObjectRef,
  options: { readonly signal?: AbortSignal } = {},
): Promise<T> {
  return api.request("GET", resourcePath(resource, ref), { signal: options.signal });
}

/** Reads one object; undefined when it, or its kind, does not exist. */
export async function find<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  ref: ObjectRef,
  options: { readonly signal?: AbortSignal } = {},
): Promise<T | undefined> {
  return unlessAbsent(async () => get<T>(api, resource, ref, options));
}

/** Creates an object in the namespace that its metadata names; isAlreadyExists holds when the name is taken. */
export async function create<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  object: T,
  options: WriteOptions = {},
): Promise<T> {
  const path = resourcePath(resource, { namespace: object.metadata?.namespace });
  return write(api, "POST", path, typed(resource, object), options);
}

/** Server-side apply: makes the given fields ours whoever owned them; creates the object when it is missing. */
export async function apply<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  object: KubeObject,
  options: WriteOptions = {},
): Promise<T> {
  const path = pathOf(resource, object, options);
  // YAML is a superset of JSON, so the one content type that every version accepts takes JSON too.
  const contentType = "application/apply-patch+yaml";
  return write(api, "PATCH", path, typed(resource, object), options, {
    contentType,
    query: { force: true },
  });
}

/** JSON merge patch; with `metadata.resourceVersion` in the patch isConflict holds when the object has changed. */
export async function mergePatch<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  ref: ObjectRef,
  patch: object,
  options: WriteOptions = {},
): Promise<T> {
  const path = resourcePath(resource, { ...ref, subresource: options.subresource });
  return write(api, "PATCH", path, patch, options, {
    contentType: "application/merge-patch+json",
  });
}

/** JSON Patch; isInvalid holds when a `test` fails. */
export async function jsonPatch<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  ref: ObjectRef,
  operations: readonly PatchOperation[],
  options: WriteOptions = {},
): Promise<T> {
  const path = resourcePath(resource, { ...ref, subresource: options.subresource });
  return write(api, "PATCH", path, operations, options, {
    contentType: "application/json-patch+json",
  });
}

/** Merges `status` into the status subresource; with `resourceVersion` only if the object is still as it was read. */
export async function patchStatus<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  ref: ObjectRef & { readonly resourceVersion?: string | undefined },
  status: object,
  options: Omit<WriteOptions, "subresource"> = {},
): Promise<T> {
  const { resourceVersion, ...place } = ref;
  const patch = {
    status,
    ...(resourceVersion === undefined ? {} : { metadata: { resourceVersion } }),
  };
  return mergePatch(api, resource, place, patch, { ...options, subresource: "status" });
}

/** Replaces an object; isConflict holds when its resourceVersion is no longer the server's. */
export async function update<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  object: T,
  options: WriteOptions = {},
): Promise<T> {
  return write(api, "PUT", pathOf(resource, object, options), typed(resource, object), options);
}

/** Replaces the status of an object, under the same precondition as `update`. */
export async function updateStatus<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  object: T,
  options: Omit<WriteOptions, "subresource"> = {},
): Promise<T> {
  return update(api, resource, object, { ...options, subresource: "status" });
}

/** Deletes an object, dependents in the background unless said; isConflict holds when uid or resourceVersion differ. */
export async function remove(
  api: ApiServer,
  resource: Resource,
  ref: ObjectRef,
  options: {
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
    readonly signal?: AbortSignal;
  } = {},
): Promise<void> {
  const { uid, resourceVersion, propagationPolicy = "Background", signal } = options;
  await api.request("DELETE", resourcePath(resource, ref), {
    body: {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy,
      preconditions: { uid, resourceVersion },
    },
    signal,
  });
}

async function write<T>(
  api: ApiServer,
  method: "POST" | "PUT" | "PATCH",
  path: string,
  body: unknown,
  options: WriteOptions,
  request: { readonly contentType?: string; readonly query?: { readonly force: boolean } } = {},
): Promise<T> {
  return api.request(method, path, {
    ...request,
    body,
    query: {
      ...request.query,
      fieldManager: FIELD_MANAGER,
      dryRun: options.dryRun === true ? "All" : undefined,
    },
    signal: options.signal,
  });
}

function pathOf(resource: Resource, { metadata }: KubeObject, options: WriteOptions): string {
  return resourcePath(resource, {
    namespace: metadata?.namespace,
    name: metadata?.name ?? "",
    subresource: options.subresource,
  });
}

function typed<T extends KubeObject>(resource: Resource, object: T): T {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

/**
 * Deletes the object that is meant, by its UID where that is given: gone, or another of its name by now, is done. False when it is not
 * of the resourceVersion that was asked for.
 */
export async function removeOnce(
  api: ApiServer,
  resource: Resource,
  { uid, ...ref }: ObjectRef & { readonly uid?: string | undefined },
  resourceVersion?: string,
): Promise<boolean> {
  try {
    await remove(api, resource, ref, {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    });
  } catch (error) {
    // What has changed since is looked at again.
    if (isConflict(error) && resourceVersion !== undefined) return false;
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
  return true;
}
