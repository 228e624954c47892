import { describe, expect, test } from "vitest";
import { NOW } from "../../test/make/attempt.ts";
import { makeExport } from "../../test/make/export.ts";
import { frozen, type Tweak } from "../../test/make/frozen.ts";
import { makeBinding, type MadeBinding } from "../../test/make/modelbinding.ts";
import { makeModel } from "../../test/make/model.ts";
import {
  DIGEST,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
} from "../../test/make/modelversion.ts";
import { makePod, type MadePod } from "../../test/make/pod.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import { findCondition } from "../api/conditions.ts";
import type { ModelBinding, ModelBindingStatus } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { printStatus } from "../inject/serving-status.ts";
import type { Action } from "./action.ts";
import { reconcileBinding, wantedByBinding, type BindingObserved } from "./binding.ts";

const LOOK_AGAIN = { type: "requeueAfter", ms: 300_000 };
const AT = "2026-11-23T09:30:00Z";

function stored(tweak: Tweak<MadeBinding> = () => {}): ModelBinding {
  return makeBinding((binding) => {
    Object.assign(binding.metadata, { uid: "b1", resourceVersion: "7", generation: 2 });
    tweak(binding);
  });
}

function observe(
  tweak: Partial<BindingObserved> = {},
  version: ModelVersion = makeBuiltVersion(),
): BindingObserved {
  const binding = tweak.binding ?? stored();
  return frozen<BindingObserved>(
    {
      now: NOW,
      binding,
      bindings: [binding],
      injectionEnabled: true,
      systemNamespace: "modelhook-system",
      known: { models: {}, versions: { "mnist-v1": version }, siblings: [] },
      pods: [],
      ...tweak,
    },
    () => {},
  );
}

function statusOf(actions: readonly Action[]): ModelBindingStatus {
  const [action] = actions;
  if (action?.type !== "status") throw new Error("the first action writes no status");
  return action.status;
}

function condition(observed: BindingObserved, type: string): object | undefined {
  const { conditions } = statusOf(reconcileBinding(observed).actions);
  return findCondition(conditions, type);
}

function pods(...names: readonly string[]): readonly MadePod[] {
  return names.map((name) =>
    makePod(({ metadata }) => Object.assign(metadata, { name, labels: { app: "web" } })),
  );
}

function injected(name: string, digest: string): MadePod {
  return makePod(({ metadata }) => {
    const model = { wanted: { modelVersion: "mnist-v1" }, digest, mountPath: "/kubedl-model" };
    const status = printStatus({ models: [model], delivery: "copy", binding: "web" });
    Object.assign(metadata, {
      name,
      labels: { app: "web" },
      annotations: { [ANNOTATIONS.status]: status },
    });
  });
}

test("a binding tells what new pods get, how many have it, and nothing to do", () => {
  const result = reconcileBinding(observe({ pods: [injected("web-1", DIGEST)] }));
  const said = { status: "True", observedGeneration: 2, lastTransitionTime: AT };
  expect(result).toEqual({
    notInjected: 0,
    actions: [
      {
        type: "status",
        ref: {
          apiVersion: "model.kubedl.io/v1alpha1",
          kind: "ModelBinding",
          namespace: "team-a",
          name: "web",
          uid: "b1",
        },
        resourceVersion: "7",
        status: {
          image: `registry.example/models/mnist@${DIGEST}`,
          injected: 1,
          notInjected: 0,
          observedGeneration: 2,
          conditions: [
            {
              ...said,
              type: "InEffect",
              reason: "BindingInEffect",
              message: "the pods that it selects get the model when they are made",
            },
            {
              ...said,
              type: "Resolved",
              reason: "ModelReady",
              message: "ModelVersion mnist-v1 is built",
            },
            {
              ...said,
              type: "Injected",
              reason: "Injected",
              message: "1 running pod has the model",
            },
          ],
        },
      },
      LOOK_AGAIN,
    ],
  });
});

test("a binding of which nothing changed is not written", () => {
  const before = observe({ pods: pods("web-1") });
  const status = statusOf(reconcileBinding(before).actions);
  const binding = stored((each) => void (each.status = status));
  const later = reconcileBinding(observe({ ...before, now: NOW + 300_000, binding }));
  expect(later.actions.map(({ type }) => type)).toEqual(["event", "requeueAfter"]);
});

test("a binding that somebody deletes is left alone", () => {
  const binding = stored((each) => void (each.metadata.deletionTimestamp = AT));
  const result = reconcileBinding(observe({ binding, pods: pods("web-1") }));
  expect(result).toEqual({ actions: [], notInjected: 0 });
});

