import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseReport, printReport, type BuildReport } from "./build-report.ts";

const IMAGE = {
  digest: `sha256:${"a".repeat(64)}`,
  size: 5,
  files: 2,
  layers: [
    { digest: `sha256:${"b".repeat(64)}`, size: 3 },
    { digest: `sha256:${"c".repeat(64)}`, size: 4 },
  ],
};

/** Bytes of a termination message that the kubelet keeps. */
const KEPT = 4096;

describe("a report", () => {
  test.each<BuildReport>([
    { state: "built", image: IMAGE },
    { state: "built", image: { ...IMAGE, shell: true } },
    { state: "adopted", image: IMAGE },
    { state: "adopted", image: { ...IMAGE, shell: false } },
    { state: "failed", reason: "TagTaken", message: "v1 names another image" },
  ])("that says $state arrives as it was sent", (report) => {
    expect(parseReport(printReport(report))).toEqual(report);
  });

  test("keeps the layers that lie on top when there are too many", () => {
    const layers = Array.from({ length: 127 }, (_, index) => ({
      digest: `sha256:${index.toString(16).padStart(64, "0")}`,
      size: Number.MAX_SAFE_INTEGER,
    }));
    const image = {
      ...IMAGE,
      size: Number.MAX_SAFE_INTEGER,
      files: Number.MAX_SAFE_INTEGER,
      layers,
      shell: false,
    };
    const printed = printReport({ state: "adopted", image });
    expect(Buffer.byteLength(printed)).toBeLessThanOrEqual(KEPT);
    expect(parseReport(printed)).toEqual({
      state: "adopted",
      image: { ...image, layers: layers.slice(-30) },
    });
  });

  test("of a failure fits, whatever the text is", () => {
    const text = fc.string({ unit: "binary", maxLength: 5000, size: "max" });
    fc.assert(
      fc.property(text, (message) => {
        const printed = printReport({ state: "failed", reason: "Unknown", message });
        expect(Buffer.byteLength(printed)).toBeLessThanOrEqual(KEPT);
        const read = parseReport(printed);
        const start = read?.state === "failed" ? read.message.replace(/…$/, "") : "none";
        expect(message.startsWith(start)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe("parseReport", () => {
  const good = { v: 1, state: "built", image: IMAGE };
  test.each([
    ["no message", undefined],
    ["the end of a log", "error: no such file"],
    ["a message that was cut", printReport({ state: "built", image: IMAGE }).slice(0, -1)],
    ["another version", JSON.stringify({ ...good, v: 2 })],
    ["an unknown state", JSON.stringify({ ...good, state: "done" })],
    ["a digest that is none", JSON.stringify({ ...good, image: { ...IMAGE, digest: "latest" } })],
    ["a negative size", JSON.stringify({ ...good, image: { ...IMAGE, size: -1 } })],
    ["a shell that may be", JSON.stringify({ ...good, image: { ...IMAGE, shell: "perhaps" } })],
    [
      "an unknown reason",
      JSON.stringify({ v: 1, state: "failed", reason: "toString", message: "" }),
    ],
    ["more than a container can say", JSON.stringify({ ...good, more: "x".repeat(KEPT) })],
  ])("takes %s for no report", (_, message) => {
    expect(parseReport(message)).toBeUndefined();
  });

  test("never throws", () => {
    const text = fc.oneof(fc.string(), fc.json());
    expect(() => fc.assert(fc.property(text, (each) => void parseReport(each)))).not.toThrow();
  });
});
