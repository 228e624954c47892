import { expect, test } from "vitest";
import { makeRequest } from "../../test/make/request.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { decide } from "./decide.ts";

const VALID = "build: { kanikoImage: kaniko, baseImage: busybox }";

function decisionOn(data: object | undefined, namespace = "modelhook-system") {
  const object: KubeObject & { data?: object } = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "modelhook", namespace },
    ...(data === undefined ? {} : { data }),
  };
  const request = makeRequest(object, (each) => void (each.namespace = namespace));
  return decide(request, makeSnapshot());
}

test("valid limits are allowed as they are", () => {
  expect(decisionOn({ "config.yaml": VALID, other: "{" })).toEqual({
    allowed: true,
    reason: "Valid",
    operations: [],
    warnings: [],
  });
});

test.each<[string, object | undefined, string]>([
  ["without data", undefined, "data[config.yaml]: is required"],
  ["under another key", { "config.yml": VALID }, "data[config.yaml]: is required"],
  ["that are empty", { "config.yaml": "" }, "data[config.yaml]: null must be an object"],
  [
    "with several faults",
    { "config.yaml": "{localStorage: {allowedPrefixes: {a: [/]}}, buld: {}}" },
    [
      'data[config.yaml].localStorage.allowedPrefixes.a[0]: "/" must be an absolute directory other than /, without ".."',
      "data[config.yaml].build: is required",
      "data[config.yaml].buld: is unknown; allowed: localStorage, nfs, AWSEfs, certificates, jobKinds, loader, build; did you mean build?",
    ].join("; "),
  ],
])("limits %s are denied", (_, data, message) => {
  expect(decisionOn(data)).toMatchObject({
    allowed: false,
    reason: "InvalidConfiguration",
    message,
  });
});

test("another namespace's ConfigMap of that name is none of our business", () => {
  expect(decisionOn({}, "team-a").allowed).toBe(true);
});
