import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { waitUntil } from "./readiness.ts";

it("waits until the check holds", async () => {
  let asked = 0;
  await waitUntil({ what: "never", timeoutMs: 10_000, check: () => (asked += 1) === 3 });
  expect(asked).toBe(3);
});

it("gives up with what was waited for, what was seen last and the end of the log", async () => {
  const directory = await mkdtemp(join(tmpdir(), "readiness-"));
  const log = join(directory, "etcd.log");
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
  await writeFile(log, `${lines.join("\n")}\n`);
  const waited = waitUntil({
    what: "etcd did not answer",
    detail: () => "connection refused",
    timeoutMs: 1,
    log,
    check: () => false,
  });
  await expect(waited).rejects.toThrow(
    `etcd did not answer within 0.001 s: connection refused\nThe end of ${log}:\n${lines.slice(-12).join("\n")}`,
  );
  await rm(directory, { recursive: true });
});

it("stops when it is told to, and when the check fails for good", async () => {
  const controller = new AbortController();
  controller.abort(new Error("stopped by SIGINT"));
  const stopped = waitUntil({
    what: "it",
    timeoutMs: 10_000,
    check: () => false,
    signal: controller.signal,
  });
  await expect(stopped).rejects.toThrow("stopped by SIGINT");
  const broken = waitUntil({
    what: "it",
    timeoutMs: 10_000,
    check: () => {
      throw new Error("etcd has ended");
    },
  });
  await expect(broken).rejects.toThrow("etcd has ended");
});
