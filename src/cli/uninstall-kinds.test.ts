import { expect, test } from "vitest";
import { BATCH_JOB } from "../jobs/kinds.ts";
import type { ServedResource } from "../kube/discovery.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { searchedKinds } from "./uninstall-kinds.ts";

const RUNS: ServedResource = {
  group: "batch.example",
  version: "v1",
  plural: "runs",
  kind: "Run",
  namespaced: true,
  versions: ["v1"],
  verbs: ["get", "list", "patch"],
};
const JOBS: ServedResource = { ...RUNS, group: "batch", plural: "jobs", kind: "Job" };

test.each<[what: string, served: ServedResource, kinds: readonly string[]]>([
  ["that is in no table is searched", RUNS, ["batch.example/v1 runs, optional"]],
  ["of the table is searched once", JOBS, []],
  [
    "of the table is searched once, in its version where another is preferred",
    { ...JOBS, version: "v2", versions: ["v2", "v1"] },
    [],
  ],
  [
    "of the table is searched in another version where its own is not served",
    { ...JOBS, version: "v2", versions: ["v2"] },
    ["batch/v2 jobs, expected"],
  ],
  ["that can not be listed is left out", { ...RUNS, verbs: ["get", "patch"] }, []],
  ["that can not be changed is left out", { ...RUNS, verbs: ["get", "list"] }, []],
  ["without namespaces is left out", { ...RUNS, namespaced: false }, []],
  ["of Kubernetes itself is left out", { ...RUNS, group: "coordination.k8s.io" }, []],
  [
    "whose group is only called so is searched",
    { ...RUNS, group: "sparkoperator.k8s.io" },
    ["sparkoperator.k8s.io/v1 runs, optional"],
  ],
  ["of ours is left out", { ...RUNS, group: "model.kubedl.io" }, []],
])("a kind %s", (_, served, kinds) => {
  const [known, ...others] = searchedKinds([BATCH_JOB], [served]);
  expect(known).toMatchObject({ kind: BATCH_JOB, isExpected: true });
  expect(
    others.map(({ resource, isExpected }) => {
      const expected = isExpected ? "expected" : "optional";
      return `${apiVersionOf(resource)} ${resource.plural}, ${expected}`;
    }),
  ).toEqual(kinds);
});
