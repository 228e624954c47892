import { expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeAdmittedPod, makeOwningJob } from "../../test/make/exporting.ts";
import { makeSources } from "../../test/make/sources.ts";
import type { ApiServer } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import { observeExportingPod } from "./exporting.ts";

const { signal } = new AbortController();
const MODELS = makeExport((each) => {
  each.storage = { persistentVolumeClaim: { claimName: "models" } };
});
const JOB = "/apis/kubeflow.org/v1/namespaces/team-a/tfjobs/train";
const CLAIM = "/api/v1/namespaces/team-a/persistentvolumeclaims/models";

/** What is read of the API server for a pod in that phase, of a job that no watch has shown. */
async function readFor(phase: string | undefined): Promise<readonly string[]> {
  const { job } = makeOwningJob("TFJob", () => {}, { intent: MODELS });
  const asked: string[] = [];
  const api: ApiServer = {
    url: "https://test",
    async request<T>(_method: string, path: string): Promise<T> {
      asked.push(path);
      await Promise.resolve();
      if (path === JOB) return job as T;
      const status = { status: 404, reason: "NotFound", message: "", details: {} };
      throw new ApiError({ ...status, request: path });
    },
    stream: async () => Promise.reject(new Error("nothing is watched")),
    close: async () => {},
  };
  const pod = makeAdmittedPod({ intent: MODELS, owners: [job] }, (each) => {
    each.status = phase === undefined ? {} : { phase };
  });
  const observed = await observeExportingPod(makeSources({ api }), pod, signal);
  expect(observed.owning?.job).toEqual(job);
  return asked;
}

test.each([
  ["a new pod", undefined, [JOB, CLAIM]],
  ["a pod that waits", "Pending", [JOB, CLAIM]],
  ["a pod that runs", "Running", [JOB]],
  ["a pod that has ended", "Failed", [JOB]],
])(
  "%s needs its job, and its storage as long as it may have to wait for that",
  async (_, phase, paths) => {
    expect(await readFor(phase)).toEqual(paths);
  },
);
