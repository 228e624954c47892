/** Functions that want to know of changes. */
export interface Listeners<Args extends readonly unknown[] = []> {
  /** Adds one, until the signal when there is one. */
  readonly add: (listener: (...args: Args) => void, until?: AbortSignal) => void;
  readonly callAll: (...args: Args) => void;
}

/** Makes an empty set of listeners. */
export function createListeners<Args extends readonly unknown[] = []>(): Listeners<Args> {
  const listeners = new Set<(...args: Args) => void>();
  return {
    add(listener, until) {
      listeners.add(listener);
      until?.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
    callAll(...args) {
      for (const listener of listeners) listener(...args);
    },
  };
}