describe("running pods that lack the model", () => {
  const names = ["web-1", "web-2", "web-3", "web-4", "web-5"];

  test.each<[string, readonly string[], ModelVersion, string]>([
    [
      "one is named",
      names.slice(0, 1),
      makeBuiltVersion(),
      "1 running pod was made without the model: web-1; delete it, or restart its Deployment; modelhook restarts nothing",
    ],
    [
      "three are named, and the others counted",
      names,
      makeBuiltVersion(),
      "5 running pods were made without the model: web-1, web-2, web-3 and 2 more; delete them, or restart their Deployment; modelhook restarts nothing",
    ],
    [
      "nobody is told to exchange them for pods that would wait",
      names.slice(0, 2),
      makeModelVersion(),
      "2 running pods were made without the model: web-1, web-2; once the model is built, delete them, or restart their Deployment; modelhook restarts nothing",
    ],
  ])("%s", (_, running, version, message) => {
    const observed = observe({ pods: pods(...running) }, version);
    const { actions, notInjected } = reconcileBinding(observed);
    expect(condition(observed, "Injected")).toMatchObject({
      status: "False",
      reason: "InjectionMissed",
      message,
    });
    expect(actions.slice(1)).toEqual([
      {
        type: "event",
        ref: expect.objectContaining({ kind: "ModelBinding", name: "web" }) as unknown,
        kind: "Warning",
        reason: "InjectionMissed",
        message,
      },
      LOOK_AGAIN,
    ]);
    expect(notInjected).toBe(running.length);
    expect(statusOf(actions)).toMatchObject({ injected: 0, notInjected: running.length });
  });

  test("are counted, and nothing more, while the binding is not in effect", () => {
    const observed = observe({ injectionEnabled: false, pods: pods("web-1") });
    const { actions, notInjected } = reconcileBinding(observed);
    expect(notInjected).toBe(0);
    expect(statusOf(actions).notInjected).toBe(1);
    expect(condition(observed, "Injected")).toBeUndefined();
    expect(condition(observed, "InEffect")).toMatchObject({
      status: "False",
      reason: "BindingWithoutEffect",
      message:
        "has no effect until namespace team-a has the label model.kubedl.io/injection=enabled",
    });
    expect(actions.slice(1)).toEqual([LOOK_AGAIN]);
  });
});

describe("when no running pod lacks the model", () => {
  const older = makeBinding((each) => {
    each.metadata.name = "older";
    each.metadata.creationTimestamp = "2026-10-01T00:00:00Z";
  });

  test.each<[string, Partial<BindingObserved>, string]>([
    ["there may be none", {}, "no running pod lacks the model"],
    [
      "some may have an older image",
      { pods: [injected("web-1", "sha256:1"), injected("web-2", DIGEST)] },
      "2 running pods have the model, 1 of them in another image than new pods get",
    ],
    [
      "an older binding may have them",
      { bindings: [stored(), older], pods: pods("web-1", "web-2") },
      "no running pod lacks the model; 2 running pods belong to an older binding",
    ],
  ])("%s", (_, tweak, message) => {
    expect(condition(observe(tweak), "Injected")).toMatchObject({ status: "True", message });
  });
});

