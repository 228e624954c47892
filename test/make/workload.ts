import type { KubeObject } from "../../src/api/kube-types.ts";
import type { JobKind } from "../../src/jobs/job-kind.ts";
import { JOB_KINDS } from "../../src/jobs/kinds.ts";
import { apiVersionOf } from "../../src/api/api-version.ts";
import type { Workload } from "../../src/jobs/places.ts";
import { WORKLOADS } from "../../src/jobs/workloads.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import { makePod } from "./pod.ts";

/** The row of a kind, by its kind and, where two groups have one, its group. */
export function makeKind(kind: string, group?: string): Workload {
  const row = WORKLOADS.find((each) => each.kind === kind && (group ?? each.group) === each.group);
  if (row === undefined) throw new Error(`${kind} is no workload`);
  return row;
}

/** The row of a kind of job, by its kind and, where several have it, its `group/version`. */
export function makeJobKind(kind: string, apiVersion?: string): JobKind {
  const row = JOB_KINDS.find(
    (each) => each.kind === kind && (apiVersion ?? apiVersionOf(each)) === apiVersionOf(each),
  );
  if (row === undefined) throw new Error(`${kind} is no job`);
  return row;
}

/** A pod template that says these annotations. */
export function makeTemplate(
  annotations: Readonly<Record<string, string>> = {},
  spec: object = {},
): object {
  return { metadata: { annotations }, spec: { ...makePod().spec, ...spec } };
}

/** An object of the kind with a template at its first place, under `Worker` where there are several. */
export function makeWorkload(
  { group, version, kind, places }: Workload,
  template: object,
  annotations?: Readonly<Record<string, string>>,
): KubeObject {
  const [place] = places;
  const made = place?.makes === "jobs" ? { spec: { template } } : template;
  const steps = place?.path.split(".") ?? [];
  const content = steps.reduceRight<unknown>(
    (value, step) => ({ [step === "*" ? "Worker" : step]: value }),
    made,
  );
  return deepFreeze({
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name: "web", namespace: "team-a", ...(annotations && { annotations }) },
    ...(steps.length === 0 ? {} : (content as object)),
  });
}
