import { expect, test } from "vitest";
import type { KubeObject } from "../api/kube-types.ts";
import type { ApiServer, RequestOptions } from "../kube/client.ts";
import { statusError } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import { applyStep } from "./uninstall-apply.ts";
import { observeUninstall } from "./uninstall-observe.ts";

const FINALIZER = "model.kubedl.io/export";

async function stream(): Promise<never> {
  throw new Error("nothing is watched");
}

/** An API server that gives these answers to the requests that it knows, in turn, and finds nothing else; an answer may be a status. */
function serverOf(answers: Readonly<Record<string, (object | number)[]>>): {
  readonly api: ApiServer;
  readonly patches: unknown[];
} {
  const patches: unknown[] = [];
  const request = async <T>(
    method: string,
    path: string,
    { body }: RequestOptions = {},
  ): Promise<T> => {
    if (method === "PATCH") patches.push(body);
    const answer = answers[`${method} ${path}`]?.shift() ?? 404;
    if (typeof answer === "object") return answer as T;
    const reason = answer === 409 ? "Conflict" : "";
    throw statusError({ reason, message: `is ${answer}` }, { status: answer, request: path });
  };
  return { api: { url: "", request, stream, close: async () => {} }, patches };
}

function jobWith(finalizers: string[]): KubeObject {
  return { metadata: { name: "train", namespace: "team-a", finalizers } };
}

const PATH = "/apis/batch/v1/namespaces/team-a/jobs/train";

test.each<[what: string, answers: Record<string, (object | number)[]>, indexes: readonly number[]]>(
  [
    ["goes", { [`PATCH ${PATH}`]: [{}] }, [0]],
    [
      "that has moved goes",
      {
        [`PATCH ${PATH}`]: [422, 409, {}],
        [`GET ${PATH}`]: [jobWith(["example.com/x", FINALIZER]), jobWith([FINALIZER])],
      },
      [0, 1, 0],
    ],
    [
      "that is off already is off",
      { [`PATCH ${PATH}`]: [422], [`GET ${PATH}`]: [jobWith([])] },
      [0],
    ],
    ["of an object that is gone is gone", {}, [0]],
  ],
)("a finalizer %s", async (_, answers, indexes) => {
  const { api, patches } = serverOf(answers);
  const objects = [{ resource: resources.jobs, object: jobWith([FINALIZER]) }];
  const step = { type: "release", finalizer: FINALIZER, objects } as const;
  expect(await applyStep(api, step)).toEqual({ done: step, faults: [] });
  expect(patches).toEqual(
    indexes.map((index) => {
      const path = `/metadata/finalizers/${index}`;
      return [
        { op: "test", path, value: FINALIZER },
        { op: "remove", path },
      ];
    }),
  );
});

test("what is refused for one object keeps none of the others from it", async () => {
  const other = { metadata: { name: "other", namespace: "team-a", finalizers: [FINALIZER] } };
  const objects = [jobWith([FINALIZER]), other].map((object) => {
    return { resource: resources.jobs, object };
  });
  const step = { type: "release", finalizer: FINALIZER, objects } as const;
  const { api } = serverOf({ [`PATCH ${PATH}`]: [403] });
  expect(await applyStep(api, step)).toEqual({
    done: { ...step, objects: objects.slice(1) },
    faults: ["jobs.batch team-a/train: is 403"],
  });
});

test("kinds that are not there are nothing, and what may not be read is noted", async () => {
  const empty = { metadata: { resourceVersion: "1" }, items: [] };
  const { api } = serverOf({
    "GET /api/v1/namespaces/ml/pods": [empty],
    "GET /api/v1/namespaces/ml/configmaps/modelhook": [
      { data: { "config.yaml": "build: { kanikoImage: k, baseImage: b, deadlineSeconds: 0 }" } },
    ],
    "GET /apis": [{ kind: "APIGroupDiscoveryList", items: [] }],
    "GET /apis/kubeflow.org/v1/tfjobs": [403],
  });
  expect(await observeUninstall(api, "ml")).toEqual({
    installation: { namespace: "ml", replicas: 0, pods: [] },
    configurations: [],
    jobs: [],
    pods: [],
    versions: [],
    builds: [],
    claims: [],
    volumes: [],
    unread: [
      expect.stringMatching(
        /^ConfigMap ml\/modelhook, which may add kinds of jobs: build.deadlineSeconds: /,
      ),
      "tfjobs.kubeflow.org: is 403",
    ],
  });
});

test("without discovery the kinds of the table are read, and that there may be others is noted", async () => {
  const { api } = serverOf({
    "GET /api/v1/namespaces/ml/pods": [{ metadata: {}, items: [] }],
    "GET /apis": [406],
    "GET /apis/batch/v1/jobs": [{ metadata: {}, items: [jobWith([FINALIZER])] }],
  });
  const { jobs, unread } = await observeUninstall(api, "ml");
  expect(jobs.map(({ object }) => object.metadata?.name)).toEqual(["train"]);
  expect(unread).toEqual(["kinds that the API server serves: is 406"]);
});
