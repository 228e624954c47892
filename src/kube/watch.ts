import { TextDecoder } from "node:util";
import type { KubeObject } from "../api/kube-types.ts";
import type { ApiServer } from "./client.ts";
import { startDeadline } from "./deadline.ts";
import { ConnectionError } from "./errors.ts";
import { acceptOf, type Selection } from "./list.ts";
import { resourcePath, type Resource } from "./resources.ts";

/** One line of a watch. A BOOKMARK's object has only a resource version; an ERROR's is a Status, and the stream is over. */
export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: T }
  | { readonly type: "ERROR"; readonly object: unknown };

/**
 * Follows a resource from `resourceVersion` until the server ends the stream, which it does after `timeoutSeconds`.
 * Throws what `stream` throws, and ConnectionError when the stream breaks, carries no events or is silent for `stallMs`.
 */
export async function* watchEvents<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  options: Selection & {
    readonly resourceVersion: string;
    readonly timeoutSeconds: number;
    readonly stallMs: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<WatchEvent<T>> {
  const path = resourcePath(resource, { namespace: options.namespace });
  const stall = startDeadline(options.stallMs, options.signal);
  // A server or proxy may cut anywhere, within a character too.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  try {
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds,
    };
    const accept = acceptOf(options, "watch");
    for await (const bytes of await api.stream(path, query, stall.signal, accept)) {
      stall.restart();
      const lines = decode(bytes, decoder, path).split("\n");
      lines[0] = rest + lines[0];
      rest = lines.pop() ?? "";
      for (const line of lines) yield parseEvent<T>(line, path);
    }
    // What is left of a line is an event that the next watch brings whole.
  } finally {
    stall.end();
  }
}

function decode(bytes: Uint8Array, decoder: TextDecoder, path: string): string {
  try {
    return decoder.decode(bytes, { stream: true });
  } catch (cause) {
    throw new ConnectionError(`WATCH ${path}`, "the stream is not UTF-8", { cause });
  }
}

function parseEvent<T extends KubeObject>(line: string, path: string): WatchEvent<T> {
  let event: { type?: unknown; object?: T | null } | null;
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw new ConnectionError(`WATCH ${path}`, "a line of the stream is not JSON", { cause });
  }
  const object = event?.object;
  switch (event?.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
    case "BOOKMARK":
      if (typeof object?.metadata?.resourceVersion === "string") {
        return { type: event.type, object };
      }
      break;
    case "ERROR":
      return { type: "ERROR", object };
  }
  throw new ConnectionError(`WATCH ${path}`, "a line of the stream is not a watch event");
}
