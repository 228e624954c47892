import { z } from "zod";
import { matches, rules, textRule } from "./cel.ts";
import { conditionsSchema } from "./conditions.ts";
import {
  HAS_DIGEST,
  HAS_TAG,
  IMAGE,
  NOT_IMAGE,
  NOT_REPOSITORY,
  NOT_TAG,
  REPOSITORY,
  TAG,
} from "./image-ref.ts";
import type { KubeObject, ObjectMeta } from "./kube-types.ts";
import { LAYOUTS } from "./layout.ts";
import { DNS_LABEL, DNS_SUBDOMAIN } from "./names.ts";
import type { Rule } from "./rules.ts";
import { show } from "./schema-faults.ts";
import { resourcesSchema } from "./resources.ts";
import { storageSchema } from "./storage.ts";

/** Longest `modelName`, so that `<modelName>-<10 hex>` still is a label. */
const MAX_MODEL_NAME = 52;

/** Longest `createdBy`; a user's name that fills it in may be longer. */
export const MAX_CREATED_BY = 1024;

/** The programs that can build an image. */
export const ENGINES = ["kaniko", "direct"] as const;

/** Fault of a name that no Secret can have. */
export const NOT_SECRET = "is not the name of a Secret (RFC 1123 subdomain)";

/** What a Dockerfile calls the image that holds nothing. */
export const NO_BASE = "scratch";

/** Name of a program that can build an image. */
export type Engine = (typeof ENGINES)[number];

const engineSchema = z
  .enum(ENGINES)
  .optional()
  .describe("Program that builds the image; the administrator's when absent.");

const builderSchema = z
  .object({
    engine: engineSchema,
    baseImage: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe("Image below the model; the administrator's when absent.")
      .meta(rules(textRule(matches(IMAGE), NOT_IMAGE))),
    pushSecret: z
      .object({
        name: z
          .string()
          .min(1)
          .max(253)
          .describe("Name of a kubernetes.io/dockerconfigjson Secret of the namespace.")
          .meta(rules(textRule(matches(DNS_SUBDOMAIN), NOT_SECRET))),
      })
      .optional()
      .describe(
        "Credentials for the registry; the Secret regcred, where there is one, when absent.",
      ),
    resources: resourcesSchema.optional().describe("Resources of the build's containers."),
  })
  .describe("How the image is built.");

/** True for a name that a model can have. */
export function isModelName(name: string): boolean {
  return name.length <= MAX_MODEL_NAME && DNS_LABEL.test(name);
}

/** Fault of a name that no model can have. */
const NOT_MODEL_NAME =
  'must be lower case letters, digits and "-", beginning and ending with a letter or digit';

/** What a version and an export have in common: the image, and the model in it. */
export const imageFields = {
  modelName: z
    .string()
    .min(1)
    .max(MAX_MODEL_NAME)
    .refine((name) => name === "" || DNS_LABEL.test(name), {
      error: ({ input }) => `${show(input)} ${NOT_MODEL_NAME}`,
      params: { rule: "ModelName" satisfies Rule },
    })
    .describe("Model that this is a version of; created when it does not exist.")
    .meta(rules(textRule(matches(DNS_LABEL), NOT_MODEL_NAME))),
  createdBy: z
    .string()
    .max(MAX_CREATED_BY)
    .optional()
    .describe("Who or what made the version; free text."),
  imageRepo: z
    .string()
    .min(1)
    .max(255)
    .describe("Repository to push to, without tag and digest: registry/path.")
    .meta(
      rules(
        textRule(`self.contains('@') || !${matches(/:[^/]*$/)}`, HAS_TAG),
        textRule("!self.contains('@')", HAS_DIGEST),
        textRule(
          `self.contains('@') || ${matches(/:[^/]*$/)} || ${matches(REPOSITORY)}`,
          NOT_REPOSITORY,
        ),
      ),
    ),
  imageTag: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("Tag of the image; v and 8 hex digits of the version's UID when absent.")
    .meta(rules(textRule(matches(TAG), NOT_TAG))),
  storage: storageSchema,
  builder: builderSchema.optional(),
};

