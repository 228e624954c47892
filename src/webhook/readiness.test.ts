import { expect, test } from "vitest";
import { createReadiness } from "./readiness.ts";

test("ready only while every condition holds", () => {
  const readiness = createReadiness(["certificate", "caches"]);
  expect(readiness.isReady()).toBe(false);
  readiness.set("certificate", true);
  expect(readiness.isReady()).toBe(false);
  readiness.set("caches", true);
  expect(readiness.isReady()).toBe(true);
  readiness.set("certificate", false, "ended");
  expect(readiness.isReady()).toBe(false);
});

test("the report says what is missing and why", () => {
  const readiness = createReadiness(["certificate", "caBundle", "caches"]);
  readiness.set("caches", true);
  readiness.set("certificate", false, "ended at noon");
  expect(readiness.report()).toBe("[-]certificate: ended at noon\n[-]caBundle: not yet\n[+]caches");
});

test("draining takes readiness back for good", () => {
  const readiness = createReadiness(["caches"]);
  readiness.set("caches", true);
  expect(readiness.isDraining()).toBe(false);
  readiness.startDraining();
  readiness.set("caches", true);
  expect(readiness.isReady()).toBe(false);
  expect(readiness.isDraining()).toBe(true);
  expect(readiness.report()).toBe("[+]caches\n[-]drain: stopping");
});
