import type { BuildReport } from "../api/build-report.ts";
import type { Reason } from "../api/reasons.ts";
import { RegistryError, type RegistryFault } from "../oci/registry-error.ts";

/** Why a step of the build can not go on, in words for the version's status. */
export class BuildFault extends Error {
  override readonly name = "BuildFault";
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

const REASONS_OF_FAULTS: Readonly<Record<RegistryFault, Reason>> = {
  unreachable: "RegistryUnreachable",
  denied: "PushDenied",
  missing: "Unknown",
  invalid: "Unknown",
};

const REASONS_OF_ERRORS: Readonly<Record<string, Reason>> = {
  ENOSPC: "DiskFull",
  EDQUOT: "DiskFull",
};

/** The report of an error that ended a step. */
export function faultReport(error: unknown): BuildReport {
  const message = error instanceof Error ? error.message : String(error);
  return { state: "failed", reason: reasonOf(error), message };
}

function reasonOf(error: unknown): Reason {
  if (error instanceof BuildFault) return error.reason;
  if (error instanceof RegistryError) return REASONS_OF_FAULTS[error.fault];
  return REASONS_OF_ERRORS[errorCode(error) ?? ""] ?? "Unknown";
}

/** The operating system's code of an error, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
