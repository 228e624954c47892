import { describe, expect, test } from "vitest";
import { jobKindsSchema, withJobKinds } from "../admission/job-kinds.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import { webhookConfigurations } from "./registrations.ts";

const ADDED = withJobKinds(
  jobKindsSchema.parse([
    {
      group: "batch.example",
      version: "v1",
      kind: "TrainingRun",
      plural: "trainingruns",
      podTemplates: ["spec.workers.*.template"],
      succeeded: [{ condition: "Done" }],
    },
  ]),
);

const OPTIONS = {
  name: "modelhook",
  namespace: "modelhook-system",
  endpoint: { service: "modelhook" },
  caBundle: "",
};

interface Registered {
  readonly name: string;
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly apiVersions: readonly string[];
    readonly resources: readonly string[];
    readonly operations: readonly string[];
  }[];
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
}

function webhookNamed(name: string, jobKinds: readonly JobKind[]): Registered {
  const found = webhookConfigurations({ ...OPTIONS, jobKinds })
    .flatMap(({ webhooks }) => (webhooks ?? []) as readonly unknown[] as readonly Registered[])
    .find((webhook) => webhook.name === `${name}.modelhook.kubedl.io`);
  if (found === undefined) throw new Error(`${name} is not registered`);
  return found;
}

function kindsOf({ rules }: Registered): readonly string[] {
  return rules.flatMap(({ apiGroups, apiVersions, resources }) =>
    apiGroups.flatMap((group) =>
      apiVersions.flatMap((version) => resources.map((each) => `${each}.${version}.${group}`)),
    ),
  );
}

function nameOf({ plural, version, group }: JobKind): string {
  return `${plural}.${version}.${group}`;
}

describe.each([
  ["of the table", JOB_KINDS],
  ["of the table and of the administrator", ADDED],
])("the jobs that are decided on are all kinds %s", (_, kinds) => {
  test("each of them once, when it is created", () => {
    const registered = ["jobs", "training-jobs"].map((name) => webhookNamed(name, kinds));
    expect(registered.flatMap(kindsOf).toSorted()).toEqual(kinds.map(nameOf).toSorted());
    for (const { rules } of registered) {
      for (const { operations } of rules) expect(operations).toEqual(["CREATE"]);
    }
  });

  test("Kubernetes' own by a webhook of its own, so that nothing of the others can stop them", () => {
    expect(kindsOf(webhookNamed("jobs", kinds))).toEqual(["jobs.v1.batch"]);
  });

  test("and each by a condition of its own, in which its templates are looked at", () => {
    for (const { kind, group, places } of kinds) {
      const webhook = webhookNamed(group === "batch" ? "jobs" : "training-jobs", kinds);
      const of = webhook.matchConditions.filter(({ name }) => name === `${group}/${kind}`);
      expect(of, `${group}/${kind}`).toHaveLength(1);
      expect(of[0]?.expression).toContain(`request.kind.kind != '${kind}'`);
      for (const { path } of places) {
        for (const step of path.split(".").filter((each) => each !== "*")) {
          expect(of[0]?.expression).toContain(`.?${step}`);
        }
      }
    }
  });
});

test("no webhook has more conditions, or longer ones, than the API server compiles in no time", () => {
  const all = webhookConfigurations({ ...OPTIONS, jobKinds: ADDED }).flatMap(
    ({ webhooks }) => (webhooks ?? []) as readonly unknown[] as readonly Registered[],
  );
  for (const { matchConditions } of all) {
    // Kubernetes allows 64, and its time grows with the square of the length of each.
    expect(matchConditions.length).toBeLessThanOrEqual(64);
    for (const { expression } of matchConditions) expect(expression.length).toBeLessThan(2500);
    const names = matchConditions.map((condition) => condition.name);
    expect(new Set(names).size).toBe(names.length);
  }
});
