import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { patched } from "../../test/make/patched.ts";
import { JOB_UID, makeTrainingPod } from "../../test/make/pod.ts";
import { hasExportHook, hookExport, mountExport, type ExportTarget } from "./completion-hook.ts";
import { draftPod } from "./pod-draft.ts";

const TARGET: ExportTarget = {
  claimName: "mh-1",
  subPath: "mnist",
  mountPath: "/out",
  isWriter: true,
  gated: true,
  jobUid: JOB_UID,
};

function hooked(target: ExportTarget) {
  const pod = makeTrainingPod();
  const draft = draftPod(pod);
  hookExport(draft, target);
  return patched(pod, draft.operations());
}

describe("a writer", () => {
  const { metadata, spec } = hooked(TARGET);

  test("mounts the claim at the path", () => {
    expect(spec.volumes).toEqual([
      { name: "kubedl-export", persistentVolumeClaim: { claimName: "mh-1" } },
    ]);
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: "kubedl-export", mountPath: "/out", subPath: "mnist" },
    ]);
  });

  test("is told where and that it writes", () => {
    expect(spec.containers[0].env).toEqual([
      { name: "KUBEDL_MODEL_PATH", value: "/out" },
      { name: "KUBEDL_MODEL_WRITER", value: "true" },
    ]);
  });

  test("waits behind the gate, and is found by the label", () => {
    expect(spec.schedulingGates).toEqual([{ name: "model.kubedl.io/export" }]);
    expect(metadata.labels).toEqual({
      "model.kubedl.io/export": "true",
      "model.kubedl.io/job-uid": JOB_UID,
    });
    expect(metadata.annotations?.["model.kubedl.io/status"]).toBe('{"writes":"mh-1"}');
  });

  test("that has its node gets no gate", () => {
    expect(hooked({ ...TARGET, gated: false }).spec.schedulingGates).toBeUndefined();
  });
});

test("a pod that is its own job is held, and has no UID to be found by", () => {
  const { metadata } = hooked({ ...TARGET, jobUid: undefined });
  expect(metadata.finalizers).toEqual(["model.kubedl.io/export"]);
  expect(metadata.labels).toEqual({ "model.kubedl.io/export": "true" });
  expect(hooked(TARGET).metadata.finalizers).toBeUndefined();
});

test("a pod for which a binding asks keeps what it asked for", () => {
  const intent = makeExport((each) => void (each.modelName = "bound"));
  const { metadata } = hooked({ ...TARGET, told: { binding: "exports", intent } });
  expect(metadata.annotations).toEqual({
    "model.kubedl.io/export": JSON.stringify(intent),
    "model.kubedl.io/status": '{"writes":"mh-1","binding":"exports"}',
  });
});

test("a pod that comes later is told what its job was let go for, though no binding asks", () => {
  const intent = makeExport((each) => void (each.modelName = "before"));
  expect(hooked({ ...TARGET, told: { binding: undefined, intent } }).metadata.annotations).toEqual({
    "model.kubedl.io/export": JSON.stringify(intent),
    "model.kubedl.io/status": '{"writes":"mh-1"}',
  });
});

test("another replica gets scratch space at the same path", () => {
  const { metadata, spec } = hooked({ ...TARGET, isWriter: false });
  expect(spec.volumes).toEqual([{ name: "kubedl-export", emptyDir: { sizeLimit: "10Gi" } }]);
  expect(spec.containers[0].volumeMounts).toEqual([{ name: "kubedl-export", mountPath: "/out" }]);
  expect(spec.containers[0].env).toContainEqual({ name: "KUBEDL_MODEL_WRITER", value: "false" });
  expect(metadata.annotations?.["model.kubedl.io/status"]).toBe('{"writes":"scratch"}');
});

test("mountExport changes the containers alone", () => {
  const pod = makeTrainingPod();
  const draft = draftPod(pod);
  mountExport(draft, TARGET, draft.containers);
  const { metadata, spec } = patched(pod, draft.operations());
  expect(spec.containers[0].volumeMounts).toHaveLength(1);
  expect(spec.volumes).toBeUndefined();
  expect(metadata).toEqual(pod.metadata);
});

describe("a pod is hooked", () => {
  test("with the claim, or as a replica with scratch space", () => {
    expect(hasExportHook(hooked(TARGET), TARGET)).toBe(true);
    const replica = { ...TARGET, isWriter: false };
    expect(hasExportHook(hooked(replica), replica)).toBe(true);
  });

  test("not with another claim or another volume of that name", () => {
    expect(hasExportHook(hooked(TARGET), { ...TARGET, claimName: "mh-2" })).toBe(false);
    expect(hasExportHook(hooked({ ...TARGET, isWriter: false }), TARGET)).toBe(false);
    const pod = makeTrainingPod((each) => {
      each.spec.volumes = [{ name: "kubedl-export", emptyDir: {} }];
    });
    expect(hasExportHook(pod, TARGET)).toBe(false);
    expect(hasExportHook(makeTrainingPod(), TARGET)).toBe(false);
  });
});
