import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeModel } from "../../test/make/model.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import {
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
} from "../../test/make/modelversion.ts";
import { makePolicy, makeSnapshot } from "../../test/make/snapshot.ts";
import { makeKind, makeTemplate, makeWorkload } from "../../test/make/workload.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { JOB_KINDS, kindNames } from "../jobs/kinds.ts";
import type { Workload } from "../jobs/places.ts";
import { WORKLOADS } from "../jobs/workloads.ts";
import { deepFreeze } from "../kube/freeze.ts";
import type { Snapshot } from "./snapshot.ts";
import { hintWorkload, wantedByWorkload } from "./workload-hints.ts";

// Nothing stands above the pods that a template would make.
const BUILT = makeSnapshot([makeBuiltVersion()], (each) => void delete each.owners);
const SERVES = { [ANNOTATIONS.modelVersion]: "mnist-v1" };
const EXPORTS = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };
const DEPLOYMENT = makeKind("Deployment");
const KNOWN = kindNames(JOB_KINDS);

function hints(object: KubeObject, kind: Workload, snapshot: Snapshot = BUILT): readonly string[] {
  return hintWorkload("team-a", object, kind, snapshot).warnings.map(
    ({ reason, message }) => `${reason}: ${message}`,
  );
}

const at = (name: string): string => `spec.template.metadata.annotations[model.kubedl.io/${name}]`;

/** A task whose pods serve the version. */
const task = (version: string) => ({
  template: makeTemplate({ [ANNOTATIONS.modelVersion]: version }),
});

function ofDeployment(template: object, snapshot?: Snapshot): readonly string[] {
  return hints(makeWorkload(DEPLOYMENT, template), DEPLOYMENT, snapshot);
}

describe("every kind", () => {
  const withPods = WORKLOADS.filter(({ places }) => places.length > 0);

  test.each(withPods)("$group $kind is told of a misspelt key in its template", (kind) => {
    const template = makeTemplate({ "model.kubedl.io/model-versoin": "mnist-v1" });
    const path = kind.places[0]?.path.replace("*", "Worker");
    const pods = kind.places[0]?.makes === "jobs" ? `${path}.spec.template` : path;
    expect(hints(makeWorkload(kind, template), kind)).toEqual([
      `UnknownAnnotation: ${pods}.metadata.annotations[model.kubedl.io/model-versoin]: is unknown; did you mean model.kubedl.io/model-version? Its pods will be denied`,
    ]);
  });

  test.each(withPods)("$group $kind that is right is told nothing", (kind) => {
    expect(hints(makeWorkload(kind, makeTemplate(SERVES)), kind)).toEqual([]);
    const { [ANNOTATIONS.modelVersion]: modelVersion } = SERVES;
    expect(wantedByWorkload(makeWorkload(kind, makeTemplate(SERVES)), kind, [])).toEqual([
      { modelVersion },
    ]);
  });

  test.each(WORKLOADS)("$group $kind is told that a key on itself has no effect", (kind) => {
    const [hint] = hints(makeWorkload(kind, makeTemplate(), SERVES), kind);
    expect(hint).toContain(
      `IdleAnnotation: metadata.annotations[${ANNOTATIONS.modelVersion}]: has no effect on a ${kind.kind}; `,
    );
  });
});

