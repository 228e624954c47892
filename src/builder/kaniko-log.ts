import type { FailureReason } from "./failure.ts";

/**
 * What the end of kaniko's log means; the first row that matches counts. Its errors have no codes: the texts are those of
 * kaniko 1.24 (cmd/executor, pkg/executor/push.go), of go-containerregistry's transport and of Go's net package.
 */
const ROWS: readonly (readonly [RegExp, FailureReason])[] = [
  [/no space left on device|disk quota exceeded/i, "DiskFull"],
  [/cannot allocate memory/i, "OutOfMemory"],
  // Registries that forbid to move a tag: Artifact Registry, Elastic Container Registry, Harbor.
  [/tag immutability|repository is immutable|configured as immutable/i, "TagTaken"],
  [
    /dial tcp|connection re(?:fused|set)|no such host|server misbehaving|i\/o timeout|handshake timeout|unexpected EOF|broken pipe|: EOF\b|x509:|tls: |HTTP response to HTTPS client|TOOMANYREQUESTS|status code 5\d\d|50[0234] (?:Internal|Bad|Service|Gateway)/i,
    "RegistryUnreachable",
  ],
  // The base image comes first; what it is refused for has nothing to do with the push.
  [
    /error building image:.*(?:_UNKNOWN|UNAUTHORIZED|DENIED|40[134] |not found)/i,
    "ImagePullFailed",
  ],
  [
    /UNAUTHORIZED|DENIED|40[13] (?:Unauthorized|Forbidden)|insufficient_scope|status code 40[135]/i,
    "PushDenied",
  ],
];

/** The reason that the end of the log of a failed kaniko gives. */
export function reasonOfLog(log: string): FailureReason {
  return ROWS.find(([pattern]) => pattern.test(log))?.[1] ?? "Unknown";
}
