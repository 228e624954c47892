import { z } from "zod";
import { formatTime } from "./time.ts";

/** One `metav1.Condition`. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** PascalCase code of the reasons table. */
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number | undefined;
  /** RFC 3339; moves only when status does. */
  readonly lastTransitionTime: string;
}

/** The condition of that type, if the list has one. */
export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** The list with this condition set; the transition time is kept while the status stays the same. */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  next: Omit<Condition, "lastTransitionTime">,
  now: number,
): readonly Condition[] {
  const before = findCondition(conditions, next.type);
  const lastTransitionTime =
    before?.status === next.status ? before.lastTransitionTime : formatTime(now);
  const rest = (conditions ?? []).filter((condition) => condition.type !== next.type);
  return [...rest, { ...next, lastTransitionTime }];
}

const conditionSchema = z
  .object({
    type: z.string().max(316).describe("What the condition says something about, such as Built."),
    status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
    reason: z.string().max(1024).describe("Code of docs/reasons.md."),
    message: z.string().max(32768).describe("The same for people."),
    observedGeneration: z
      .int()
      .min(0)
      .optional()
      .describe("Generation of the spec it was read from."),
    lastTransitionTime: z.string().max(64).describe("When status changed last."),
  })
  .describe("One metav1.Condition.");

/** `status.conditions` of our kinds. */
export const conditionsSchema = z
  .array(conditionSchema)
  .max(16)
  .optional()
  .describe("State in the form that tools wait for.")
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });
