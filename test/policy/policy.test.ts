import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decide } from "../../src/admission/decide.ts";
import { RULES, type Rule } from "../../src/api/rules.ts";
import { makeRequest, makeUpdate } from "../make/request.ts";
import { makePolicy, makeSnapshot } from "../make/snapshot.ts";
import { BINDING_CASES } from "./bindings.ts";
import { MODEL_CASES } from "./models.ts";
import { LIMITS, NAMESPACE, type PolicyCase } from "./policy-case.ts";
import { VERSION_CASES } from "./versions.ts";

const CASES = [...VERSION_CASES, ...MODEL_CASES, ...BINDING_CASES];

/** Rules about more than one object, or held by the API server alone: where their cases are. */
const ELSEWHERE: Partial<Record<Rule, string>> = {
  ImageFree: "src/admission/modelversion.test.ts",
  AliasOfModel: "src/admission/model.test.ts",
  VersionInUse: "src/admission/version-deletion.test.ts",
  PushSecretReadable: "test/integration/confused-deputy.test.ts",
};

function decideCase({ manifest, stored, limits }: PolicyCase) {
  const policy = makePolicy((each) => void Object.assign(each, LIMITS, limits));
  const snapshot = makeSnapshot([], (each) => void (each.policy = policy));
  const request = stored === undefined ? makeRequest(manifest) : makeUpdate(manifest, stored);
  return decide({ ...request, namespace: NAMESPACE }, snapshot);
}

describe.each([
  ["ModelVersion", VERSION_CASES],
  ["Model", MODEL_CASES],
  ["ModelBinding", BINDING_CASES],
] as const)("a %s with", (_, cases) => {
  test.each(cases.map((each) => [each.has, each.fault ?? "right", each] as const))(
    "%s is %s",
    (_has, _says, each) => {
      const decision = decideCase(each);
      const causes = decision.allowed ? [] : decision.causes;
      expect(causes.map(({ field, message }) => `${field}: ${message}`)).toEqual(
        each.fault === undefined ? [] : [each.fault],
      );
    },
  );
});

describe("the rule", () => {
  const isKept = new Set(CASES.filter(({ fault }) => fault === undefined).map(({ rule }) => rule));
  const broken = CASES.flatMap((each) => rulesBrokenBy(each));
  const here = (Object.keys(RULES) as Rule[]).filter((rule) => ELSEWHERE[rule] === undefined);

  test.each(here)("%s has a case that keeps it, and one that breaks it", (rule) => {
    expect(isKept).toContain(rule);
    expect(broken).toContain(rule);
  });

  test.each(Object.entries(ELSEWHERE))("%s is tested in %s", (rule, file) => {
    expect(readFileSync(join(import.meta.dirname, "../..", file), "utf8")).toContain(rule);
  });

  test.each(
    CASES.filter(({ fault }) => fault !== undefined).map(
      (each) => [each.rule, each.has, each] as const,
    ),
  )("%s is the one that %s breaks", (rule, _, each) => {
    expect(rulesBrokenBy(each)).toEqual([rule]);
  });
});

function rulesBrokenBy(each: PolicyCase): readonly (Rule | undefined)[] {
  const decision = decideCase(each);
  return decision.allowed ? [] : decision.causes.map(({ rule }) => rule);
}

test("no two cases of a kind are called alike", () => {
  for (const cases of [VERSION_CASES, MODEL_CASES, BINDING_CASES]) {
    expect(new Set(cases.map(({ has }) => has)).size).toBe(cases.length);
  }
});