export const modelVersionSpecSchema = z
  .object(imageFields)
  .describe("What the version is made of. Immutable, createdBy aside, once the build has begun.");

/** What a build is made from; createdBy is not. */
export const BUILD_FIELDS = ["modelName", "imageRepo", "imageTag", "storage", "builder"] as const;

/** Fault of a change to what a build that has begun is made from. */
export const IMMUTABLE =
  "the spec is immutable once the build has begun, createdBy aside; make a new ModelVersion, or delete this one and make it anew";

/** KubeDL's words for where a build stands. */
const BUILD_PHASES = ["ImageBuilding", "ImageBuildSucceeded", "ImageBuildFailed"] as const;

export const modelVersionStatusSchema = z
  .object({
    image: z.string().max(512).optional().describe("Image as repository:tag."),
    imageBuildPhase: z.enum(BUILD_PHASES).optional().describe("Where the build stands."),
    finishTime: z.string().max(64).optional().describe("When the build ended."),
    message: z.string().max(32768).optional().describe("What happened, in a sentence."),
    digest: z.string().max(128).optional().describe("Digest of the image; what pods run."),
    size: z.int().min(0).optional().describe("Bytes of the model's files."),
    files: z.int().min(0).optional().describe("Number of the model's files."),
    layers: z
      .array(
        z
          .object({
            digest: z.string().max(128).describe("Digest of the layer's blob."),
            size: z.int().min(0).describe("Bytes of the layer's blob."),
          })
          .describe("One layer."),
      )
      .max(128)
      .optional()
      .describe("Layers of the image, base first; of more than 30 the last 30.")
      .meta({ "x-kubernetes-list-type": "atomic" }),
    shell: z
      .boolean()
      .optional()
      .describe(
        "Whether the image has a shell, by which its model can be copied into a pod; unknown when absent.",
      ),
    layout: z
      .enum(LAYOUTS)
      .optional()
      .describe(
        "How the model's directory is arranged: a SavedModel at its root, or one below each number; absent for any other.",
      ),
    attempts: z
      .int()
      .min(0)
      .optional()
      .describe(
        "Attempts at the build since it was last started; those that failed for a cause outside of the build are not counted.",
      ),
    builderJob: z.string().max(253).optional().describe("Job of the last attempt."),
    startedAttempts: z
      .int()
      .min(0)
      .optional()
      .describe("Attempts ever made; numbers the builder Jobs."),
    retry: z
      .string()
      .max(1024)
      .optional()
      .describe("Value of the retry annotation that was honoured last."),
    observedGeneration: z.int().min(0).optional().describe("Generation of the spec that is built."),
    conditions: conditionsSchema,
  })
  .describe("Written by the controller only.");

export type ModelVersionSpec = z.output<typeof modelVersionSpecSchema>;
export type ModelVersionStatus = z.output<typeof modelVersionStatusSchema>;

/** A version of a model: `model.kubedl.io/v1alpha1`, kind ModelVersion. */
export interface ModelVersion extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: ModelVersionSpec;
  readonly status?: ModelVersionStatus;
}

/** True while the build may still change something: not built, and not failed for good. */
export function isBuilding(version: ModelVersion): boolean {
  const phase = version.status?.imageBuildPhase;
  return phase === undefined || phase === "ImageBuilding";
}

/** The digest of a version that is built, undefined before. */
export function builtDigest(version: ModelVersion): string | undefined {
  return version.status?.imageBuildPhase === "ImageBuildSucceeded"
    ? version.status.digest
    : undefined;
}

/**
 * True for a version whose image is known to have no shell, or will have none since nothing lies below its model; `defaultBase` is
 * what it is put on where it names no base image.
 */
export function hasNoShell(version: ModelVersion, defaultBase?: string): boolean {
  if (version.status?.shell === false) return true;
  // KubeDL's schema lets versions be stored without a spec.
  const base = version.spec?.builder?.baseImage ?? defaultBase;
  return builtDigest(version) === undefined && base === NO_BASE;
}
