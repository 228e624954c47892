import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import jsonPatch from "fast-json-patch";
import { describe, expect, test } from "vitest";
import { decide } from "../../src/admission/decide.ts";
import type { Decision } from "../../src/admission/decision.ts";
import type { Snapshot } from "../../src/admission/snapshot.ts";
import { ANNOTATIONS } from "../../src/api/annotations.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import { REASONS } from "../../src/api/reasons.ts";
import type { AdmissionRequest, PatchOperation } from "../../src/api/review.ts";
import { JOB_KINDS } from "../../src/jobs/kinds.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import { patched } from "../make/patched.ts";

/**
 * Each folder is a case: an AdmissionReview as the API server sends it, what was known, but for the table of job kinds, and the
 * answer, with the object as it is stored in place of the patch. `npm run golden` writes the answers anew; read the difference before you commit it.
 */
const directory = join(import.meta.dirname, "admission");
const cases = readdirSync(directory);
const isUpdate = process.env["GOLDEN"] === "update";

function read(name: string, file: string): unknown {
  return deepFreeze<unknown>(JSON.parse(readFileSync(join(directory, name, file), "utf8")));
}

function requestOf(name: string): AdmissionRequest {
  return (read(name, "review.json") as { readonly request: AdmissionRequest }).request;
}

function decideCase(name: string, object?: KubeObject): Decision {
  const request = requestOf(name);
  const known = read(name, "snapshot.json") as Snapshot;
  const snapshot = { ...known, policy: { ...known.policy, jobKinds: JOB_KINDS } };
  return decide(object === undefined ? request : deepFreeze({ ...request, object }), snapshot);
}

/** The object as it is stored after its patch. */
function storedBy(name: string, decision: Decision): KubeObject | undefined {
  const { object } = requestOf(name);
  if (!decision.allowed || decision.operations.length === 0 || !object) return undefined;
  return patched(object, decision.operations);
}

const changed = cases.filter((name) => storedBy(name, decideCase(name)) !== undefined);

describe("an answer", () => {
  test.each(cases)("to %s", (name) => {
    const decision = decideCase(name);
    const { operations: _, ...answer } = { operations: [], ...decision };
    const object = storedBy(name, decision);
    const text = `${JSON.stringify({ ...answer, ...(object && { object }) }, null, 2)}\n`;
    const file = join(directory, name, "decision.json");
    if (isUpdate) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, "utf8"));
  });
});

describe("the same again changes nothing", () => {
  test.each(changed)("%s", (name) => {
    const again = decideCase(name, storedBy(name, decideCase(name)));
    expect(again).toMatchObject({ allowed: true, operations: [] });
  });
});

describe("the patch is as short as a comparison would find it", () => {
  test.each(changed)("%s", (name) => {
    const { object } = requestOf(name);
    const decision = decideCase(name);
    const stored = storedBy(name, decision);
    if (!object || !stored || !decision.allowed) throw new Error("nothing is changed");
    const compared = jsonPatch.compare(object, stored) as PatchOperation[];
    expect(patched(object, compared)).toEqual(stored);
    expect(decision.operations.length).toBeLessThanOrEqual(compared.length);
  });
});

describe("there is a case", () => {
  const folders = ["../../src/admission", "../../src/inject"].map((path) =>
    join(import.meta.dirname, path),
  );
  const sources = folders
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((file) => !file.endsWith(".test.ts"))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const given = Object.keys(REASONS).filter((code) => sources.includes(`"${code}"`));

  const answers = cases.map((name) => decideCase(name));
  const warned = answers.flatMap(({ warnings }) => warnings);
  const said = new Set<string>([...answers, ...warned].map(({ reason }) => reason));

  test.each(given)("that is answered or warned %s", (code) => {
    expect(said).toContain(code);
  });

  test.each(Object.values(ANNOTATIONS))("with %s", (key) => {
    const texts = cases.map((name) => JSON.stringify(requestOf(name).object));
    expect(texts.some((text) => text.includes(JSON.stringify(key)))).toBe(true);
  });

  test("in every folder, of three files", () => {
    const odd = cases.filter(
      (name) =>
        readdirSync(join(directory, name)).toSorted().join() !==
        "decision.json,review.json,snapshot.json",
    );
    expect(odd).toEqual([]);
  });
});
