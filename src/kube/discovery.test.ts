import { expect, test } from "vitest";
import type { ApiServer, RequestOptions } from "./client.ts";
import { servedResources } from "./discovery.ts";

async function stream(): Promise<never> {
  throw new Error("nothing is watched");
}

/** An API server that answers discovery with this, and what it was asked to accept. */
function serverOf(answer: object): { readonly api: ApiServer; readonly accepted: unknown[] } {
  const accepted: unknown[] = [];
  const request = async <T>(
    method: string,
    path: string,
    { accept }: RequestOptions = {},
  ): Promise<T> => {
    accepted.push([`${method} ${path}`, accept]);
    return answer as T;
  };
  return { api: { url: "", request, stream, close: async () => {} }, accepted };
}

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** A resource as Kubernetes 1.36 tells it, which leaves group and version of its own kinds empty. */
function resourceOf(resource: string, kind: string, scope = "Namespaced") {
  const responseKind = { group: "", version: "", kind };
  return {
    resource,
    responseKind,
    scope,
    singularResource: kind.toLowerCase(),
    verbs: VERBS,
    categories: ["all"],
    subresources: [{ subresource: "status", responseKind, verbs: ["get", "patch", "update"] }],
  };
}

const LIST = {
  kind: "APIGroupDiscoveryList",
  apiVersion: "apidiscovery.k8s.io/v2",
  metadata: {},
};

test("every resource is told once, in the version that is preferred of those that have it", async () => {
  const { api, accepted } = serverOf({
    ...LIST,
    items: [
      {
        metadata: { name: "batch.example" },
        versions: [
          { version: "v2", resources: [resourceOf("runs", "Run")], freshness: "Current" },
          {
            version: "v1",
            resources: [resourceOf("runs", "Run"), resourceOf("sweeps", "Sweep", "Cluster")],
            freshness: "Current",
          },
        ],
      },
      // A server behind the API server that does not answer.
      {
        metadata: { name: "metrics.k8s.io" },
        versions: [{ version: "v1beta1", freshness: "Stale" }],
      },
    ],
  });
  const common = { group: "batch.example", verbs: VERBS };
  expect(await servedResources(api)).toEqual([
    {
      ...common,
      version: "v2",
      plural: "runs",
      kind: "Run",
      namespaced: true,
      versions: ["v2", "v1"],
    },
    {
      ...common,
      version: "v1",
      plural: "sweeps",
      kind: "Sweep",
      namespaced: false,
      versions: ["v1"],
    },
  ]);
  expect(accepted).toEqual([
    ["GET /apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"],
  ]);
});

test("an answer of another type is no cluster without kinds", async () => {
  const { api } = serverOf({ kind: "APIGroupList", apiVersion: "v1", groups: [] });
  await expect(servedResources(api)).rejects.toThrow(
    "the answer is APIGroupList, not APIGroupDiscoveryList",
  );
});
