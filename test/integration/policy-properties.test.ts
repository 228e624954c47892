import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import { decide } from "../../src/admission/decide.ts";
import { RULES } from "../../src/api/rules.ts";
import { connect, type ApiServer } from "../../src/kube/client.ts";
import { isInvalid } from "../../src/kube/errors.ts";
import { resources } from "../../src/kube/resources.ts";
import { create } from "../../src/kube/write.ts";
import { makeRequest } from "../make/request.ts";
import { makePolicy, makeSnapshot } from "../make/snapshot.ts";
import { ARBITRARY_OBJECTS } from "../policy/arbitrary.ts";
import { LIMITS, NAMESPACE } from "../policy/policy-case.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const RUNS = 150;
const KINDS = ["modelversions", "models", "modelbindings"] as const;

let plane: ControlPlane;
let api: ApiServer;
beforeAll(async () => {
  plane = await startPlane();
  api = await connect({ kubeconfigPath: plane.kubeconfig });
  await create(api, resources.namespaces, { metadata: { name: NAMESPACE } });
});
afterAll(async () => {
  await api?.close();
  await plane?.stop();
});

type Made = Parameters<typeof makeRequest>[0];

/** Whether the API server takes it; every other answer than that it is invalid is a fault of ours. */
async function isTaken(plural: (typeof KINDS)[number], object: Made): Promise<boolean> {
  try {
    await create(api, resources[plural], object, { dryRun: true });
    return true;
  } catch (error) {
    if (isInvalid(error)) return false;
    throw error;
  }
}

/** What the webhook would say: nothing, or whether a rule is broken that holds without it, too. */
function verdict(object: Made): "right" | "always" | "webhook" {
  const policy = makePolicy((each) => void Object.assign(each, LIMITS));
  const snapshot = makeSnapshot([], (each) => void (each.policy = policy));
  const decision = decide(makeRequest(object), snapshot);
  if (decision.allowed) return "right";
  const rules = decision.causes.map(({ rule }) => rule ?? "Schema");
  return rules.some((rule) => RULES[rule].always) ? "always" : "webhook";
}

describe("while no webhook runs, the API server", () => {
  test.each(KINDS)(
    "refuses of %s exactly those that break a rule which holds always",
    async (plural) => {
      const property = fc.asyncProperty(ARBITRARY_OBJECTS[plural], async (object) => {
        const expected = verdict(object) !== "always";
        return (await isTaken(plural, object)) === expected;
      });
      await expect(fc.assert(property, { numRuns: RUNS })).resolves.toBeUndefined();
    },
  );
});

describe("while the webhook runs, the API server", () => {
  let modelhook: RunningModelhook;
  beforeAll(async () => {
    modelhook = await startModelhook(plane, { limits: LIMITS });
  });
  afterAll(async () => modelhook?.stop());

  test.each(KINDS)("takes of %s exactly those that keep every rule", async (plural) => {
    const property = fc.asyncProperty(ARBITRARY_OBJECTS[plural], async (object) => {
      return (await isTaken(plural, object)) === (verdict(object) === "right");
    });
    await expect(fc.assert(property, { numRuns: RUNS })).resolves.toBeUndefined();
  });
});
