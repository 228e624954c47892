/** What happened to a name, as `seconds text`. */
export interface Line {
  readonly name: string;
  readonly text: string;
}

/** What was written down, oldest first. */
export interface Notes {
  readonly lines: readonly Line[];
  readonly note: (name: string, text: string) => void;
}

/** Starts with nothing; `seconds` tells the time since then. */
export function createNotes(seconds: () => number): Notes {
  const lines: Line[] = [];
  return {
    lines,
    note(name, text) {
      lines.push({ name, text: `${seconds().toFixed(2).padStart(8)} ${text}` });
    },
  };
}
