import { describe, expect, test } from "vitest";
import { schemaFaults, unknownKeys } from "../api/schema-faults.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import { outcomeOf } from "../jobs/outcome.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { jobKindsSchema, withJobKinds } from "./job-kinds.ts";

/** The shortest row. */
const ROW = {
  group: "batch.example",
  version: "v1alpha1",
  kind: "TrainingRun",
  plural: "trainingruns",
  succeeded: [{ condition: "Done" }],
};
const INDEX = "batch.kubernetes.io/job-completion-index";

function addedBy(row: object): JobKind | undefined {
  const parsed = jobKindsSchema.parse(deepFreeze([row]));
  const kinds = withJobKinds(parsed);
  expect(kinds.slice(0, JOB_KINDS.length)).toEqual(JOB_KINDS);
  expect(kinds).toHaveLength(JOB_KINDS.length + 1);
  return kinds.at(-1);
}

function faultsOf(written: unknown): readonly string[] {
  return schemaFaults(jobKindsSchema, deepFreeze(written)).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

test("without any there are those of the table", () => {
  expect(withJobKinds(jobKindsSchema.parse(undefined))).toEqual(JOB_KINDS);
  expect(withJobKinds(jobKindsSchema.parse([]))).toEqual(JOB_KINDS);
});

describe("a kind of the administrator's", () => {
  test("has defaults for all but its API and its success", () => {
    expect(addedBy(ROW)).toEqual({
      group: "batch.example",
      version: "v1alpha1",
      kind: "TrainingRun",
      plural: "trainingruns",
      places: [],
      outcome: { succeeded: [{ condition: "Done" }], failed: [] },
      writer: { by: "index", index: INDEX },
    });
  });

  test("has its templates where it says", () => {
    const row = {
      ...ROW,
      podTemplates: ["spec.template", "spec.workers.*.template"],
      jobTemplates: ["spec.jobs.*.template"],
    };
    expect(addedBy(row)?.places).toEqual([
      { path: "spec.template", makes: "pods", owner: "itself" },
      { path: "spec.workers.*.template", makes: "pods", owner: "itself" },
      { path: "spec.jobs.*.template", makes: "jobs" },
    ]);
  });

  test("ends as it says", () => {
    const kind = addedBy({
      ...ROW,
      succeeded: [{ path: "status.phase", values: ["Done"] }, { condition: "Clean" }],
      failed: [{ path: "status.phase", values: ["Broken", "Stopped"] }],
    });
    if (kind === undefined) throw new Error("no kind was added");
    const outcome = (status: object): string => outcomeOf(kind, { status } as object);
    const clean = [{ type: "Clean", status: "True" }];
    expect(outcome({ phase: "Done", conditions: clean })).toBe("succeeded");
    expect(outcome({ phase: "Done" })).toBe("running");
    expect(outcome({ phase: "Stopped", conditions: clean })).toBe("failed");
  });

  test.each<[string, object, object]>([
    ["by an index", { by: "index", index: "batch.example/index" }, {}],
    [
      "by labels",
      { by: "labels", name: "driver", labels: { role: "driver", "batch.example/part": "" } },
      {},
    ],
    [
      "by a type of replica, whose case is the same",
      {
        by: "replica-type",
        replicas: "spec.replicas",
        types: ["Chief", "worker"],
        type: "batch.example/type",
        index: "batch.example/index",
      },
      { types: ["chief", "worker"] },
    ],
    [
      "by a part of a list",
      { by: "item", list: "spec.parts", template: "template", name: "batch.example/part" },
      { names: [], indexes: [] },
    ],
  ])("names its writer %s", (_, writer, read) => {
    expect(addedBy({ ...ROW, writer })?.writer).toEqual({ ...writer, ...read });
  });
});

describe("a kind is refused", () => {
  test.each<[string, object, readonly string[]]>([
    [
      "whose group is none",
      { group: "batch" },
      ['[0].group: "batch" must be a group of an API, such as batch.example'],
    ],
    [
      "of the core group",
      { group: "" },
      ['[0].group: "" must be a group of an API, such as batch.example'],
    ],
    [
      "whose version is that of an object",
      { version: "batch.example/v1" },
      ['[0].version: "batch.example/v1" must be a version of an API, such as v1alpha1'],
    ],
    [
      "in lower case",
      { kind: "trainingrun" },
      ['[0].kind: "trainingrun" must be a kind, such as TrainingRun'],
    ],
    [
      "whose plural is its kind",
      { plural: "TrainingRuns" },
      ['[0].plural: "TrainingRuns" must be the plural of a kind, such as trainingruns'],
    ],
    [
      "whose templates are at a pointer",
      { podTemplates: ["/spec/template"], jobTemplates: ["spec.jobs[*].template"] },
      [
        '[0].podTemplates[0]: "/spec/template" must be a path such as spec.workers.*.template',
        '[0].jobTemplates[0]: "spec.jobs[*].template" must be a path such as spec.workers.*.template',
      ],
    ],
    ["that never succeeds", { succeeded: [] }, ["[0].succeeded: must not be empty"]],
    ["that does not say how it succeeds", { succeeded: undefined }, ["[0].succeeded: is required"]],
    [
      "whose writer is named in another way",
      { writer: { by: "name" } },
      ['[0].writer.by: "name" is not allowed; allowed: index, labels, replica-type, item'],
    ],
    [
      "whose writer's label is none",
      { writer: { by: "index", index: "a b" } },
      ['[0].writer.index: "a b" must be the key of a label or annotation'],
    ],
    [
      "that is known",
      { group: "kubeflow.org", version: "v1", kind: "TFJob", plural: "tfjobs" },
      ["[0]: TFJob (kubeflow.org/v1) is known already"],
    ],
  ])("%s", (_, tweak, faults) => {
    expect(faultsOf([{ ...ROW, ...tweak }])).toEqual(faults);
  });

  test("with every fault at once", () => {
    expect(faultsOf([{}])).toEqual([
      "[0].group: is required",
      "[0].version: is required",
      "[0].kind: is required",
      "[0].plural: is required",
      "[0].succeeded: is required",
    ]);
  });

  test("when they are no list", () => {
    expect(faultsOf({})).toHaveLength(1);
    expect(faultsOf("TFJob")).toHaveLength(1);
  });

  test.each([{}, "Done", { condition: "A", path: "a", values: ["b"] }, { phase: "Done" }])(
    "that succeeds by the sign %j",
    (sign) => {
      expect(faultsOf([{ ...ROW, succeeded: [sign] }])).toEqual([
        "[0].succeeded[0]: must be the condition that is True, or a path and its values",
      ]);
    },
  );

  test("whose writer does not say how it is named", () => {
    expect(faultsOf([{ ...ROW, writer: {} }])).toEqual(["[0].writer.by: is required"]);
    expect(faultsOf([{ ...ROW, writer: "index" }])).toEqual([
      '[0].writer: "index" must be an object',
    ]);
  });
});

test("another version of a known kind is another kind", () => {
  const row = { ...ROW, group: "kubeflow.org", version: "v3", kind: "TFJob", plural: "tfjobs" };
  expect(faultsOf([row])).toEqual([]);
});

test("misspelt keys of a row and of its writer are found", () => {
  const writer = { by: "index", index: INDEX, idx: INDEX };
  expect(unknownKeys(jobKindsSchema, [{ ...ROW, podTemplate: [], writer }])).toMatchObject([
    { field: "[0].podTemplate", meant: "podTemplates" },
    { field: "[0].writer.idx", message: "is unknown; allowed: by, index" },
  ]);
});
