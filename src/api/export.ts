import { z } from "zod";
import { rules } from "./cel.ts";
import { imageFields } from "./modelversion.ts";

/** Fault of several writers where there is room for one. */
export const ONE_WRITER = "has room for one writer; use nfs, AWSEfs or a ReadWriteMany claim";
/** Fault of a clean export where nothing makes its directory. */
export const NO_NEW_DIRECTORY =
  "nothing makes the new directory; use localStorage or persistentVolumeClaim";

/** What becomes a ModelVersion when a job succeeds: the shape of a KubeDL job's `spec.modelVersion`, with `writers` and `clean` added. */
export const exportSchema = z
  .object({
    ...imageFields,
    writers: z
      .enum(["all"])
      .optional()
      .describe("all: every pod of the job writes; the first one only when absent."),
    clean: z
      .boolean()
      .optional()
      .describe("True: the job gets an empty directory of its own below the storage's path."),
  })
  .meta(
    rules(
      {
        rule: "!has(self.writers) || !has(self.storage.localStorage)",
        message: `writers: "all" is not allowed with localStorage, which ${ONE_WRITER}`,
      },
      {
        rule: "!has(self.clean) || !self.clean || !(has(self.storage.nfs) || has(self.storage.AWSEfs))",
        message: `clean: true is not allowed with nfs and AWSEfs, where ${NO_NEW_DIRECTORY}`,
      },
    ),
  );
