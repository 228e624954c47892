import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import { makeBuiltVersion, namedVersion } from "../../test/make/modelversion.ts";
import { makeUsingPod } from "../../test/make/pod.ts";
import type { Model } from "../api/model.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import type { ApiServer, RequestOptions } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import { createAdmissionStores } from "./admission-stores.ts";
import { createStores } from "./stores.ts";
import { observeRetention, readVersionUse } from "./version-use.ts";

const { signal } = new AbortController();
const PODS = "/api/v1/namespaces/team-a/pods";
const NAMESPACE = "/api/v1/namespaces/team-a";
const MODEL = "/apis/model.kubedl.io/v1alpha1/namespaces/team-a/models/mnist";
const LISTS = [
  PODS,
  "/apis/model.kubedl.io/v1alpha1/namespaces/team-a/modelbindings",
  "/apis/apps/v1/namespaces/team-a/deployments",
  "/apis/apps/v1/namespaces/team-a/statefulsets",
  "/apis/apps/v1/namespaces/team-a/daemonsets",
  "/apis/apps/v1/namespaces/team-a/replicasets",
  "/apis/batch/v1/namespaces/team-a/jobs",
  "/apis/batch/v1/namespaces/team-a/cronjobs",
];

describe("who uses a version", () => {
  test("are the pods of its namespace that have a model and have not ended", async () => {
    const pod = makeUsingPod();
    const api = apiWith({ [NAMESPACE]: { metadata: {} }, [PODS]: listOf(pod) });
    expect(await readVersionUse({ api, signal }, "team-a")).toEqual({
      namespaceEnds: false,
      pods: [pod],
    });
    expect(api.asked).toContain(
      `${PODS} model.kubedl.io/served=true status.phase!=Succeeded,status.phase!=Failed`,
    );
  });

  test("is of no matter once its namespace is deleted", async () => {
    const metadata = { deletionTimestamp: "2026-11-23T00:00:00Z" };
    const api = apiWith({ [NAMESPACE]: { metadata }, [PODS]: listOf() });
    expect(await readVersionUse({ api, signal }, "team-a")).toMatchObject({ namespaceEnds: true });
  });

  test.each<[string, Record<string, unknown>]>([
    ["pods can not be read", { [NAMESPACE]: { metadata: {} } }],
    ["the namespace can not", { [PODS]: listOf() }],
    ["the pods are none", { [NAMESPACE]: { metadata: {} }, [PODS]: "<html>" }],
  ])("is unknown when %s", async (_, answers) => {
    expect(await readVersionUse({ api: apiWith(answers), signal }, "team-a")).toBeUndefined();
  });

  test("is unknown when the API server does not answer within a second", async () => {
    const api: ApiServer = {
      ...apiWith({}),
      request: async (_method, _path, options) =>
        new Promise((_resolve, reject) => {
          options?.signal?.addEventListener("abort", () => reject(options.signal?.reason as Error));
        }),
    };
    expect(await readVersionUse({ api, signal }, "team-a")).toBeUndefined();
  });
});

describe("what the retention of a Model depends on", () => {
  const model = keeping({ retention: { keepLast: 1 } });
  const empty = Object.fromEntries(LISTS.map((path) => [path, listOf()]));

  test("is read when a version is old enough to go: the Model as it is now, pods, bindings and workloads", async () => {
    const now = keeping({ ...model.spec, aliases: { stable: "v1" } });
    const api = apiWith({ ...empty, [MODEL]: now });
    expect(await observe(api, model)).toMatchObject({
      model: now,
      use: { pods: [], workloads: [], bindings: [] },
    });
    expect(api.asked.map((each) => each.split(" ")[0])).toEqual([MODEL, ...LISTS]);
  });

  test("is not read while no version is", async () => {
    const api = apiWith({});
    expect((await observe(api, keeping({}))).use).toBeUndefined();
    expect(api.asked).toEqual([]);
  });

  test.each([
    ["is gone", {}],
    [
      "is another one by now",
      { [MODEL]: { ...model, metadata: { ...model.metadata, uid: "m2" } } },
    ],
  ])("is not read when the Model %s", async (_, answers) => {
    expect((await observe(apiWith({ ...empty, ...answers }), model)).use).toBeUndefined();
  });

  test.each(LISTS)("is not half read when %s fails", async (path) => {
    const { [path]: _, ...others } = empty;
    const api = apiWith({ ...others, [MODEL]: model }, 403);
    await expect(observe(api, model)).rejects.toThrow(`no ${path}`);
  });
});

async function observe(api: ApiServer, cached: Model) {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  for (const [name, day] of [
    ["v1", 1],
    ["v2", 2],
  ] as const) {
    stores.versions.set(namedVersion(name, day, makeBuiltVersion()));
  }
  return observeRetention({ api, stores }, cached, signal);
}

function keeping(spec: NonNullable<Model["spec"]>): Model {
  return makeModel((model) => void (model.spec = spec));
}

function listOf(...items: readonly object[]): object {
  return { metadata: { resourceVersion: "1" }, items };
}

/** An API server that has these answers and refuses all else; and what it was asked. */
function apiWith(
  answers: Readonly<Record<string, unknown>>,
  status = 404,
): ApiServer & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    url: "https://test",
    async request<T>(_method: string, path: string, options: RequestOptions = {}): Promise<T> {
      const { labelSelector = "", fieldSelector = "" } = options.query ?? {};
      asked.push(`${path} ${labelSelector} ${fieldSelector}`.trim());
      if (path in answers) return answers[path] as T;
      const request = `GET ${path}`;
      throw new ApiError({ status, reason: "", message: `no ${path}`, details: {}, request });
    },
    stream: async () => {
      throw new Error("nothing is watched");
    },
    close: async () => {},
  };
}
