import { describe, expect, test } from "vitest";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeExportingJob, makeJob } from "../../test/make/job.ts";
import { makeModel } from "../../test/make/model.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import {
  makePod,
  makeServingPod,
  makeTrainingPod,
  makeUsingPod,
  type MadePod,
} from "../../test/make/pod.ts";
import { makeDeletion, makeRequest, makeUpdate } from "../../test/make/request.ts";
import { makePolicy, makeSnapshot } from "../../test/make/snapshot.ts";
import { makeKind, makeTemplate, makeWorkload } from "../../test/make/workload.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { Wanted } from "../api/wanted.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { decide, references } from "./decide.ts";

const SNAPSHOT = makeSnapshot([makeBuiltVersion()]);

function reasonOf(object: KubeObject): string {
  return decide(makeRequest(object), SNAPSHOT).reason;
}

/** A pod that asks for Model mnist. */
function byModel(tweak: Tweak<MadePod> = () => {}): MadePod {
  return makePod((pod) => {
    pod.metadata.annotations = { [ANNOTATIONS.model]: "mnist" };
    tweak(pod);
  });
}

function owned({ metadata }: MadePod): void {
  metadata.ownerReferences = [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "rs-1", controller: true },
  ];
}

describe("references", () => {
  const bound = makePod((pod) => void (pod.metadata.labels = { app: "web" }));

  test.each<[string, KubeObject, readonly Wanted[]]>([
    ["of a pod are the version that it names", makeServingPod(), [{ modelVersion: "mnist-v1" }]],
    ["of a pod are the Model that it names", byModel(), [{ model: "mnist" }]],
    [
      "of a pod are all models that it names",
      makePod((pod) => {
        const list = [
          { modelVersion: "mnist-v1", mountPath: "/a" },
          { model: "bert", alias: "production", mountPath: "/b" },
        ];
        pod.metadata.annotations = { [ANNOTATIONS.models]: JSON.stringify(list) };
      }),
      [{ modelVersion: "mnist-v1" }, { model: "bert", alias: "production" }],
    ],
    ["of a pod that asks for nothing are none", makePod(), []],
    ["of a pod that exports are none", makeTrainingPod(), []],
    [
      "of a pod that asks wrongly are none",
      makeServingPod((pod) => {
        pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATIONS.delivery]: "x" };
      }),
      [],
    ],
    [
      "of a pod that opts out are none",
      makeServingPod((pod) => {
        pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATIONS.inject]: "false" };
      }),
      [],
    ],
    ["of a version are none", makeModelVersion(), []],
    ["of a job are none", makeExportingJob(), []],
  ])("%s", (_, object, wanted) => {
    const { versions: _versions, ...found } = references(makeRequest(object), []);
    expect(found).toMatchObject({ namespace: "team-a", wanted });
    expect(found).not.toHaveProperty("template");
  });

  test("of a pod that a binding selects are what the binding serves", () => {
    const { wanted } = references(makeRequest(bound), [makeBinding()]);
    expect(wanted).toEqual([{ modelVersion: "mnist-v1", boundAt: "/kubedl-model" }]);
    expect(references(makeRequest(bound), [])).toMatchObject({ wanted: [] });
  });

  test("of a controller's pod are its siblings, where a name may come to stand for another version", () => {
    expect(references(makeRequest(byModel(owned)), [])).toEqual({
      namespace: "team-a",
      versions: [],
      wanted: [{ model: "mnist" }],
      template: "team-a/rs-1/",
    });
    expect(references(makeRequest(makeServingPod(owned)), [])).not.toHaveProperty("template");
    const ownedBound = makePod((pod) => {
      owned(pod);
      pod.metadata.labels = { ...bound.metadata.labels };
    });
    expect(references(makeRequest(ownedBound), [makeBinding()])).toMatchObject({
      template: "team-a/rs-1/",
    });
  });

  test.each<[string, KubeObject, object]>([
    ["a version that is deleted are who uses it", makeModelVersion(), { use: true }],
    ["a Model that is deleted are its versions", makeModel(), { model: "mnist" }],
    ["a pod that is deleted are none", makeServingPod(), {}],
  ])("of %s", (_, object, more) => {
    expect(references(makeDeletion(object), [])).toEqual({
      namespace: "team-a",
      versions: [],
      wanted: [],
      ...more,
    });
  });

  test("of a binding are all others of its namespace", () => {
    expect(references(makeRequest(makeBinding()), [])).toMatchObject({ bindings: true });
  });
});

