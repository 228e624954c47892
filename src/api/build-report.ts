import { z } from "zod";
import { LAYOUTS, type Layout } from "./layout.ts";
import { REASONS, type Reason } from "./reasons.ts";

/** Bytes of a container's termination message that the kubelet keeps. */
const MAX_BYTES = 4096;

/** Bytes of a failure's text; what is cut leaves room for the rest of the message. */
const MAX_TEXT_BYTES = 3000;

/** Layers that fit beside the rest: all that kaniko's images have above their bases, and the last ones of the direct engine's. */
const MAX_LAYERS = 30;

const imageSchema = z.object({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  files: z.int().min(0),
  layers: z.array(z.object({ digest: z.string(), size: z.int().min(0) })),
  shell: z.boolean().exactOptional(),
  layout: z.enum(LAYOUTS).exactOptional(),
});

const reportSchema = z.discriminatedUnion("state", [
  z.object({ v: z.literal(1), state: z.literal("built"), image: imageSchema }),
  z.object({ v: z.literal(1), state: z.literal("adopted"), image: imageSchema }),
  z.object({
    v: z.literal(1),
    state: z.literal("failed"),
    reason: z.custom<Reason>((value) => typeof value === "string" && Object.hasOwn(REASONS, value)),
    message: z.string(),
  }),
]);

/** An image in a registry that holds a model: digest, bytes and number of the model's files, layers base first. */
export interface BuiltImage {
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly size: number;
  readonly files: number;
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
  /** Whether it has a `/bin/sh`; absent when that is unknown, as in reports of older containers. */
  readonly shell?: boolean;
  /** How the model's directory is arranged; absent when it is in no way that matters. */
  readonly layout?: Layout;
}

/**
 * What a container of the build pod has to say, as its termination message: the one way in which builds answer, since the
 * controller neither reaches registries nor reads Secrets of other namespaces.
 */
export type BuildReport =
  /** The image was pushed and holds what was staged. */
  | { readonly state: "built"; readonly image: BuiltImage }
  /** An earlier attempt had pushed the whole image; nothing is left to do, so the container ends the pod. */
  | { readonly state: "adopted"; readonly image: BuiltImage }
  | { readonly state: "failed"; readonly reason: Reason; readonly message: string };

/** The report as a termination message of at most 4096 bytes: long texts and the base's layers are cut first. */
export function printReport(report: BuildReport): string {
  if (report.state === "failed") {
    return JSON.stringify({ v: 1, ...report, message: cutToBytes(report.message, MAX_TEXT_BYTES) });
  }
  const layers = report.image.layers.slice(-MAX_LAYERS);
  return JSON.stringify({ v: 1, ...report, image: { ...report.image, layers } });
}

/** Reads a termination message; undefined when it is no report, such as the end of a log. */
export function parseReport(message: string | undefined): BuildReport | undefined {
  if (message === undefined || !message.startsWith("{") || message.length > MAX_BYTES) {
    return undefined;
  }
  let json: unknown;
  try {
    json = JSON.parse(message);
  } catch {
    return undefined;
  }
  const result = reportSchema.safeParse(json);
  if (!result.success) return undefined;
  const { v: _, ...report } = result.data;
  return report;
}

/** The longest start of the text, whole characters only, whose JSON takes at most so many bytes. */
function cutToBytes(text: string, bytes: number): string {
  let end = 0;
  let used = 0;
  for (const character of text) {
    used += Buffer.byteLength(JSON.stringify(character)) - 2;
    if (used > bytes) return `${text.slice(0, end)}…`;
    end += character.length;
  }
  return text;
}
