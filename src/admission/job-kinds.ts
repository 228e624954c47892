import { z } from "zod";
import { isDnsLabel, isDnsSubdomain, isLabelKey, isLabelValue } from "../api/names.ts";
import { show } from "../api/schema-faults.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { COMPLETION_INDEX, JOB_KINDS, jobKind } from "../jobs/kinds.ts";
import { apiVersionOf } from "../api/api-version.ts";

/** The writer is where nothing else is said: the pod of completion index 0, or the only one. */
const DEFAULT_WRITER = {
  by: "index",
  index: COMPLETION_INDEX,
} as const;

const group = z.string().refine((text) => isDnsSubdomain(text) && text.includes("."), {
  error: ({ input }) => `${show(input)} must be a group of an API, such as batch.example`,
});

const version = z.string().refine(isDnsLabel, {
  error: ({ input }) => `${show(input)} must be a version of an API, such as v1alpha1`,
});

const kind = z.string().refine((text) => /^[A-Z][A-Za-z0-9]{0,62}$/.test(text), {
  error: ({ input }) => `${show(input)} must be a kind, such as TrainingRun`,
});

const plural = z.string().refine(isDnsLabel, {
  error: ({ input }) => `${show(input)} must be the plural of a kind, such as trainingruns`,
});

const path = z.string().refine((text) => /^[A-Za-z]\w*(?:\.(?:\w+|\*))*$/.test(text), {
  error: ({ input }) => `${show(input)} must be a path such as spec.workers.*.template`,
});

const key = z.string().refine(isLabelKey, {
  error: ({ input }) => `${show(input)} must be the key of a label or annotation`,
});

const sign = z.union(
  [
    z.strictObject({ condition: z.string().min(1) }),
    z.strictObject({ path, values: z.array(z.string()).min(1) }),
  ],
  { error: "must be the condition that is True, or a path and its values" },
);

const writer = z.discriminatedUnion("by", [
  z.object({ by: z.literal("index"), index: key }),
  z.object({
    by: z.literal("labels"),
    name: z.string().min(1),
    labels: z.record(key, z.string().refine(isLabelValue)),
  }),
  z.object({
    by: z.literal("replica-type"),
    replicas: path,
    types: z.array(z.string().toLowerCase()).min(1),
    type: key,
    index: key,
  }),
  z.object({
    by: z.literal("item"),
    list: path,
    template: path,
    names: z.array(z.string()).default([]),
    name: key,
    indexes: z.array(key).default([]),
  }),
]);

const row = z
  .object({
    group,
    version,
    kind,
    plural,
    /** Paths of its pod templates, and of its templates of batch/v1 Jobs. */
    podTemplates: z.array(path).default([]),
    jobTemplates: z.array(path).default([]),
    succeeded: z.array(sign).min(1),
    failed: z.array(sign).default([]),
    writer: writer.default(DEFAULT_WRITER),
  })
  .superRefine((each, context) => {
    const apiVersion = apiVersionOf(each);
    if (jobKind(JOB_KINDS, { apiVersion, kind: each.kind }) === undefined) return;
    context.addIssue({ code: "custom", message: `${each.kind} (${apiVersion}) is known already` });
  });

/** A webhook has at most 64 conditions (Kubernetes, ValidatingWebhook.matchConditions), and each kind is one. */
const MAX_ADDED = 32;

/** Kinds of jobs that the administrator adds to the table, as config.yaml holds them. */
export const jobKindsSchema = z.array(row).max(MAX_ADDED).default([]);

/** All kinds of jobs: those of the table, then the added ones. */
export function withJobKinds(added: z.output<typeof jobKindsSchema>): readonly JobKind[] {
  return [
    ...JOB_KINDS,
    ...added.map(({ podTemplates, jobTemplates, succeeded, failed, ...rest }) => ({
      ...rest,
      places: [
        ...podTemplates.map((each) => ({ path: each, makes: "pods", owner: "itself" }) as const),
        ...jobTemplates.map((each) => ({ path: each, makes: "jobs" }) as const),
      ],
      outcome: { succeeded, failed },
    })),
  ];
}
