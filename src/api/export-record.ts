import { z } from "zod";
import { EXPORT_RECORD, type ExportIntent } from "./annotations.ts";
import { exportSchema } from "./export.ts";
import type { KubeObject } from "./kube-types.ts";

/** Longest text that is parsed; an intent of the longest fields is shorter. */
const MAX_TEXT = 32_768;

const recordSchema = z.object({
  uid: z.string(),
  claim: z.string(),
  binding: z.string().optional(),
  intent: exportSchema.optional(),
  pod: z.string().optional(),
  node: z.string().optional(),
  image: z.string().optional(),
  preflight: z.enum(["asked", "done"]).optional(),
});

/**
 * What the controller notes on an exporting job before the job's first pod starts, because the pods, and the binding that asks for
 * them, may be gone when the job has ended.
 */
export interface ExportRecord {
  /** UID of the job: a copy of its manifest is another job. */
  readonly uid: string;
  /** Claim that its pods write to; while it stands, pods that come later are not held back. */
  readonly claim: string;
  /** ModelBinding that asks for the export; absent where the job itself does. */
  readonly binding?: string | undefined;
  /** What was asked for when the job was let go; templates, annotations and bindings may be changed later. */
  readonly intent?: ExportIntent | undefined;
  /** The pod that writes, its node and the image of its first container, once they are known. */
  readonly pod?: string | undefined;
  readonly node?: string | undefined;
  readonly image?: string | undefined;
  /** Whether the registry was asked, and has answered, if the image could be pushed. */
  readonly preflight?: "asked" | "done" | undefined;
}

/** The record of a job; undefined where there is none of this job, or none that can be read. */
export function exportRecordOf({ metadata }: KubeObject): ExportRecord | undefined {
  const text = metadata?.annotations?.[EXPORT_RECORD];
  if (text === undefined || text.length > MAX_TEXT) return undefined;
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = recordSchema.safeParse(raw);
  return parsed.success && parsed.data.uid === metadata?.uid ? parsed.data : undefined;
}

/** The text of a record. */
export function printExportRecord(record: ExportRecord): string {
  return JSON.stringify(record);
}
