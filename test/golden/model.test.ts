import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Reason } from "../../src/api/reasons.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import type { Action } from "../../src/reconcile/action.ts";
import { reconcileBinding, type BindingObserved } from "../../src/reconcile/binding.ts";
import { NO_DRIFT, foldDrift, type DriftObserved } from "../../src/reconcile/injection-drift.ts";
import { reconcileModel } from "../../src/reconcile/model.ts";
import type { ModelObserved } from "../../src/reconcile/observed.ts";
import { reconcileRetention, type RetentionObserved } from "../../src/reconcile/retention.ts";

/** Cases as those of ModelVersions: what was observed, and the actions that follow, written anew by `npm run golden`. */
const CASES = join(import.meta.dirname, "reconcile");

const RECONCILERS: readonly (readonly [
  name: string,
  reasons: readonly Reason[],
  reconcile: (observed: never) => readonly Action[],
])[] = [
  [
    "model",
    ["ModelNotBuilt", "BuildSucceeded", "AliasesResolved", "AliasPending"],
    (observed: ModelObserved) => reconcileModel(observed),
  ],
  ["retention", ["VersionRetired"], (observed: RetentionObserved) => reconcileRetention(observed)],
  [
    "binding",
    [
      "BindingInEffect",
      "BindingWithoutEffect",
      "ModelReady",
      "ModelNotFound",
      "ModelNotBuilt",
      "ModelBuildFailed",
      "AliasPending",
      "Injected",
      "InjectionMissed",
    ],
    (observed: BindingObserved) => reconcileBinding(observed).actions,
  ],
  [
    "drift",
    ["InjectionMissed"],
    (observed: DriftObserved) => foldDrift(NO_DRIFT, observed).actions,
  ],
];

describe.each(RECONCILERS)("reconciling a %s", (reconciler, reasons, reconcile) => {
  const names = readdirSync(CASES).filter((name) => name.startsWith(`${reconciler}-`));

  test.each(names)("%s", (name) => {
    const observed = deepFreeze(read(name, "observed.json")) as never;
    const actions: unknown = JSON.parse(JSON.stringify(reconcile(observed)));
    const path = join(CASES, name, "actions.json");
    if (process.env["GOLDEN"] === "update") {
      writeFileSync(path, `${JSON.stringify(actions, undefined, 2)}\n`);
    }
    expect(actions).toEqual(read(name, "actions.json"));
  });

  test.each(reasons)("has a case for %s", (reason) => {
    const all = names.map((name) => JSON.stringify(read(name, "actions.json"))).join("");
    expect(all).toContain(`"reason":"${reason}"`);
  });
});

function read(name: string, file: string): unknown {
  return JSON.parse(readFileSync(join(CASES, name, file), "utf8"));
}
