import { expect, test } from "vitest";
import { JOB_KINDS } from "../jobs/kinds.ts";
import type { ApiServer } from "../kube/client.ts";
import { statusError } from "../kube/errors.ts";
import { observeJobs } from "./uninstall-jobs.ts";

async function stream(): Promise<never> {
  throw new Error("nothing is watched");
}

/** An API server that serves so many kinds besides the table's, has one object of each, and refuses by these statuses. */
function serverOf(count: number, refused: Readonly<Record<string, number>> = {}) {
  const resources = Array.from({ length: count }, (_, index) => ({
    resource: `runs${index}`,
    responseKind: { group: "", version: "", kind: `Run${index}` },
    scope: "Namespaced",
    verbs: ["get", "list", "patch"],
  }));
  const items = [{ metadata: { name: "batch.example" }, versions: [{ version: "v1", resources }] }];
  const load = { now: 0, most: 0 };
  const request = async <T>(_method: string, path: string): Promise<T> => {
    if (path === "/apis") return { kind: "APIGroupDiscoveryList", items } as T;
    load.now += 1;
    load.most = Math.max(load.most, load.now);
    await new Promise((resolve) => void setImmediate(resolve));
    load.now -= 1;
    const status = refused[path] ?? (path.startsWith("/apis/batch.example/") ? 200 : 404);
    const message = `is ${status}`;
    if (status !== 200) throw statusError({ message }, { status, request: path });
    return { metadata: {}, items: [{ metadata: { name: path.split("/").at(-1) } }] } as T;
  };
  const api: ApiServer = { url: "", request, stream, close: async () => {} };
  return { api, load };
}

test("many kinds are read, some at once, in their order", async () => {
  const { api, load } = serverOf(30);
  const { jobs, unread } = await observeJobs(api, JOB_KINDS);
  expect(unread).toEqual([]);
  expect(jobs.map(({ object }) => [object.kind, object.metadata?.name])).toEqual(
    Array.from({ length: 30 }, (_, index) => [`Run${index}`, `runs${index}`]),
  );
  expect(load).toEqual({ now: 0, most: 8 });
});

test("who may not list a kind misses something only where it is of the table; a failure is noted always", async () => {
  const { api } = serverOf(2, {
    "/apis/batch/v1/jobs": 403,
    "/apis/batch.example/v1/runs0": 403,
    "/apis/batch.example/v1/runs1": 500,
  });
  expect(await observeJobs(api, JOB_KINDS)).toEqual({
    jobs: [],
    unread: ["jobs.batch: is 403", "runs1.batch.example: is 500"],
  });
});
