import { expect, test } from "vitest";
import type { KubeObject } from "../api/kube-types.ts";
import { resources } from "../kube/resources.ts";
import type { UninstallPlan } from "./uninstall-plan.ts";
import { closingLines, leftLines, lostLines, refusalLines } from "./uninstall-text.ts";

const DONE: UninstallPlan = { stopping: [], clearing: [], lost: [], waiting: [] };

const objects = (count: number): readonly KubeObject[] =>
  Array.from({ length: count }, (_, index) => ({
    metadata: { name: `x-${index}`, namespace: "team-a" },
  }));

const jobs = (count: number, outcome: "running" | "succeeded") =>
  objects(count).map((object) => ({ resource: resources.jobs, object, outcome }));

test("nothing is said where nothing is in the way, or left", () => {
  expect([refusalLines(DONE, []), lostLines(DONE), leftLines(DONE, [])]).toEqual([[], [], []]);
});

test("a refusal names what would be lost", () => {
  const lost = [...jobs(1, "running"), ...jobs(1, "succeeded")];
  expect(refusalLines({ lost }, [])).toEqual([
    "modelhook: 2 jobs would lose their models:",
    "  jobs.batch team-a/x-0 runs",
    "  jobs.batch team-a/x-0 has succeeded, but is not exported yet",
    "let what runs end, or delete it; with --force jobs go on, and their models are not exported",
    "nothing was changed",
  ]);
});

test("a refusal names what can not be read", () => {
  expect(refusalLines({ lost: [] }, ["jobs.batch: forbidden"])).toEqual([
    "modelhook: it is not known whether more is left:",
    "  jobs.batch: forbidden",
    "do it as a user who may read that; with --force the rest is done",
    "nothing was changed",
  ]);
});

test.each([
  [1, "modelhook: 1 pod behind a gate of modelhook will never start; delete it:", 2, undefined],
  [
    10,
    "modelhook: 10 pods behind a gate of modelhook will never start; delete them:",
    11,
    undefined,
  ],
  [
    12,
    "modelhook: 12 pods behind a gate of modelhook will never start; delete them:",
    12,
    "  and 2 more",
  ],
] as const)("of %i pods ten are named", (count, title, length, more) => {
  const lines = leftLines({ ...DONE, waiting: objects(count) }, []);
  expect(lines[0]).toBe(title);
  expect(lines).toHaveLength(length);
  expect(lines.find((line) => line.includes("more"))).toBe(more);
});

test("models that are not exported are counted", () => {
  expect(lostLines({ lost: jobs(1, "running") })).toEqual([
    "1 model will not be exported: jobs.batch team-a/x-0",
  ]);
});

test("a step that is still to be done is left, as is what is unknown", () => {
  const [found] = jobs(1, "running");
  if (found === undefined) throw new Error("one job was asked for");
  const clearing = [{ type: "delete", objects: [found] }] as const;
  expect(leftLines({ ...DONE, clearing }, ["jobs.batch: forbidden"])).toEqual([
    "modelhook: this is still to be done, or was done again by a modelhook that runs:",
    "  would delete jobs.batch team-a/x-0",
    "modelhook: this could not be read, and may hold what waits for modelhook:",
    "  jobs.batch: forbidden",
  ]);
});

test.each([
  [undefined, "kubectl"],
  ["kind@home", "kubectl --context kind@home"],
  ["it's mine", String.raw`kubectl --context 'it'\''s mine'`],
])("with context %s the rest goes by %s", (context, kubectl) => {
  expect(closingLines(true, "done", context)).toEqual([
    "once that is seen to, the rest goes by",
    `  ${kubectl} delete -f deploy/crds`,
    `  ${kubectl} delete -f deploy/install.yaml`,
  ]);
});
