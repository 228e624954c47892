import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DIGEST } from "../../test/make/modelversion.ts";
import { makePod, type MadePod } from "../../test/make/pod.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import { isAlive, servedVersion, servingStatus } from "./serving-status.ts";

function podThatSays(text: string): MadePod {
  return makePod((pod) => void (pod.metadata.annotations = { [ANNOTATIONS.status]: text }));
}

describe("the status annotation", () => {
  test.each<[string, string | undefined, object]>([
    ["of a pod with a model", DIGEST, { modelVersion: "mnist-v1", digest: DIGEST }],
    ["of a pod that waits for one", undefined, { modelVersion: "mnist-v1" }],
  ])("%s is read as it was written", (_, digest, served) => {
    expect(servedVersion(podThatSays(servingStatus("mnist-v1", digest)))).toEqual(served);
  });

  test.each<[string, MadePod]>([
    ["there is none", makePod()],
    ["a training pod has it", podThatSays('{"writes":"mh-1"}')],
    ["it is no JSON", podThatSays("mnist-v1")],
    ["it is null", podThatSays("null")],
    ["the version is no text", podThatSays('{"modelVersion":1}')],
  ])("names no version when %s", (_, pod) => {
    expect(servedVersion(pod)).toBeUndefined();
  });

  test("may hold anything", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => servedVersion(podThatSays(text))).not.toThrow();
      }),
    );
  });
});

describe("a pod", () => {
  test.each<[string, boolean, MadePod]>([
    ["that has no status yet lives", true, makePod()],
    ["that runs lives", true, phased("Running")],
    ["of which nothing is heard lives", true, phased("Unknown")],
    ["that succeeded does not", false, phased("Succeeded")],
    ["that failed does not", false, phased("Failed")],
    [
      "that is being deleted does not",
      false,
      makePod((pod) => void (pod.metadata.deletionTimestamp = "2026-11-23T00:00:00Z")),
    ],
  ])("%s", (_, alive, pod) => {
    expect(isAlive(pod)).toBe(alive);
  });
});

function phased(phase: string): MadePod {
  return makePod((pod) => void (pod.status = { phase }));
}
