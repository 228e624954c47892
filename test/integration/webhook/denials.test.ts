import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allow, deny, patch, type Decision } from "../../../src/admission/decision.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import type { Warning } from "../../../src/api/review.ts";
import { resources } from "../../../src/kube/resources.ts";
import { create } from "../../../src/kube/write.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { useCluster } from "../kube/cluster.ts";
import { NAMESPACE, startReplica, type Replica } from "./replica.ts";

const cluster = useCluster();
let replica: Replica;
let decision: Decision = allow("Valid");

beforeAll(async () => {
  const { api, plane } = cluster;
  await plane.kubectl(["apply", "--filename", "deploy/crds"]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
  await create(api, resources.namespaces, { metadata: { name: NAMESPACE } });
  replica = await startReplica(api, createLogger({ level: "silent" }), () => decision);
  replica.lead(`https://127.0.0.1:${replica.webhook.port}`);
  await replica.isCalled();
});

afterAll(async () => replica?.stop());

const causes = [
  { field: "spec.storage", message: "has no storage" },
  { field: "spec.imageRepo", message: "has a tag" },
];
const version = {
  apiVersion: "model.kubedl.io/v1alpha1",
  kind: "ModelVersion",
  metadata: { name: "digits", namespace: "default" },
  spec: { modelName: "digits" },
};
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", annotations: { "model.kubedl.io/model": "x" } },
  spec: { containers: [{ name: "main", image: "scratch" }] },
};

/** What kubectl prints on standard error when it applies the object. */
async function refusal(object: object): Promise<string> {
  const applied = cluster.plane.kubectl(["apply", "--filename", "-"], JSON.stringify(object));
  const error: unknown = await applied.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  const { message } = error as Error;
  return message.slice(message.indexOf(": ") + 2);
}

describe("kubectl prints", () => {
  test("the faults of a ModelVersion one to a line, under its name", async () => {
    decision = deny("InvalidObject", causes);
    expect(await refusal(version)).toBe(
      'The ModelVersion "digits" is invalid: \n* spec.storage: has no storage\n* spec.imageRepo: has a tag',
    );
  });

  test("the one fault of a ModelVersion on one line", async () => {
    decision = deny("InvalidObject", causes.slice(0, 1));
    expect(await refusal(version)).toBe(
      'The ModelVersion "digits" is invalid: spec.storage: has no storage',
    );
  });

  test("the faults of a pod with the webhook that found them", async () => {
    decision = deny("MountConflict", [{ field: "spec.volumes[0]", message: "is taken" }]);
    expect(await refusal(pod)).toBe(
      'Error from server (Forbidden): error when creating "STDIN": admission webhook "pods.modelhook.kubedl.io" denied the request: spec.volumes[0]: is taken',
    );
  });

  test("each warning, first of all", async () => {
    const warnings = warningsOf("one", "two\nlines");
    decision = deny("MountConflict", [{ field: "a", message: "b" }], warnings);
    expect(await refusal(pod)).toMatch(/^Warning: one\nWarning: two lines\nError from server/);
  });

  test("warnings that are many or long, as far as the API server lets them through", async () => {
    const many = Array.from({ length: 30 }, (_, index) => `w${index}`);
    const warnings = warningsOf("x".repeat(400), ...many);
    decision = deny("MountConflict", [{ field: "a", message: "b" }], warnings);
    const lines = (await refusal(pod)).split("\n").filter((line) => line.startsWith("Warning: "));
    expect(lines).toHaveLength(16);
    expect(lines[0]).toBe(`Warning: ${"x".repeat(255)}…`);
    expect(lines[15]).toBe("Warning: and 16 more warnings");
  });

  test("that it was our fault when the decision fails", async () => {
    decision = undefined as unknown as Decision;
    expect(await refusal(pod)).toMatch(
      /^Error from server \(InternalError\): .* "pods.modelhook.kubedl.io" denied the request: modelhook could not decide; try again/,
    );
  });
});

test("a patch arrives in the object", async () => {
  decision = patch("Injected", [
    { op: "add", path: "/metadata/annotations/model.kubedl.io~1status", value: "done" },
    { op: "add", path: "/metadata/labels", value: { team: "ml" } },
  ]);
  const created = await create<KubeObject>(cluster.api, resources.pods, pod);
  expect(created.metadata?.annotations).toMatchObject({ "model.kubedl.io/status": "done" });
  expect(created.metadata?.labels).toEqual({ team: "ml" });
});

function warningsOf(...messages: readonly string[]): readonly Warning[] {
  return messages.map((message) => ({ reason: "UnknownAnnotation", message }));
}
