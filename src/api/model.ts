import { z } from "zod";
import type { KubeObject, ObjectMeta } from "./kube-types.ts";
import { conditionsSchema } from "./conditions.ts";

export const modelSpecSchema = z
  .object({
    description: z.string().max(4096).optional().describe("What the model is for; free text."),
  })
  .describe("A named line of versions.");

export const modelStatusSchema = z
  .object({
    latestVersion: z
      .object({
        modelVersion: z.string().max(253).describe("Name of the newest built ModelVersion."),
        imageName: z.string().max(512).describe("Its image as repository:tag."),
        digest: z.string().max(128).optional().describe("Digest of that image."),
      })
      .optional()
      .describe("The newest version that is built."),
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
