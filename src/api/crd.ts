import { stringify } from "yaml";
import { z } from "zod";
import { modelSpecSchema, modelStatusSchema } from "./model.ts";
import { modelVersionSpecSchema, modelVersionStatusSchema } from "./modelversion.ts";

/** A column of `kubectl get`. */
interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description?: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority?: number;
}

/** A rule in CEL (x-kubernetes-validations). */
interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly reason?: "FieldValueRequired";
  readonly optionalOldSelf?: boolean;
}

interface KindDefinition {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** CEL rules over the whole object. */
  readonly rules: readonly Rule[];
  readonly columns: readonly PrinterColumn[];
}

/** Group of our kinds; KubeDL's, so that its manifests keep working. */
export const GROUP = "model.kubedl.io";
/** The one version of our kinds. */
export const VERSION = "v1alpha1";

const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

/** What a build is made from; createdBy is not. */
const BUILD_FIELDS = ["modelName", "imageRepo", "imageTag", "storage", "builder"] as const;

/** Not `required`, which an object that was stored without a spec would break with every update, that of its finalizers too. */
const SPEC_REQUIRED: Rule = {
  rule: "has(self.spec) || (oldSelf.hasValue() && !has(oldSelf.value().spec))",
  message: "is required",
  fieldPath: ".spec",
  reason: "FieldValueRequired",
  optionalOldSelf: true,
};

const SPEC_IMMUTABLE: Rule = {
  rule: `!has(oldSelf.status) || !has(oldSelf.status.imageBuildPhase) || !has(oldSelf.spec) || (has(self.spec) && ${BUILD_FIELDS.map(
    (field) =>
      `has(self.spec.${field}) == has(oldSelf.spec.${field}) && (!has(self.spec.${field}) || self.spec.${field} == oldSelf.spec.${field})`,
  ).join(" && ")})`,
  message: "spec is immutable once the build has begun, createdBy aside; make a new ModelVersion",
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
                apiVersion: { type: "string" },
                kind: { type: "string" },
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

/** Words of JSON Schema that a structural schema may not hold outside of its core; alternatives are optional fields and CEL. */
const NOT_STRUCTURAL = ["oneOf", "anyOf", "allOf", "not", "$ref", "prefixItems"] as const;

/** The structural schema (OpenAPI v3, apiextensions.k8s.io) of a zod schema. */
export function structuralSchema(schema: z.ZodType): object {
  const json = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    reused: "inline",
    cycles: "throw",
    override({ jsonSchema, path }) {
      const node = jsonSchema as Record<string, unknown>;
      for (const word of NOT_STRUCTURAL) {
        if (word in node) throw new Error(`${path.join(".")}: ${word} is not structural`);
      }
      if (node["type"] === undefined && node["x-kubernetes-preserve-unknown-fields"] !== true) {
        throw new Error(`${path.join(".")}: a structural schema types every node`);
      }
      if (node["maximum"] === Number.MAX_SAFE_INTEGER) delete node["maximum"];
      if (node["minimum"] === Number.MIN_SAFE_INTEGER) delete node["minimum"];
      // The key schema of a record has no place in a structural schema.
      delete node["propertyNames"];
    },
  });
  delete (json as Record<string, unknown>)["$schema"];
  return json;
}
