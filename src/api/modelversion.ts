import { z } from "zod";
import type { KubeObject, ObjectMeta } from "./kube-types.ts";
import { show } from "./schema-faults.ts";

/** Longest `modelName`, so that `<modelName>-<10 hex>` still is a label. */
const MAX_MODEL_NAME = 52;

const mountPath = z
  .string()
  .max(512)
  .optional()
  .describe("Absolute path at which containers see the model; /kubedl-model when absent.");

const localStorage = z
  .object({
    path: z
      .string()
      .min(1)
      .max(4096)
      .describe("Absolute directory on the node that holds the model."),
    nodeName: z.string().min(1).max(253).describe("Node whose disk holds the directory."),
    mountPath,
  })
  .describe("A directory on the disk of one node, below a prefix that the administrator allows.");

const nfs = z
  .object({
    server: z.string().min(1).max(253).describe("Host name or address of the NFS server."),
    path: z.string().min(1).max(4096).describe("Absolute path that the server exports."),
    mountPath,
  })
  .describe("A directory of an NFS server.");

const awsEfs = z
  .object({
    volumeHandle: z
      .string()
      .min(1)
      .max(512)
      .describe("[FileSystemId]:[Subpath]:[AccessPointId], as efs.csi.aws.com reads it."),
    attributes: z
      .record(z.string().max(253), z.string().max(1024))
      .optional()
      .describe("Volume attributes of the CSI driver."),
    mountPath,
  })
  .describe("A directory of an Amazon Elastic File System.");

const persistentVolumeClaim = z
  .object({
    claimName: z.string().min(1).max(253).describe("Claim, in the namespace of the version."),
    subPath: z
      .string()
      .max(4096)
      .optional()
      .describe("Directory inside the claim; its root when absent."),
    mountPath,
  })
  .describe("A directory of a claim that exists already.");

/** The ways a model can be stored, in the order in which messages name them. */
export const STORAGE_TYPES = ["localStorage", "nfs", "AWSEfs", "persistentVolumeClaim"] as const;

export const storageSchema = z
  .object({
    localStorage: localStorage.optional(),
    nfs: nfs.optional(),
    AWSEfs: awsEfs.optional(),
    persistentVolumeClaim: persistentVolumeClaim.optional(),
  })
  .describe("Where the trained model lies: exactly one storage type.")
  .meta({
    "x-kubernetes-validations": [
      {
        rule: "[has(self.localStorage), has(self.nfs), has(self.AWSEfs), has(self.persistentVolumeClaim)].exists_one(x, x)",
        messageExpression: `"exactly one storage type is allowed, found " + ([has(self.localStorage), has(self.nfs), has(self.AWSEfs), has(self.persistentVolumeClaim)].exists(x, x) ? ${STORAGE_TYPES.map((name) => `(has(self.${name}) ? "${name} " : "")`).join(" + ")} : "none ") + "of localStorage, nfs, AWSEfs, persistentVolumeClaim"`,
        message: "exactly one of localStorage, nfs, AWSEfs, persistentVolumeClaim is allowed",
      },
    ],
  });

/** The programs that can build an image. */
export const ENGINES = ["kaniko"] as const;

/** Name of a program that can build an image. */
export type Engine = (typeof ENGINES)[number];

const quantities = z.record(z.string().max(63), z.string().max(63));

export const modelVersionSpecSchema = z
  .object({
    modelName: z
      .string()
      .min(1)
      .max(MAX_MODEL_NAME)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, {
        error: ({ input }) =>
          `${show(input)} must be lower case letters, digits and "-", beginning and ending with a letter or digit`,
      })
      .describe("Model that this is a version of; created when it does not exist."),
    createdBy: z.string().max(1024).optional().describe("Who or what made the version; free text."),
    imageRepo: z
      .string()
      .min(1)
      .max(255)
      .describe("Repository to push to, without tag and digest: registry/path."),
    imageTag: z
      .string()
      .max(128)
      .optional()
      .describe("Tag of the image; v and 8 hex digits of the version's UID when absent."),
    storage: storageSchema,
    builder: z
      .object({
        engine: z.enum(ENGINES).optional().describe("Program that builds the image."),
        baseImage: z
          .string()
          .max(512)
          .optional()
          .describe("Image below the model; the administrator's when absent."),
        pushSecret: z
          .object({
            name: z
              .string()
              .min(1)
              .max(253)
              .describe("Name of a kubernetes.io/dockerconfigjson Secret."),
          })
          .optional()
          .describe(
            "Credentials for the registry; the Secret regcred, where there is one, when absent.",
          ),
        resources: z
          .object({ requests: quantities.optional(), limits: quantities.optional() })
          .optional()
          .describe("Resources of the build container."),
      })
      .optional()
      .describe("How the image is built."),
  })
  .describe("What the version is made of. Immutable, createdBy aside, once the build has begun.");

const conditionSchema = z.object({
  type: z.string().max(316).describe("StorageReady or Built."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
  reason: z.string().max(1024).describe("Code of docs/reasons.md."),
  message: z.string().max(32768).describe("The same for people."),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe("Generation of the spec it was read from."),
  lastTransitionTime: z.string().max(64).describe("When status changed last."),
});

export const conditionsSchema = z
  .array(conditionSchema)
  .max(16)
  .optional()
  .describe("State in the form that tools wait for.")
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });

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
        z.object({
          digest: z.string().max(128).describe("Digest of the layer's blob."),
          size: z.int().min(0).describe("Bytes of the layer's blob."),
        }),
      )
      .max(128)
      .optional()
      .describe("Layers of the image, base first.")
      .meta({ "x-kubernetes-list-type": "atomic" }),
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
export type Storage = z.output<typeof storageSchema>;
export type LocalStorage = z.output<typeof localStorage>;
export type ClaimStorage = z.output<typeof persistentVolumeClaim>;
export type NfsStorage = z.output<typeof nfs>;
export type EfsStorage = z.output<typeof awsEfs>;

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
