import { z } from "zod";
import { boundedMap } from "./bounded-map.ts";
import { matches, rules, textRule } from "./cel.ts";
import { conditionsSchema } from "./conditions.ts";
import { exportSchema } from "./export.ts";
import type { KubeObject, ObjectMeta } from "./kube-types.ts";
import { DNS_LABEL, DNS_SUBDOMAIN } from "./names.ts";
import { mountPathSchema } from "./storage.ts";

/** Operators of a label selector (metav1.LabelSelectorRequirement). */
const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

const requirementSchema = z
  .object({
    key: z.string().min(1).max(317).describe("Key of the label."),
    operator: z.enum(OPERATORS).describe("How the label is looked at."),
    values: z
      .array(z.string().max(63).describe("A value."))
      .max(32)
      .optional()
      .describe("Values for In and NotIn.")
      .meta({ "x-kubernetes-list-type": "atomic" }),
  })
  .describe("One condition on a label.")
  .meta(
    rules({
      rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
      message: "In and NotIn need values, Exists and DoesNotExist have none",
    }),
  );

/** Fault of a selector that would take every pod. */
export const EMPTY_SELECTOR = "must name at least one label: an empty selector takes every pod";

const selectorSchema = z
  .object({
    matchLabels: boundedMap(z.string().max(63).describe("Value of the label."), {
      maxKey: 317,
      most: 32,
    })
      .optional()
      .describe("Labels that a pod must have."),
    matchExpressions: z
      .array(requirementSchema)
      .max(32)
      .optional()
      .describe("Conditions that a pod's labels must keep.")
      .meta({ "x-kubernetes-list-type": "atomic" }),
  })
  .describe("Pods of the binding's namespace, by their labels; never all of them.")
  .meta(
    rules({
      rule: "(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)",
      message: EMPTY_SELECTOR,
    }),
  );

/** Fault of a name that no object can have. */
export const NOT_OBJECT_NAME = "is not a name (RFC 1123 subdomain)";
/** Fault of a name that no alias or container can have. */
export const NOT_LABEL = "is not a name (RFC 1123 label)";

const subdomain = rules(textRule(matches(DNS_SUBDOMAIN), NOT_OBJECT_NAME));
const label = rules(textRule(matches(DNS_LABEL), NOT_LABEL));

/** Ways in which a model gets into a pod; `auto` leaves the choice to modelhook. */
export const DELIVERIES = ["auto", "copy", "image-volume"] as const;

const serveSchema = z
  .object({
    modelVersion: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("ModelVersion to deliver.")
      .meta(subdomain),
    model: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("Model to deliver: its latest version, or the one that alias names.")
      .meta(subdomain),
    alias: z.string().min(1).max(63).optional().describe("Alias of the model.").meta(label),
    mountPath: mountPathSchema,
    delivery: z
      .enum(DELIVERIES)
      .optional()
      .describe("How the model gets into the pod; auto when absent."),
    containers: z
      .array(z.string().min(1).max(63).describe("Name of a container.").meta(label))
      .min(1)
      .max(64)
      .optional()
      .describe("Containers that get the model; all when absent.")
      .meta({ "x-kubernetes-list-type": "set" }),
  })
  .describe("Delivers a model to the pods.")
  .meta(
    rules(
      {
        rule: "has(self.modelVersion) != has(self.model)",
        message: "exactly one of modelVersion and model is allowed",
        messageExpression:
          "'exactly one of modelVersion and model is allowed, found ' + (has(self.modelVersion) ? 'both' : 'none')",
      },
      { rule: "!has(self.alias) || has(self.model)", message: "alias needs model" },
    ),
  );

export const modelBindingSpecSchema = z
  .object({
    selector: selectorSchema,
    serve: serveSchema.optional(),
    export: exportSchema
      .optional()
      .describe("Exports the model that the selected pods' job writes, when it succeeds."),
  })
  .describe("Which pods, and what for: exactly one of serve and export.")
  .meta(
    rules({
      rule: "has(self.serve) != has(self.export)",
      message: "exactly one of serve and export is allowed",
      messageExpression:
        "'exactly one of serve and export is allowed, found ' + (has(self.serve) ? 'both' : 'none')",
    }),
  );

export const modelBindingStatusSchema = z
  .object({
    image: z
      .string()
      .max(512)
      .optional()
      .describe("Image that is delivered, as repository@digest."),
    injected: z.int().min(0).optional().describe("Selected pods that have the model."),
    notInjected: z.int().min(0).optional().describe("Selected pods that were made without it."),
    observedGeneration: z.int().min(0).optional().describe("Generation of the spec it is about."),
    conditions: conditionsSchema,
  })
  .describe("Written by the controller only.");

export type ModelBindingSpec = z.output<typeof modelBindingSpecSchema>;
export type ModelBindingStatus = z.output<typeof modelBindingStatusSchema>;
export type LabelSelector = z.output<typeof selectorSchema>;

/** What selected pods get without an annotation: `model.kubedl.io/v1alpha1`, kind ModelBinding. */
export interface ModelBinding extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: ModelBindingSpec;
  readonly status?: ModelBindingStatus;
}
