import { describe, expect, test } from "vitest";
import { createMetrics, type Metrics } from "./metrics.ts";

const admission = {
  endpoint: "mutate",
  kind: "Pod",
  operation: "CREATE",
  allowed: true,
  reason: "Injected",
  seconds: 0.003,
} as const;

async function lineOf(metrics: Metrics, start: string): Promise<string | undefined> {
  const { text } = await metrics.expose();
  return text.split("\n").find((line) => line.startsWith(start));
}

describe("each report is a metric", () => {
  test.each<[string, (metrics: Metrics) => void, string]>([
    [
      "admissions by outcome",
      (metrics) => metrics.admitted(admission),
      'modelhook_admission_requests_total{endpoint="mutate",kind="Pod",operation="CREATE",allowed="true",reason="Injected"} 1',
    ],
    [
      "admissions by time",
      (metrics) => metrics.admitted(admission),
      'modelhook_admission_duration_seconds_bucket{le="0.005",endpoint="mutate",kind="Pod",operation="CREATE"} 1',
    ],
    [
      "the certificate's end",
      (metrics) => metrics.certificateEnds(1_700_000_000_500),
      "modelhook_certificate_expiry_timestamp_seconds 1700000000.5",
    ],
    ["leading", (metrics) => metrics.leads(true), "modelhook_leader 1"],
    ["a live KubeDL", (metrics) => metrics.kubeDlPresent(true), "modelhook_kubedl_present 1"],
    [
      "pods without their model, by who asks for it",
      (metrics) => metrics.notInjected("annotation", 3),
      'modelhook_pods_not_injected{asked_by="annotation"} 3',
    ],
    [
      "waiting objects",
      (metrics) => metrics.queued("modelversion", 7),
      'modelhook_queue_depth{queue="modelversion"} 7',
    ],
    [
      "passes",
      (metrics) => metrics.reconciled("modelversion", "failed", 0.2),
      'modelhook_reconcile_duration_seconds_count{queue="modelversion",outcome="failed"} 1',
    ],
    [
      "builds by time",
      (metrics) => metrics.built("BuildSucceeded", 42, 1000),
      'modelhook_build_duration_seconds_bucket{le="60",reason="BuildSucceeded"} 1',
    ],
    [
      "bytes of images",
      (metrics) => metrics.built("BuildSucceeded", 42, 1000),
      "modelhook_build_bytes_total 1000",
    ],
  ])("%s", async (_name, report, expected) => {
    const metrics = createMetrics();
    report(metrics);
    expect(await lineOf(metrics, expected.slice(0, expected.lastIndexOf(" ")))).toBe(expected);
  });
});

test("the process itself is measured", async () => {
  expect(await lineOf(createMetrics(), "process_resident_memory_bytes")).toBeDefined();
});

test("two registries know nothing of each other", async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.leads(true);
  expect(await lineOf(other, "modelhook_leader")).toBe("modelhook_leader 0");
});
