/** Functions that want to know of changes. */
export interface Listeners {
  /** Adds one, until the signal when there is one. */
  readonly add: (listener: () => void, until?: AbortSignal) => void;
  readonly callAll: () => void;
}

/** Makes an empty set of listeners. */
export function createListeners(): Listeners {
  const listeners = new Set<() => void>();
  return {
    add(listener, until) {
      listeners.add(listener);
      until?.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
    callAll() {
      for (const listener of listeners) listener();
    },
  };
}