describe("a template is told, that", () => {
  const gate = "the pod waits behind the scheduling gate model.kubedl.io/build";
  test.each<[string, object, Snapshot, readonly string[]]>([
    [
      "a value is bad",
      makeTemplate({ ...SERVES, [ANNOTATIONS.delivery]: "link" }),
      BUILT,
      [
        `InvalidAnnotation: ${at("delivery")}: "link" is not allowed; allowed: auto, copy, image-volume; its pods will be denied`,
      ],
    ],
    [
      "a key is unknown, and like none",
      makeTemplate({ ...SERVES, "model.kubedl.io/colour": "red" }),
      BUILT,
      [
        expect.stringContaining(
          "UnknownAnnotation: spec.template: annotation model.kubedl.io/colour is unknown and has no effect",
        ) as string,
      ],
    ],
    [
      "the version is unknown, and another is like it",
      makeTemplate({ [ANNOTATIONS.modelVersion]: "mnist-v2" }),
      BUILT,
      [
        `ModelNotFound: spec.template: ModelVersion mnist-v2 does not exist; ${gate}; did you mean mnist-v1?`,
      ],
    ],
    [
      "the version is not built",
      makeTemplate(SERVES),
      makeSnapshot([makeModelVersion()]),
      [`ModelNotBuilt: spec.template: ModelVersion mnist-v1 is not built yet; ${gate}`],
    ],
    [
      "the Model is unknown, and another is like it",
      makeTemplate({ [ANNOTATIONS.model]: "mnits" }),
      makeSnapshot([], (each) => void (each.modelNames = ["mnist"])),
      [`ModelNotFound: spec.template: Model mnits does not exist; ${gate}; did you mean mnist?`],
    ],
    [
      "the alias is unknown",
      makeTemplate({ [ANNOTATIONS.model]: "mnist", [ANNOTATIONS.alias]: "production" }),
      makeSnapshot([], (each) => void (each.models = { mnist: makeModel() })),
      [`AliasPending: spec.template: Model mnist has no alias production; ${gate}`],
    ],
    [
      "keys contradict each other",
      makeTemplate({ ...SERVES, [ANNOTATIONS.model]: "mnist" }),
      BUILT,
      [
        `ContradictingAnnotations: ${at("model")}: excludes model.kubedl.io/model-version: one of them says which model is wanted; its pods will be denied`,
      ],
    ],
    [
      "a list of models is wrong",
      makeTemplate({ [ANNOTATIONS.models]: '[{"model":"mnist"}]' }),
      BUILT,
      [`InvalidAnnotation: ${at("models")}[0].mountPath: is required; its pods will be denied`],
    ],
    [
      "the image can not be copied, where its pods have to wait",
      makeTemplate(SERVES),
      makeSnapshot([
        makeModelVersion(({ spec }) => void (spec.builder = { baseImage: "scratch" })),
      ]),
      [
        `NoShell: ${at("delivery")}: the image of ModelVersion mnist-v1 has no shell to copy its model with, and a pod that waits for a build can get a copy only; make it when all of its models are built; its pods will be denied`,
      ],
    ],
    [
      "nothing, when it asks for an image volume, since the nodes may be others when its pods come",
      makeTemplate({ ...SERVES, [ANNOTATIONS.delivery]: "image-volume" }),
      makeSnapshot([makeBuiltVersion()], (each) => void delete each.nodes),
      [],
    ],
    [
      "the build failed",
      makeTemplate(SERVES),
      makeSnapshot([makeFailedVersion()]),
      [
        `ModelBuildFailed: ${at("model-version")}: the build of ModelVersion mnist-v1 failed: the directory is empty; its pods will be denied`,
      ],
    ],
    [
      "it names no container of it",
      makeTemplate({ ...SERVES, [ANNOTATIONS.containers]: "main" }),
      BUILT,
      [
        `InvalidAnnotation: ${at("containers")}: the pod has no container "main"; it has server; its pods will be denied`,
      ],
    ],
    [
      "a mount is in the way",
      makeTemplate(SERVES, {
        containers: [{ name: "a", volumeMounts: [{ name: "b", mountPath: "/kubedl-model" }] }],
      }),
      BUILT,
      [
        `MountConflict: spec.template.spec.containers[0].volumeMounts[0].mountPath: container a already mounts "b" at /kubedl-model; remove that mount or choose another path for the model; its pods will be denied`,
      ],
    ],
    [
      "a name is reserved",
      makeTemplate(SERVES, { volumes: [{ name: "kubedl-model" }] }),
      BUILT,
      [
        `NameConflict: spec.template.spec.volumes[0].name: "kubedl-model" is reserved for the model; name the volume differently; its pods will be denied`,
      ],
    ],
    [
      "it has a node, and the version is not built",
      makeTemplate(SERVES, { nodeName: "node-1" }),
      makeSnapshot([makeModelVersion()]),
      [
        `NodeNameWithGate: spec.template.spec.nodeName: "node-1" is set while the model is not built; a pod that has its node already can not wait: build ModelVersion mnist-v1 first, or use nodeSelector or affinity; its pods will be denied`,
      ],
    ],
    [
      "it opted out",
      makeTemplate({ ...SERVES, [ANNOTATIONS.inject]: "false" }),
      BUILT,
      [
        `OptedOut: spec.template: model.kubedl.io/inject is "false", so model.kubedl.io/model-version has no effect`,
      ],
    ],
    [
      "its pods' success is not known",
      makeTemplate(EXPORTS),
      BUILT,
      [
        `UnknownJobKind: ${at("export")}: the pod belongs to a ReplicaSet (apps/v1), whose success is not known; it must belong to one of ${KNOWN}, or to nothing; its pods will be denied`,
      ],
    ],
    [
      "nothing, when only our status stands there",
      makeTemplate({ [ANNOTATIONS.status]: "" }),
      BUILT,
      [],
    ],
  ])("%s", (_, template, snapshot, expected) => {
    expect(ofDeployment(template, snapshot)).toEqual(expected);
  });
});

