import { z } from "zod";
import { isDnsLabel, isDnsSubdomain } from "./names.ts";
import { cleanMountPath } from "./path.ts";
import { show } from "./schema-faults.ts";
import { NOT_MOUNT_PATH } from "./storage.ts";

/**
 * The model that somebody asks for: a version by its name, or whatever a Model's alias, or its latest version, is. `boundAt` is the
 * mount path where a binding asks, whose words can change between two pods of one controller.
 */
export type Wanted = (
  | { readonly modelVersion: string }
  | { readonly model: string; readonly alias?: string | undefined }
) & { readonly boundAt?: string };

/** Fault of a text that no ModelVersion can be called. */
export const NOT_VERSION_NAME =
  'is not the name of a ModelVersion (lower case letters, digits, "-" and ".", at most 253)';
/** Fault of a text that no Model can be called. */
export const NOT_MODEL_NAME =
  'is not the name of a Model (lower case letters, digits, "-" and ".", at most 253)';
/** Fault of a text that is no alias. */
export const NOT_ALIAS =
  'is not an alias (lower case letters, digits and "-", at most 63 characters)';

/** As many as one pod can be given: each is an init container or a volume. */
const MAX_MODELS = 16;

/** A text that keeps a rule, with a fault that shows it. */
function text(isValid: (value: string) => boolean, fault: string) {
  return z.string().refine(isValid, { error: ({ input }) => `${show(input)} ${fault}` });
}

const entrySchema = z
  .object({
    modelVersion: text(isDnsSubdomain, NOT_VERSION_NAME).optional(),
    model: text(isDnsSubdomain, NOT_MODEL_NAME).optional(),
    alias: text(isDnsLabel, NOT_ALIAS).optional(),
    mountPath: text((path) => cleanMountPath(path) !== undefined, NOT_MOUNT_PATH),
  })
  .superRefine(({ modelVersion, model, alias }, context) => {
    const count = [modelVersion, model].filter((each) => each !== undefined).length;
    if (count !== 1) {
      const found = count === 0 ? "none" : "both";
      const message = `exactly one of modelVersion and model is allowed, found ${found}`;
      context.addIssue({ code: "custom", message });
    }
    if (alias !== undefined && model === undefined) {
      context.addIssue({ code: "custom", path: ["alias"], message: "needs model" });
    }
  });

/** The annotation `models`: what is wanted where, the first entry first. */
export const modelsSchema = z.array(entrySchema).min(1).max(MAX_MODELS);

/** What is wanted, as sentences name it: `ModelVersion digits-1`, `alias production of Model digits`. */
export function wantedText(wanted: Wanted): string {
  if ("modelVersion" in wanted) return `ModelVersion ${wanted.modelVersion}`;
  const { model, alias } = wanted;
  return alias === undefined
    ? `the latest version of Model ${model}`
    : `alias ${alias} of Model ${model}`;
}

/** True when both ask for the same, by the same words. */
export function isSameWanted(one: Wanted, other: Wanted): boolean {
  return wantedText(one) === wantedText(other);
}
