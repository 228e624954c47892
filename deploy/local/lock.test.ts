import { spawn } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { withLock } from "./lock.ts";

it("lets one in after the other, in this process too", async () => {
  let inside = 0;
  let most = 0;
  const results = await Promise.all(
    [1, 2, 3].map(async (n) =>
      withLock(
        "test-turns",
        () => {},
        async () => {
          inside += 1;
          most = Math.max(most, inside);
          await sleep(20);
          inside -= 1;
          return n;
        },
      ),
    ),
  );
  expect(most).toBe(1);
  expect(results).toEqual([1, 2, 3]);
});

it("is free again after a failure", async () => {
  const failed = withLock(
    "test-failure",
    () => {},
    async () => Promise.reject(new Error("broken")),
  );
  await expect(failed).rejects.toThrow("broken");
  expect(
    await withLock(
      "test-failure",
      () => {},
      async () => "free",
    ),
  ).toBe("free");
});

it("does not stop what has another name", async () => {
  const inner = withLock(
    "test-one",
    () => {},
    async () =>
      withLock(
        "test-other",
        () => {},
        async () => "both",
      ),
  );
  expect(await inner).toBe("both");
});

it("says once that it waits, and is free when its holder is killed", async () => {
  const holder = spawn(
    process.execPath,
    [
      "--input-type=module",
      "--eval",
      `
      import { withLock } from "${pathToFileURL(join(import.meta.dirname, "lock.ts")).href}";
      await withLock("test-killed", () => {}, async () => {
        console.log("held");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(holder.stdout, "data");
  let waits = 0;
  const result = withLock(
    "test-killed",
    () => {
      waits += 1;
      holder.kill("SIGKILL");
    },
    async () => "mine",
  );
  expect(await result).toBe("mine");
  expect(waits).toBe(1);
});
