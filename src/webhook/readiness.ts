/** What others may ask of it. */
export interface ReadinessReport {
  isReady(): boolean;
  isDraining(): boolean;
  /** One line for each condition, `[+]name` or `[-]name: why`, as the API server's own /readyz has them. */
  report(): string;
}

/** What must hold before requests may come. */
export interface Readiness<Name extends string> extends ReadinessReport {
  /** Says that a condition holds, or why it does not. */
  set(name: Name, holds: true): void;
  set(name: Name, holds: false, why: string): void;
  /** Takes readiness back for good. */
  startDraining(): void;
}

/** Makes the conditions of one process; none holds yet. */
export function createReadiness<Name extends string>(names: readonly Name[]): Readiness<Name> {
  const missing = new Map<Name, string>(names.map((name) => [name, "not yet"]));
  let isDraining = false;
  return {
    set(name: Name, holds: boolean, why?: string) {
      if (holds) missing.delete(name);
      else missing.set(name, why ?? "");
    },
    isReady: () => missing.size === 0 && !isDraining,
    isDraining: () => isDraining,
    startDraining() {
      isDraining = true;
    },
    report() {
      const lines = names.map((name) => {
        const why = missing.get(name);
        return why === undefined ? `[+]${name}` : `[-]${name}: ${why}`;
      });
      return [...lines, ...(isDraining ? ["[-]drain: stopping"] : [])].join("\n");
    },
  };
}