describe("a pod that comes in", () => {
  test.each<[string, string, KubeObject]>([
    ["asks for a model", "Injected", makeServingPod()],
    ["exports one", "ExportHooked", makeTrainingPod()],
    ["asks for nothing", "NothingAsked", makePod()],
    [
      "has no annotations",
      "NothingAsked",
      makePod((pod) => void Object.assign(pod.metadata, { annotations: null })),
    ],
    ["has no metadata", "NothingAsked", deepFreeze({ apiVersion: "v1", kind: "Pod" })],
    [
      "has null metadata and spec",
      "NothingAsked",
      deepFreeze({ apiVersion: "v1", kind: "Pod", metadata: null, spec: null } as never),
    ],
  ])("and %s: %s", (_, reason, pod) => {
    expect(reasonOf(pod)).toBe(reason);
  });

  test("and opts out is left alone, with a warning", () => {
    const pod = makeServingPod((each) => {
      each.metadata.annotations = { ...each.metadata.annotations, [ANNOTATIONS.inject]: "false" };
    });
    expect(decide(makeRequest(pod), SNAPSHOT)).toMatchObject({
      reason: "OptedOut",
      operations: [],
      warnings: [{ message: expect.stringContaining("has no effect") as unknown }],
    });
  });

  test.each<[string, Tweak<MadePod>]>([
    ["by its operating system", (pod) => void (pod.spec.os = { name: "windows" })],
    ["by its nodes", (pod) => void (pod.spec.nodeSelector = { "kubernetes.io/os": "windows" })],
  ])("and is for Windows, %s, is left as it is, with a warning", (_, tweak) => {
    for (const make of [makeServingPod, makeTrainingPod]) {
      expect(decide(makeRequest(make(tweak)), SNAPSHOT)).toEqual({
        allowed: true,
        reason: "NotOurs",
        operations: [],
        warnings: [
          { reason: "NotOurs", message: "a Windows pod can not be given a model; left as it is" },
        ],
      });
    }
  });

  test("is for what its operating system says, whatever its nodes are", () => {
    const pod = makeServingPod((each) => {
      each.spec.os = { name: "linux" };
      each.spec.nodeSelector = { "kubernetes.io/os": "windows" };
    });
    expect(reasonOf(pod)).toBe("Injected");
  });

  test.each<[string, Tweak<MadePod>]>([
    [
      "from a file of a node",
      (pod) =>
        void Object.assign(pod.metadata.annotations ?? {}, { "kubernetes.io/config.mirror": "1" }),
    ],
    ["of a build", (pod) => void (pod.metadata.labels = { [LABELS.versionUid]: "1" })],
  ])("%s is never touched", (_, tweak) => {
    expect(reasonOf(makeServingPod(tweak))).toBe("NotOurs");
  });

  test.each(["kube-system", makePolicy().systemNamespace])(
    "to %s is never touched",
    (namespace) => {
      const request = makeRequest(makeServingPod(), (each) => void (each.namespace = namespace));
      expect(decide(request, SNAPSHOT).reason).toBe("NotOurs");
    },
  );
});

