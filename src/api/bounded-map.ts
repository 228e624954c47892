import { z } from "zod";

/** A map of texts to values with so many entries at most; keys and number are bounded so that rules over it stay cheap. */
export function boundedMap<T extends z.ZodType>(
  value: T,
  { maxKey, most }: { readonly maxKey: number; readonly most: number },
): z.ZodRecord<z.ZodString, T> {
  return z
    .record(z.string().max(maxKey), value)
    .refine((map) => Object.keys(map).length <= most, {
      error: ({ input }) =>
        `has ${Object.keys(input as object).length} entries; at most ${most} are allowed`,
    })
    .meta({ maxProperties: most });
}
