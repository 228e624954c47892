import type { Resource } from "../kube/resources.ts";
import { isForbidden, isNotFound } from "../kube/errors.ts";

/** A part of a cluster that its user could not read. */
export interface Unread {
  /** Plural of the resource. */
  readonly resource: string;
  readonly message: string;
}

/** Reads of which each may fail for itself. */
export interface Attempts {
  /** What could not be read so far, in the order of its text: reads end in any order. */
  unread(): readonly Unread[];
  /** Reads, or gives `otherwise` and remembers why; `what` is how people name it. What is worse than a refusal is thrown. */
  read<T>(
    { resource, what }: { readonly resource: Resource; readonly what: string },
    otherwise: T,
    reading: () => Promise<T>,
  ): Promise<T>;
}

/** Starts a list of what can not be read. */
export function startAttempts(): Attempts {
  const unread: Unread[] = [];
  return {
    unread: () => unread.toSorted((a, b) => (a.message < b.message ? -1 : 1)),
    async read({ resource, what }, otherwise, reading) {
      try {
        return await reading();
      } catch (error) {
        if (!isForbidden(error) && !isNotFound(error)) throw error;
        const why = isForbidden(error) ? "forbidden" : "not found";
        const message = `${what} can not be read (${why}): ${error.message}`;
        unread.push({ resource: resource.plural, message });
        return otherwise;
      }
    },
  };
}
