import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, references } from "../../src/admission/decide.ts";
import type { Decision } from "../../src/admission/decision.ts";
import type { AdmissionRequest } from "../../src/api/review.ts";
import { RULES } from "../../src/api/rules.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import { makeRequest, makeUpdate } from "../make/request.ts";
import { makePolicy, makeSnapshot } from "../make/snapshot.ts";
import { ARBITRARY_OBJECTS } from "./arbitrary.ts";
import { LIMITS } from "./policy-case.ts";

const policy = makePolicy((each) => void Object.assign(each, LIMITS));
const SNAPSHOT = makeSnapshot([], (each) => void (each.policy = policy));

const answer = (request: AdmissionRequest): Decision => {
  const frozen = deepFreeze(request);
  references(frozen, []);
  return decide(frozen, SNAPSHOT);
};

/** True when it is let in, or refused with a reason, a field and a sentence for every fault. */
function isAnswer(decision: Decision): boolean {
  if (decision.allowed) return true;
  return (
    decision.causes.length > 0 &&
    decision.causes.every(
      ({ rule, field, message }) =>
        rule !== undefined && Object.hasOwn(RULES, rule) && field !== "" && message !== "",
    )
  );
}

describe.each(Object.entries(ARBITRARY_OBJECTS))("%s that the schema accepts", (_, object) => {
  test("are of both kinds, right and wrong", () => {
    const verdicts = fc
      .sample(object, 500)
      .map((each) => (answer(makeRequest(each)).allowed ? "right" : "wrong"));
    expect([...new Set(verdicts)].toSorted()).toEqual(["right", "wrong"]);
  });

  test("are let in or refused with reasons when they are made", () => {
    expect(() =>
      fc.assert(
        fc.property(object, (each) => isAnswer(answer(makeRequest(each)))),
        { numRuns: 2000 },
      ),
    ).not.toThrow();
  });

  test("are let in or refused with reasons when they change, from whatever was stored", () => {
    const old = fc.oneof(
      object,
      object.map((each) => ({ ...each, status: { imageBuildPhase: "ImageBuilding" } })),
      object.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata })),
    );
    expect(() =>
      fc.assert(
        fc.property(object, old, (each, before) => isAnswer(answer(makeUpdate(each, before)))),
        { numRuns: 1000 },
      ),
    ).not.toThrow();
  });

  test("are never refused when only their labels and finalizers change", () => {
    expect(() =>
      fc.assert(
        fc.property(object, (each) => {
          const metadata = {
            ...each.metadata,
            labels: { a: "b" },
            finalizers: ["example.com/x"],
          };
          return answer(makeUpdate({ ...each, metadata }, each)).allowed;
        }),
      ),
    ).not.toThrow();
  });
});

test("no JSON in place of a spec makes a decision fail", () => {
  const kind = fc.constantFrom("ModelVersion", "Model", "ModelBinding");
  expect(() =>
    fc.assert(
      fc.property(kind, fc.jsonValue(), (name, spec) => {
        const object = {
          apiVersion: "model.kubedl.io/v1alpha1",
          kind: name,
          metadata: { name: "made", namespace: "team-a" },
          spec,
        };
        return isAnswer(answer(makeRequest(object)));
      }),
      { numRuns: 2000 },
    ),
  ).not.toThrow();
});
