import { z } from "zod";
import { matches, rules, textRule } from "./cel.ts";
import { conditionsSchema } from "./conditions.ts";
import type { KubeObject, ObjectMeta } from "./kube-types.ts";
import { DNS_LABEL, DNS_SUBDOMAIN } from "./names.ts";
import type { Rule } from "./rules.ts";
import { show } from "./schema-faults.ts";

/** Most aliases of one model: the API server refuses CEL rules over long maps as too dear. */
export const MAX_ALIASES = 64;

const aliasName = z
  .string()
  .max(63)
  .regex(DNS_LABEL, {
    error: ({ input }) =>
      `${show(input)} is no name of an alias: lower case letters, digits and "-", beginning and ending with a letter or digit`,
  });

const NOT_VERSION =
  'is no name of a ModelVersion: lower case letters, digits, "-" and ".", such as digits-3f2a1';

const aliasTarget = z
  .string()
  .min(1)
  .max(253)
  .refine((name) => name === "" || DNS_SUBDOMAIN.test(name), {
    error: ({ input }) => `${show(input)} ${NOT_VERSION}`,
  })
  .describe("Name of a ModelVersion of this model, in the model's namespace.")
  .meta(rules(textRule(matches(DNS_SUBDOMAIN), NOT_VERSION)));

/** A map key has no schema of its own in a CustomResourceDefinition, so CEL looks at the names. */
const NO_LABEL = `size(name) > 63 || !${matches(DNS_LABEL, "name")}`;

const aliases = z
  .record(aliasName, aliasTarget)
  .refine((map) => Object.keys(map).length <= MAX_ALIASES, {
    error: ({ input }) =>
      `has ${Object.keys(input as object).length} entries; at most ${MAX_ALIASES} are allowed`,
  })
  .optional()
  .describe(
    "Names for versions, such as production: to each name the name of a ModelVersion of this model.",
  )
  .meta({
    maxProperties: MAX_ALIASES,
    ...rules({
      rule: `!self.exists(name, ${NO_LABEL})`,
      // The API server takes a sum of texts of unknown length for too dear, but not this.
      messageExpression: `"the name of an alias must be a DNS label, found %s".format([self.filter(name, ${NO_LABEL})])`,
      message: "the name of an alias must be a DNS label",
    }),
  });

const TOO_FEW = "must be at least 1";

const retention = z
  .object({
    keepLast: z
      .int()
      .refine((count) => count >= 1, {
        error: ({ input }) => `${show(input)} ${TOO_FEW}`,
        params: { rule: "KeepLast" satisfies Rule },
      })
      .optional()
      .describe(
        "How many built versions stay, the newest first; older ones that nothing refers to are deleted, by modelhook's own right. All stay when absent.",
      )
      .meta(rules({ rule: "self >= 1", message: TOO_FEW })),
  })
  .optional()
  .describe(
    "Which versions are deleted by themselves. Kept always: those that are built still, the latest, those that an alias, a pod, a ModelBinding, or the template of a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob names.",
  );

export const modelSpecSchema = z
  .object({
    description: z.string().max(4096).optional().describe("What the model is for; free text."),
    aliases,
    retention,
  })
  .describe("A named line of versions.");

const imageName = z.string().max(512).describe("Its image as repository:tag.");
const digest = z.string().max(128).optional().describe("Digest of that image.");

export const modelStatusSchema = z
  .object({
    latestVersion: z
      .object({
        modelVersion: z.string().max(253).describe("Name of the newest built ModelVersion."),
        imageName,
        digest,
      })
      .optional()
      .describe("The newest version that is built."),
    aliases: z
      .array(
        z
          .object({
            name: z.string().max(63).describe("Name of the alias."),
            modelVersion: z.string().max(253).describe("ModelVersion that it names."),
            image: imageName,
            digest,
          })
          .describe("One alias."),
      )
      .max(MAX_ALIASES)
      .optional()
      .describe("The aliases whose version exists, belongs to this model and is built.")
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] }),
    conditions: conditionsSchema,
  })
  .describe("Written by the controller only.");

export type ModelStatus = z.output<typeof modelStatusSchema>;

/** A model: `model.kubedl.io/v1alpha1`, kind Model. */
export interface Model extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec?: z.output<typeof modelSpecSchema>;
  readonly status?: ModelStatus;
}
