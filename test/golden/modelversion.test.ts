import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Reason } from "../../src/api/reasons.ts";
import { kanikoBuilder } from "../../src/builder/kaniko.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import type { Action } from "../../src/reconcile/action.ts";
import { reconcileModelVersion } from "../../src/reconcile/modelversion.ts";
import type { ModelVersionObserved } from "../../src/reconcile/observed.ts";

/**
 * One directory per case: what was observed, and the actions that follow. `npm run golden` writes the actions anew; whoever
 * runs it reads the difference.
 */
const CASES = join(import.meta.dirname, "reconcile");
const PREFIX = "modelversion-";
const names = readdirSync(CASES).filter((name) => name.startsWith(PREFIX));

/** Reasons that the reconciler gives by itself; those of a failed attempt have their cases beside the builder. */
const OWN_REASONS: readonly Reason[] = [
  "BuildStarted",
  "BuildRetried",
  "BuildSucceeded",
  "StorageBound",
  "StorageNotBound",
  "CreateRefused",
  "LocationBusy",
  "TagTaken",
  "PathNotAllowed",
  "InvalidObject",
];

describe("reconciling a ModelVersion", () => {
  test.each(names)("%s", (name) => {
    const actions = reconcile(name);
    const path = join(CASES, name, "actions.json");
    if (process.env["GOLDEN"] === "update") {
      mkdirSync(join(CASES, name), { recursive: true });
      writeFileSync(path, `${JSON.stringify(actions, undefined, 2)}\n`);
    }
    expect(actions).toEqual(JSON.parse(readFileSync(path, "utf8")));
  });

  test("has a case for each of its own reasons", () => {
    const all = names
      .map((name) => readFileSync(join(CASES, name, "actions.json"), "utf8"))
      .join("");
    expect(OWN_REASONS.filter((reason) => !all.includes(`"reason": "${reason}"`))).toEqual([]);
  });
});

/** The actions as JSON, where fields that are undefined are absent. */
function reconcile(name: string): unknown {
  const text = readFileSync(join(CASES, name, "observed.json"), "utf8");
  const observed = deepFreeze(JSON.parse(text) as ModelVersionObserved);
  const actions: readonly Action[] = reconcileModelVersion(observed, kanikoBuilder);
  return JSON.parse(JSON.stringify(actions));
}
