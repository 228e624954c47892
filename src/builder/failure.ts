import type { Reason } from "../api/reasons.ts";
import type { BuildFailure, Retry } from "./builder.ts";

/** Reasons for which an attempt fails, and how often another is worth it. */
export const FAILURES = {
  SourceNotFound: { retry: "never" },
  SourceUnreadable: { retry: "never" },
  EmptyModel: { retry: "never" },
  // Whoever wrote has probably finished by the next attempt.
  SourceChanged: { retry: "few" },
  UnsupportedFile: { retry: "never" },
  ImagePullFailed: { retry: "few" },
  BaseImageTriggers: { retry: "never" },
  PodSecurityDenied: { retry: "never" },
  // Other pods end, and their share is free again.
  QuotaDenied: { retry: "endless" },
  PushDenied: { retry: "never" },
  RegistryUnreachable: { retry: "endless" },
  TagTaken: { retry: "never" },
  DiskFull: { retry: "few" },
  OutOfMemory: { retry: "never" },
  NodeLost: { retry: "endless" },
  // It would take as long again.
  DeadlineExceeded: { retry: "never" },
  Unknown: { retry: "few" },
} as const satisfies Partial<Record<Reason, { readonly retry: Retry }>>;

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
    retry: FAILURES[reason].retry,
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
