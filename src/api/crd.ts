import { stringify } from "yaml";
import type { z } from "zod";
import { listed, type CelRule } from "./cel.ts";
import { modelSpecSchema, modelStatusSchema } from "./model.ts";
import { modelBindingSpecSchema, modelBindingStatusSchema } from "./modelbinding.ts";
import {
  BUILD_FIELDS,
  IMMUTABLE,
  modelVersionSpecSchema,
  modelVersionStatusSchema,
} from "./modelversion.ts";
import { structuralSchema } from "./structural-schema.ts";

/** A column of `kubectl get`. */
interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description?: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority?: number;
}

interface KindDefinition {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** CEL rules over the whole object. */
  readonly rules: readonly CelRule[];
  readonly columns: readonly PrinterColumn[];
}

/** Group of our kinds; KubeDL's, so that its manifests keep working. */
export const GROUP = "model.kubedl.io";
/** The one version of our kinds. */
export const VERSION = "v1alpha1";

const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

/** Not `required`, which an object that was stored without a spec would break with every update, that of its finalizers too. */
const SPEC_REQUIRED: CelRule = {
  rule: "has(self.spec) || (oldSelf.hasValue() && !has(oldSelf.value().spec))",
  message: "is required",
  fieldPath: ".spec",
  reason: "FieldValueRequired",
  optionalOldSelf: true,
};

/** True, in CEL, for a part of the spec that is not what it was. */
const isChanged = (field: string): string =>
  `has(self.spec.${field}) != has(oldSelf.spec.${field}) || (has(self.spec.${field}) && self.spec.${field} != oldSelf.spec.${field})`;

const SPEC_IMMUTABLE: CelRule = {
  rule: `!has(oldSelf.status) || !has(oldSelf.status.imageBuildPhase) || !has(oldSelf.spec) || (has(self.spec) && !(${BUILD_FIELDS.map(isChanged).join(" || ")}))`,
  message: IMMUTABLE,
  messageExpression: `has(self.spec) ? ${listed(BUILD_FIELDS, isChanged, ", ")} + " can not change: ${IMMUTABLE}" : "${IMMUTABLE}"`,
  fieldPath: ".spec",
};

const KINDS: readonly KindDefinition[] = [
  {
    kind: "Model",
    plural: "models",
    shortName: "mo",
    description: "A named line of model versions.",
    spec: modelSpecSchema,
    status: modelStatusSchema,
    rules: [],
    columns: [
      { name: "Latest-Version", type: "string", jsonPath: ".status.latestVersion.modelVersion" },
      { name: "Latest-Image", type: "string", jsonPath: ".status.latestVersion.imageName" },
      {
        name: "Aliases-Resolved",
        type: "string",
        jsonPath: '.status.conditions[?(@.type=="AliasesResolved")].status',
        description: "Whether every alias names a version that is built.",
      },
      {
        name: "Keep-Last",
        type: "integer",
        jsonPath: ".spec.retention.keepLast",
        priority: 1,
      },
      AGE,
    ],
  },
  {
    kind: "ModelVersion",
    plural: "modelversions",
    shortName: "mv",
    description:
      "One version of a model: where it was stored by training, and the image that it becomes.",
    spec: modelVersionSpecSchema,
    status: modelVersionStatusSchema,
    rules: [SPEC_REQUIRED, SPEC_IMMUTABLE],
    columns: [
      { name: "Model", type: "string", jsonPath: ".spec.modelName" },
      { name: "Phase", type: "string", jsonPath: ".status.imageBuildPhase" },
      { name: "Image", type: "string", jsonPath: ".status.image" },
      { name: "Digest", type: "string", jsonPath: ".status.digest", priority: 1 },
      { name: "Created-By", type: "string", jsonPath: ".spec.createdBy" },
      { name: "Message", type: "string", jsonPath: ".status.message", priority: 1 },
      { name: "Finish-Time", type: "string", jsonPath: ".status.finishTime" },
      AGE,
    ],
  },
  {
    kind: "ModelBinding",
    plural: "modelbindings",
    shortName: "mb",
    description:
      "Delivers a model to pods, or exports what they write, by their labels: nobody who owns them has to change anything. An export is checked and kept; nothing acts on it yet.",
    spec: modelBindingSpecSchema,
    status: modelBindingStatusSchema,
    rules: [SPEC_REQUIRED],
    columns: [
      { name: "Serves-Version", type: "string", jsonPath: ".spec.serve.modelVersion" },
      { name: "Serves-Model", type: "string", jsonPath: ".spec.serve.model" },
      { name: "Exports", type: "string", jsonPath: ".spec.export.modelName" },
      { name: "Image", type: "string", jsonPath: ".status.image", priority: 1 },
      { name: "Injected", type: "integer", jsonPath: ".status.injected" },
      { name: "Not-Injected", type: "integer", jsonPath: ".status.notInjected" },
      AGE,
    ],
  },
];

/** File name and YAML of each CustomResourceDefinition (apiextensions.k8s.io/v1). */
export function crdFiles(): ReadonlyMap<string, string> {
  return new Map(
    KINDS.map((kind) => [
      `${GROUP}_${kind.plural}.yaml`,
      // Kubernetes reads YAML 1.1, where a bare `n` or `on` is a boolean.
      stringify(customResourceDefinition(kind), {
        version: "1.1",
        aliasDuplicateObjects: false,
        lineWidth: 0,
      }),
    ]),
  );
}

function customResourceDefinition(kind: KindDefinition): object {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${kind.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: [kind.shortName],
        categories: ["kubedl"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns,
          schema: {
            openAPIV3Schema: {
              type: "object",
              description: kind.description,
              ...(kind.rules.length > 0 ? { "x-kubernetes-validations": kind.rules } : {}),
              properties: {
                apiVersion: { type: "string", description: `${GROUP}/${VERSION}.` },
                kind: { type: "string", description: `${kind.kind}.` },
                metadata: { type: "object" },
                spec: structuralSchema(kind.spec),
                status: structuralSchema(kind.status),
              },
            },
          },
        },
      ],
    },
  };
}
