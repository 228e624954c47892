/** One rule of `x-kubernetes-validations`, in CEL. */
export interface CelRule {
  readonly rule: string;
  /** Said when there is no expression for the message, or when it fails. */
  readonly message: string;
  readonly messageExpression?: string;
  readonly fieldPath?: string;
  readonly reason?: "FieldValueRequired" | "FieldValueForbidden";
  readonly optionalOldSelf?: boolean;
}

/** The meta data by which a zod schema carries its rules into the CustomResourceDefinition. */
export function rules(...list: readonly CelRule[]): {
  readonly "x-kubernetes-validations": readonly CelRule[];
} {
  return { "x-kubernetes-validations": list };
}

/** A rule of a text; the API server puts the text before what is wrong with it. */
export function textRule(rule: string, wrong: string): CelRule {
  return { rule, message: wrong };
}

/** A text as a literal of CEL. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** The names, in CEL, whose condition holds, with the separator between them. Joining a list would cost more than a rule may. */
export function listed(
  names: readonly string[],
  condition: (name: string) => string,
  separator: string,
): string {
  const parts = names.map((name) => `(${condition(name)} ? ${quoted(separator + name)} : '')`);
  return `(${parts.join(" + ")}).substring(${separator.length})`;
}

/** True, in CEL, for a text that matches a regular expression which RE2 and JavaScript read alike. */
export function matches(pattern: RegExp, variable = "self"): string {
  return `${variable}.matches(${quoted(pattern.source.replaceAll("\\/", "/"))})`;
}

/** True, in CEL, for an absolute path without `..`; as `cleanAbsolute` in path.ts. */
export const IS_ABSOLUTE = `self.startsWith('/') && !${matches(/(^|\/)[.][.](\/|$)/)}`;

/** True, in CEL, for a path that is the root, however it is written. */
export const IS_ROOT = matches(/^(\/[.]?)*$/);
