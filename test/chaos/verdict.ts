/** One thing that is wrong. */
export interface Problem {
  /** Name of the run; empty when it concerns none. */
  readonly run: string;
  readonly text: string;
}

/** How a campaign went. */
export interface Verdict {
  readonly problems: readonly Problem[];
  /** The line that it ends with. */
  readonly lastLine: string;
  readonly ok: boolean;
}

/** Name of a run, and what those of its objects begin with that it names. */
export function nameOf({ index }: { readonly index: number }): string {
  return `run-${index}`;
}

/** The problem that a text tells of, with the run that it names. */
export function problemOf(text: string): Problem {
  return { run: /\brun-\d+/.exec(text)?.[0] ?? "", text };
}
