import { describe, expect, test } from "vitest";
import { apiVersionOf } from "../api/api-version.ts";
import { resourcePath, resources, type Resource } from "./resources.ts";

const { pods, nodes, jobs, modelversions } = resources;

describe("an address", () => {
  test.each<{
    what: string;
    resource: Resource;
    place: Parameters<typeof resourcePath>[1];
    path: string;
  }>([
    { what: "all pods", resource: pods, place: {}, path: "/api/v1/pods" },
    {
      what: "the pods of a namespace",
      resource: pods,
      place: { namespace: "ns" },
      path: "/api/v1/namespaces/ns/pods",
    },
    {
      what: "the status of a version",
      resource: modelversions,
      place: { namespace: "ns", name: "mv", subresource: "status" },
      path: "/apis/model.kubedl.io/v1alpha1/namespaces/ns/modelversions/mv/status",
    },
    { what: "one node", resource: nodes, place: { name: "n" }, path: "/api/v1/nodes/n" },
    {
      what: "a name that could lead elsewhere",
      resource: jobs,
      place: { namespace: "ns", name: "../../secrets?x=" },
      path: "/apis/batch/v1/namespaces/ns/jobs/..%2F..%2Fsecrets%3Fx%3D",
    },
  ])("of $what", ({ resource, place, path }) => {
    expect(resourcePath(resource, place)).toBe(path);
  });

  test.each<{
    what: string;
    resource: Resource;
    place: Parameters<typeof resourcePath>[1];
    message: string;
  }>([
    {
      what: "a namespaced object without a namespace",
      resource: pods,
      place: { name: "p" },
      message: "pods p needs a namespace",
    },
    {
      what: "a namespace for what has none",
      resource: nodes,
      place: { namespace: "ns" },
      message: "nodes have no namespace, but ns was given",
    },
    {
      what: "an empty name, which would mean the whole collection",
      resource: pods,
      place: { namespace: "ns", name: "" },
      message: "empty name",
    },
  ])("refuses $what", ({ resource, place, message }) => {
    expect(() => resourcePath(resource, place)).toThrow(message);
  });
});

test.each<[Resource, string]>([
  [pods, "v1"],
  [jobs, "batch/v1"],
  [modelversions, "model.kubedl.io/v1alpha1"],
])("the apiVersion of %o is %s", (resource, version) => {
  expect(apiVersionOf(resource)).toBe(version);
});
