import { describe, expect, test } from "vitest";
import { makeDefinition, makeKubeDl } from "../../test/make/kubedl.ts";
import type { Deployment } from "../api/kube-types.ts";
import type { ApiServer, RequestOptions } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import { findKubeDl } from "../reconcile/kubedl.ts";
import { observeKubeDl } from "./kubedl.ts";

const { signal } = new AbortController();
const DEPLOYMENTS = "/apis/apps/v1/deployments";
const REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

interface Asked {
  readonly spec: { readonly user: string };
}

/** A cluster with these Deployments, in which these users may write ModelVersions, or nobody can be asked. */
function clusterOf(deployments: readonly Deployment[], writers: readonly string[] | Error) {
  const reviews: Asked[] = [];
  const api: ApiServer = {
    url: "https://test",
    async request<T>(_method: string, path: string, options: RequestOptions = {}): Promise<T> {
      await Promise.resolve();
      if (path === DEPLOYMENTS) {
        const isFirst = options.query?.["labelSelector"] === "app=kubedl";
        return { metadata: { resourceVersion: "1" }, items: isFirst ? deployments : [] } as T;
      }
      if (path !== REVIEWS) return makeDefinition() as T;
      if (writers instanceof Error) throw writers;
      const review = options.body as Asked;
      reviews.push(review);
      return { ...review, status: { allowed: writers.includes(review.spec.user) } } as T;
    },
    stream: async () => {
      throw new Error("nothing is watched");
    },
    close: async () => {},
  };
  return { reviews, observe: async () => observeKubeDl({ api, now: Date.now }, signal) };
}

/** A Deployment that looks as KubeDL's does, in the namespace of a tenant. */
function forged(name: string, account = "default"): Deployment {
  return makeKubeDl((each) => {
    each.metadata = { ...each.metadata, namespace: "team-a", name, uid: name };
    if (each.spec?.template.spec !== undefined) {
      each.spec.template.spec.serviceAccountName = account;
    }
  });
}

const WRITER = "system:serviceaccount:kubedl-system:kubedl-manager";

describe("who runs KubeDL's manager", () => {
  test("may write ModelVersions when the API server says so of all namespaces", async () => {
    const { reviews, observe } = clusterOf([makeKubeDl()], [WRITER]);
    expect(await observe()).toMatchObject({ mayWrite: ["kubedl"] });
    expect(reviews).toEqual([
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: {
          user: WRITER,
          groups: [
            "system:serviceaccounts",
            "system:serviceaccounts:kubedl-system",
            "system:authenticated",
          ],
          resourceAttributes: {
            verb: "update",
            group: "model.kubedl.io",
            resource: "modelversions",
          },
        },
      },
    ]);
  });

  test("is found behind as many forged ones as a tenant likes", async () => {
    const many = Array.from({ length: 20 }, (_, index) => forged(`f-${index}`, `a-${index}`));
    const { observe } = clusterOf([...many, makeKubeDl()], [WRITER]);
    expect(findKubeDl(await observe())?.metadata?.uid).toBe("kubedl");
  });

  test("is asked about once, however many Deployments he has", async () => {
    const { reviews, observe } = clusterOf([forged("a"), forged("b"), forged("c")], []);
    expect(findKubeDl(await observe())).toBeUndefined();
    expect(reviews).toHaveLength(1);
  });

  test("is not asked about when nothing of it may run", async () => {
    const stopped = makeKubeDl((each) => {
      delete each.status;
      if (each.spec !== undefined) each.spec.replicas = 0;
    });
    const { reviews, observe } = clusterOf([stopped], [WRITER]);
    expect(await observe()).toMatchObject({ mayWrite: [] });
    expect(reviews).toEqual([]);
  });

  test("is not guessed when the API server can not be asked", async () => {
    const request = `POST ${REVIEWS}`;
    const error = new ApiError({ status: 403, reason: "", message: "no", details: {}, request });
    await expect(clusterOf([makeKubeDl()], error).observe()).rejects.toBe(error);
    await expect(clusterOf([], error).observe()).resolves.toMatchObject({ mayWrite: [] });
  });
});
