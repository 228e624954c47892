/** What a registry asks for in `WWW-Authenticate` (RFC 9110): scheme in lower case, and its parameters. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const PARAMETER = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gy;

/** Reads every challenge of a header; commas part challenges as well as parameters. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header.trim();
  while (rest !== "") {
    PARAMETER.lastIndex = 0;
    const parameter = PARAMETER.exec(rest);
    const current = challenges.at(-1);
    if (parameter !== null && current !== undefined) {
      const [whole, name = "", quoted, token = ""] = parameter;
      current.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, "$1") ?? token;
      rest = rest.slice(whole.length);
    } else {
      const scheme = /^[\w-]+/.exec(rest)?.[0];
      // Neither a scheme nor a parameter: what follows has no meaning.
      if (scheme === undefined) break;
      challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
      rest = rest.slice(scheme.length);
    }
    rest = rest.replace(/^[\s,]+/, "");
  }
  return challenges;
}