describe("an export", () => {
  const bad = { [ANNOTATIONS.export]: JSON.stringify({ ...makeExport(), imageTag: "a/b" }) };
  test.each(["CronJob", "JobSet"])("of the jobs of a %s is right when it is for a Job", (name) => {
    const kind = makeKind(name);
    expect(hints(makeWorkload(kind, makeTemplate(EXPORTS)), kind)).toEqual([]);
  });

  test("of the jobs of a CronJob is told what they would be denied for", () => {
    const kind = makeKind("CronJob");
    expect(hints(makeWorkload(kind, makeTemplate(bad)), kind)).toEqual([
      `InvalidAnnotation: spec.jobTemplate.spec.template.metadata.annotations[model.kubedl.io/export].imageTag: "a/b" is not a tag: at most 128 letters, digits, "_", "." and "-", not beginning with "." or "-"; its jobs will be denied`,
    ]);
  });

  test("that a job template says itself is read too", () => {
    const kind = makeKind("CronJob");
    const jobTemplate = { metadata: { annotations: bad }, spec: { template: makeTemplate() } };
    const object = deepFreeze({ metadata: { name: "a" }, spec: { jobTemplate } });
    expect(hints(object, kind)).toEqual([
      expect.stringContaining(
        "spec.jobTemplate.metadata.annotations[model.kubedl.io/export].imageTag",
      ),
    ]);
  });

  test("on a StatefulSet itself is told of the kinds that have one", () => {
    const kind = makeKind("StatefulSet");
    const object = makeWorkload(kind, makeTemplate(), EXPORTS);
    expect(hints(object, { ...kind, places: [] })).toEqual([
      `IdleAnnotation: metadata.annotations[model.kubedl.io/export]: has no effect on a StatefulSet; it has one on pods, and an export on ${KNOWN}`,
    ]);
  });
});

test("what all templates ask for is looked up", () => {
  const kind = makeKind("Job", "batch.volcano.sh");
  const tasks = [task("a"), task("b"), task("a"), { template: 5 }];
  expect(wantedByWorkload(deepFreeze({ spec: { tasks } } as KubeObject), kind, [])).toEqual(
    ["a", "b", "a"].map((modelVersion) => ({ modelVersion })),
  );
});

describe("of a binding's pods", () => {
  const labels = { app: "web" };
  const shaped = { metadata: { labels, annotations: { [ANNOTATIONS.delivery]: "image-volume" } } };
  const binding = makeBinding(({ spec }) => {
    spec.serve = { modelVersion: "mnist-v1", containers: ["main"] };
  });
  const object = makeWorkload(DEPLOYMENT, { ...makeTemplate(), ...shaped });

  test("a template that shapes the delivery is read with the binding", () => {
    expect(wantedByWorkload(object, DEPLOYMENT, [binding])).toEqual([
      { modelVersion: "mnist-v1", boundAt: "/kubedl-model" },
    ]);
    expect(wantedByWorkload(object, DEPLOYMENT, [])).toEqual([]);
  });

  test("what they would be denied for is said of the binding", () => {
    const snapshot = makeSnapshot([makeFailedVersion()], (each) => {
      each.bindings = [makeBinding()];
    });
    expect(hints(object, DEPLOYMENT, snapshot)).toEqual([
      "ModelBuildFailed: spec.template: ModelBinding web: spec.serve.modelVersion: the build of ModelVersion mnist-v1 failed: the directory is empty; its pods will be denied",
    ]);
  });

  test("a template that says nothing in our words is told nothing", () => {
    const snapshot = makeSnapshot([], (each) => void (each.bindings = [binding]));
    const silent = makeWorkload(DEPLOYMENT, { ...makeTemplate(), metadata: { labels } });
    expect(hints(silent, DEPLOYMENT, snapshot)).toEqual([]);
  });
});

test("more templates than an answer shows are not read", () => {
  const kind = makeKind("Job", "batch.volcano.sh");
  const template = makeTemplate({ "model.kubedl.io/modle-version": "a" });
  const tasks = Array.from({ length: 1000 }, () => ({ template }));
  expect(hints(deepFreeze({ spec: { tasks } } as KubeObject), kind)).toHaveLength(16);
});

test.each(["kube-system", makePolicy().systemNamespace])("in %s nothing is said", (namespace) => {
  const object = makeWorkload(DEPLOYMENT, makeTemplate({ "model.kubedl.io/modle": "a" }));
  expect(hintWorkload(namespace, object, DEPLOYMENT, BUILT)).toMatchObject({
    reason: "NotOurs",
    warnings: [],
  });
});

test("whatever the templates are, nothing is denied and nothing is thrown", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constant(undefined));
  const annotations = fc.dictionary(
    fc.constantFrom(...Object.values(ANNOTATIONS), "model.kubedl.io/modle"),
    fc.oneof(fc.string(), fc.constantFrom(EXPORTS[ANNOTATIONS.export], "mnist-v1"), value),
  );
  const list = fc.oneof(
    value,
    fc.array(fc.oneof(value, fc.record({ name: value, volumeMounts: value }))),
  );
  const template = fc.record({
    metadata: fc.oneof(value, fc.record({ annotations: fc.oneof(value, annotations) })),
    spec: fc.oneof(
      value,
      fc.record({ containers: list, initContainers: list, volumes: list, nodeName: value }),
    ),
  });
  fc.assert(
    fc.property(template, fc.constantFrom(...WORKLOADS), (each, kind) => {
      const object = makeWorkload(kind, each);
      wantedByWorkload(object, kind, []);
      expect(hintWorkload("team-a", object, kind, BUILT)).toMatchObject({
        allowed: true,
        operations: [],
      });
    }),
  );
});