describe("a request", () => {
  test("to change a pod asks for nothing", () => {
    expect(decide(makeUpdate(makeServingPod(), makeServingPod()), SNAPSHOT)).toMatchObject({
      allowed: true,
      operations: [],
    });
  });

  test("to a subresource asks for nothing", () => {
    const request = makeRequest(makeServingPod(), (each) => void (each.subResource = "binding"));
    expect(decide(request, SNAPSHOT).reason).toBe("NothingAsked");
  });

  test.each([null, undefined])("without an object (%s) asks for nothing", (object) => {
    const request = makeRequest(makeModelVersion(), (each) => void Object.assign(each, { object }));
    expect(decide(request, SNAPSHOT).reason).toBe("NothingAsked");
  });

  test("to create a version fills in its defaults", () => {
    expect(reasonOf(makeModelVersion())).toBe("Defaulted");
  });

  test.each<[string, string, KubeObject]>([
    ["a version that pods use is denied", "VersionInUse", makeBuiltVersion()],
    ["a Model is allowed", "Valid", makeModel()],
    ["a pod asks for nothing", "Valid", makeServingPod()],
  ])("to delete %s", (_, reason, object) => {
    const snapshot = makeSnapshot([], (each) => {
      each.use = { namespaceEnds: false, pods: [makeUsingPod()] };
    });
    expect(decide(makeDeletion(object), snapshot).reason).toBe(reason);
  });

  test.each([null, undefined])("to delete without an old object (%s) is allowed", (oldObject) => {
    for (const object of [makeModel(), makeModelVersion()]) {
      const request = makeDeletion(object, (each) => void Object.assign(each, { oldObject }));
      expect(references(request, [])).toMatchObject({ versions: [], wanted: [] });
      expect(decide(request, SNAPSHOT)).toMatchObject({ allowed: true });
    }
  });

  test("to create a Model looks at what it says", () => {
    const model = makeModel((each) => void (each.spec = { retention: { keepLast: 0 } }));
    expect(reasonOf(model)).toBe("InvalidObject");
  });

  test("to create a job hooks one that exports", () => {
    expect(reasonOf(makeExportingJob())).toBe("ExportHooked");
    expect(reasonOf(makeJob())).toBe("NothingAsked");
  });

  test("to change a job asks for nothing", () => {
    expect(decide(makeUpdate(makeExportingJob(), makeJob()), SNAPSHOT).reason).toBe("Valid");
  });

  test("for a kind of others is allowed", () => {
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "web" } };
    expect(reasonOf(deepFreeze(service))).toBe("Valid");
  });
});

describe("a workload", () => {
  const kind = makeKind("Deployment");
  const asking = makeWorkload(kind, makeTemplate({ [ANNOTATIONS.modelVersion]: "mnist-v0" }));

  test.each([makeRequest(asking), makeUpdate(asking, makeWorkload(kind, makeTemplate()))])(
    "that is applied is given hints, from the versions that it names: %#",
    (request) => {
      expect(references(request, [])).toEqual({
        namespace: "team-a",
        versions: [],
        wanted: [{ modelVersion: "mnist-v0" }],
      });
      expect(decide(request, SNAPSHOT)).toMatchObject({
        allowed: true,
        reason: "Valid",
        warnings: [{ reason: "ModelNotFound" }],
      });
    },
  );

  test("that asks for nothing is given none", () => {
    expect(reasonOf(makeWorkload(kind, makeTemplate()))).toBe("NothingAsked");
  });

  test("that is deleted is given none", () => {
    const request = makeRequest(asking, (each) => void (each.operation = "DELETE"));
    expect(references(request, [])).toMatchObject({ wanted: [] });
    expect(decide(request, SNAPSHOT)).toMatchObject({ reason: "Valid", warnings: [] });
  });

  test("that is a Job is given them where nothing else is decided on it", () => {
    const serving = makeJob((job) => {
      job.spec.template.metadata.annotations = { [ANNOTATIONS.modelVersion]: "mnist-v0" };
    });
    const exporting = makeExportingJob();
    expect(decide(makeRequest(serving), SNAPSHOT).warnings).toHaveLength(1);
    expect(decide(makeUpdate(exporting, exporting), SNAPSHOT).warnings).toEqual([]);
  });
});