describe("what a binding serves", () => {
  const latest = stored((each) => void (each.spec.serve = { model: "mnist" }));
  const aliased = stored((each) => {
    each.spec.serve = { model: "mnist", alias: "production" };
  });
  const pointing = makeModel((model) => {
    model.spec = { aliases: { production: "mnist-v1" } };
    model.status = { latestVersion: { modelVersion: "mnist-v1", imageName: "a" } };
  });
  const versions = { "mnist-v1": makeBuiltVersion() };
  const knows = (...models: readonly (typeof pointing)[]): BindingObserved["known"] => ({
    models: Object.fromEntries(models.map((model) => [model.metadata.name, model])),
    versions,
    siblings: [],
  });

  test.each<[string, BindingObserved, string, string]>([
    [
      "may be the latest version of a Model",
      observe({ binding: latest, known: knows(pointing) }),
      "ModelReady",
      "the latest version of Model mnist is ModelVersion mnist-v1, which is built",
    ],
    [
      "may be an alias",
      observe({ binding: aliased, known: knows(pointing) }),
      "ModelReady",
      "alias production of Model mnist is ModelVersion mnist-v1, which is built",
    ],
    [
      "may be an alias that there is not",
      observe({ binding: aliased, known: knows(makeModel()) }),
      "AliasPending",
      "Model mnist has no alias production",
    ],
    [
      "may be a Model that there is not",
      observe({ binding: latest, known: knows() }),
      "ModelNotFound",
      "Model mnist does not exist",
    ],
    [
      "may not be built",
      observe({}, makeModelVersion()),
      "ModelNotBuilt",
      "ModelVersion mnist-v1 is not built yet",
    ],
    [
      "may have failed for good",
      observe({}, makeFailedVersion()),
      "ModelBuildFailed",
      "the build of ModelVersion mnist-v1 failed: the directory is empty",
    ],
  ])("%s", (_, observed, reason, message) => {
    const status = reason === "ModelReady" ? "True" : "False";
    expect(condition(observed, "Resolved")).toMatchObject({ status, reason, message });
    const { image } = statusOf(reconcileBinding(observed).actions);
    expect(image !== undefined).toBe(reason === "ModelReady");
  });

  test("is nothing for one that exports, or has no spec", () => {
    expect(wantedByBinding(exporting())).toBeUndefined();
    const bare = stored((each) => void Object.assign(each, { spec: undefined }));
    expect(wantedByBinding(bare)).toBeUndefined();
  });
});

test("a binding that exports now says so, and no more what it said when it served", () => {
  const { conditions } = statusOf(reconcileBinding(observe({ pods: pods("web-1") })).actions);
  const foreign = {
    type: "Approved",
    status: "True",
    reason: "Approved",
    message: "",
    lastTransitionTime: AT,
  } as const;
  const binding = exporting({ injected: 0, conditions: [...(conditions ?? []), foreign] });
  const { actions } = reconcileBinding(observe({ binding }));
  expect(actions.slice(1)).toEqual([LOOK_AGAIN]);
  expect(statusOf(actions)).toEqual({
    observedGeneration: 2,
    injected: 0,
    notInjected: 0,
    conditions: [
      foreign,
      {
        type: "InEffect",
        status: "True",
        reason: "BindingInEffect",
        message: "what the jobs of the pods that it selects write is exported when they succeed",
        observedGeneration: 2,
        lastTransitionTime: AT,
      },
      {
        type: "Injected",
        status: "True",
        reason: "Injected",
        message: "0 running pods belong to jobs of which the model is exported",
        observedGeneration: 2,
        lastTransitionTime: AT,
      },
    ],
  });
});

function owned(apiVersion: string, name: string, status?: object): MadePod {
  return makePod(({ metadata }) => {
    metadata.name = name;
    metadata.labels = { app: "web" };
    metadata.ownerReferences = [
      { apiVersion, kind: "Owner", name: "a", uid: "1", controller: true },
    ];
    if (status === undefined) return;
    metadata.annotations = {
      "model.kubedl.io/export": JSON.stringify(makeExport()),
      "model.kubedl.io/status": JSON.stringify(status),
    };
  });
}

describe("a binding that exports", () => {
  const binding = exporting();
  const hooked = owned("batch/v1", "hooked", { writes: "mh-1", binding: "web" });
  const missed = owned("batch/v1", "missed");

  test.each<[string, readonly MadePod[], number, string]>([
    [
      "those whose job's model is exported",
      [hooked],
      0,
      "1 running pod belongs to a job of which the model is exported",
    ],
    [
      "those that were made without a place to write it to",
      [hooked, missed],
      1,
      "1 running pod was made without a place to write the model to, so what it writes is not exported: missed; delete its job and make it anew; modelhook restarts nothing",
    ],
    [
      "none that can never succeed",
      [owned("apps/v1", "web-1")],
      0,
      "0 running pods belong to jobs of which the model is exported",
    ],
    [
      "none that ask for their export themselves",
      [owned("batch/v1", "own", { writes: "mh-1" })],
      0,
      "0 running pods belong to jobs of which the model is exported",
    ],
  ])("counts, of the running pods that it selects, %s", (_, running, notInjected, message) => {
    const observed = observe({ binding, pods: running });
    expect(reconcileBinding(observed).notInjected).toBe(notInjected);
    expect(condition(observed, "Injected")).toMatchObject({ message });
  });
});

function exporting(status?: ModelBindingStatus): ModelBinding {
  return stored((binding) => {
    const { selector } = binding.spec;
    binding.spec = { selector, export: makeExport() };
    if (status !== undefined) binding.status = status;
  });
}
