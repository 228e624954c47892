import type { Reason } from "../api/reasons.ts";
import type { BuildFailure } from "./builder.ts";

/** Reasons for which an attempt fails, and whether another may succeed with nothing changed by anybody. */
export const FAILURES = {
  SourceNotFound: { transient: false },
  EmptyModel: { transient: false },
  // Whoever wrote has probably finished by the next attempt.
  SourceChanged: { transient: true },
  UnsupportedFile: { transient: false },
  ImagePullFailed: { transient: true },
  PodSecurityDenied: { transient: false },
  // Other pods end, and their share is free again.
  QuotaDenied: { transient: true },
  PushDenied: { transient: false },
  RegistryUnreachable: { transient: true },
  TagTaken: { transient: false },
  DiskFull: { transient: true },
  OutOfMemory: { transient: false },
  NodeLost: { transient: true },
  // It would take as long again.
  DeadlineExceeded: { transient: false },
  Unknown: { transient: true },
} as const satisfies Partial<Record<Reason, { readonly transient: boolean }>>;

/** A reason for which an attempt fails. */
export type FailureReason = keyof typeof FAILURES;

/** True for the reasons of the table. */
export function isFailureReason(reason: string): reason is FailureReason {
  return Object.hasOwn(FAILURES, reason);
}

/** The outcome of an attempt that failed; secrets in the message are masked. */
export function failed(reason: FailureReason, message: string): BuildFailure {
  return {
    state: "failed",
    reason,
    message: maskSecrets(message),
    transient: FAILURES[reason].transient,
  };
}

/** What a log line may show of a credential: header values, passwords in URLs, and `password=` in its variants. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w~+/.=-]{8,}/gi, "$1 ***"],
  [/(:\/\/[^/\s:@]*):[^/\s@]+@/g, "$1:***@"],
  [
    /\b([\w-]*(?:token|password|passwd|secret|signature|credential|\bauth))(["']?\s*[=:]\s*["']?)[^\s"'&,]+/gi,
    "$1$2***",
  ],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, "***"],
];

/** The text without anything that looks like a credential. */
function maskSecrets(text: string): string {
  return SECRETS.reduce((masked, [pattern, by]) => masked.replace(pattern, by), text);
}
