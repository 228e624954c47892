import { describe, expect, test } from "vitest";
import { makePod, makeServingPod, makeTrainingPod } from "../../test/make/pod.ts";
import { makeExportingJob } from "../../test/make/job.ts";
import { makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { makeDeletion, makeRequest, makeUpdate } from "../../test/make/request.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { shapeFault } from "./shape.ts";

/** The pod with a spec or metadata that nobody has typed. */
function pod(spec: object, metadata: object = {}): KubeObject {
  return made("Pod", { metadata, spec: { containers: [], ...spec } });
}

/** An object that nobody has typed. */
function made(kind: string, parts: object, apiVersion = "v1"): KubeObject {
  return { apiVersion, kind, ...parts };
}

describe("what an API server sends has no fault", () => {
  test.each<[string, AdmissionRequest]>([
    ["a pod", makeRequest(makePod())],
    ["a serving pod", makeRequest(makeServingPod())],
    ["a training pod", makeRequest(makeTrainingPod())],
    ["a pod with null for lists", makeRequest(pod({ containers: null, volumes: null }))],
    ["a job", makeRequest(makeExportingJob())],
    ["a version", makeRequest(makeModelVersion())],
    ["a version that changes", makeUpdate(makeBuiltVersion(), makeModelVersion())],
    ["a pod that goes", makeDeletion({ kind: "Pod", metadata: {} })],
    ["a version that goes", makeDeletion(makeBuiltVersion())],
    [
      "a version with any spec",
      makeRequest(makeModelVersion((version) => void Object.assign(version, { spec: ["x"] }))),
    ],
    ["another kind", makeRequest(made("Lease", { spec: { containers: 7 } }))],
    [
      "a subresource",
      makeRequest({ kind: "Pod" }, (request) => void (request.subResource = "exec")),
    ],
  ])("%s", (_name, request) => {
    expect(shapeFault(request)).toBeUndefined();
  });
});

describe("a stranger's object is told by its first part that is none", () => {
  const job = (spec: object): KubeObject => made("Job", { metadata: {}, spec }, "batch/v1");
  const limits = (data: unknown): KubeObject => made("ConfigMap", { metadata: {}, data });

  test.each<[KubeObject, string]>([
    [{ kind: "Pod" }, "request.object.metadata is missing"],
    [{ kind: "Pod", metadata: {} }, "request.object.spec is missing"],
    [pod({ containers: {} }), "request.object.spec.containers is not a list"],
    [pod({ containers: [null] }), "request.object.spec.containers[0] is not an object"],
    [pod({ containers: [{}] }), "request.object.spec.containers[0].name is missing"],
    [
      pod({ initContainers: [{ name: 1 }] }),
      "request.object.spec.initContainers[0].name is not a string",
    ],
    [
      pod({ containers: [{ name: "a", volumeMounts: [{ name: "v" }] }] }),
      "request.object.spec.containers[0].volumeMounts[0].mountPath is missing",
    ],
    [
      pod({ containers: [{ name: "a", resources: { limits: { cpu: 1 } } }] }),
      "request.object.spec.containers[0].resources.limits[cpu] is not a string",
    ],
    [
      pod({ containers: [{ name: "a", command: "sh" }] }),
      "request.object.spec.containers[0].command is not a list",
    ],
    [pod({ nodeSelector: ["a"] }), "request.object.spec.nodeSelector is not an object"],
    [
      pod({}, { annotations: { a: null } }),
      "request.object.metadata.annotations[a] is not a string",
    ],
    [
      pod({}, { ownerReferences: [{ kind: "Job" }] }),
      "request.object.metadata.ownerReferences[0].apiVersion is missing",
    ],
    [pod({}, { name: {} }), "request.object.metadata.name is not a string"],
    [job({}), "request.object.spec.template is missing"],
    [
      job({ template: { metadata: "x" } }),
      "request.object.spec.template.metadata is not an object",
    ],
    [job({ template: {}, parallelism: "2" }), "request.object.spec.parallelism is not a number"],
    [limits({ "config.yaml": 7 }), "request.object.data[config.yaml] is not a string"],
    [limits(null), "request.object.data is not an object"],
    [
      made("Deployment", { metadata: { labels: [] } }, "apps/v1"),
      "request.object.metadata.labels is not an object",
    ],
  ])("%j", (object, fault) => {
    expect(shapeFault(makeRequest(object))).toBe(fault);
  });

  test("the object that was is looked at, too", () => {
    const { metadata: _, ...rest } = makeModelVersion();
    expect(shapeFault(makeUpdate(makeModelVersion(), rest as KubeObject))).toBe(
      "request.oldObject.metadata is missing",
    );
  });

  test("a version is not nested without end", () => {
    let spec: object = {};
    for (let left = 1000; left > 0; left--) spec = { inner: spec };
    const object = makeModelVersion((version) => void Object.assign(version, { spec }));
    expect(shapeFault(makeRequest(object))).toBe(
      "request.object is nested deeper than 1000 levels",
    );
  });

  test.each(["CREATE", "UPDATE"] as const)("%s has an object", (operation) => {
    const request = makeRequest(makePod(), (each) => {
      each.operation = operation;
      each.object = null;
    });
    expect(shapeFault(request)).toBe("request.object is missing");
  });

  test("a key of theirs is shown short", () => {
    const object = pod({}, { labels: { ["k".repeat(500)]: 1 } });
    expect(shapeFault(makeRequest(object))).toBe(
      `request.object.metadata.labels[${"k".repeat(60)}…] is not a string`,
    );
  });
});
