import { expect, test } from "vitest";
import type { Logger } from "../telemetry/logger.ts";
import { ConnectionError } from "./errors.ts";
import { untilReached } from "./retry.ts";

const ignore = (): void => {};
const log: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const refused = new ConnectionError("GET /api", "connection refused");

test("work is done again until the API server is reached", async () => {
  let calls = 0;
  const work = async (): Promise<number> => {
    calls += 1;
    if (calls < 2) throw refused;
    return calls;
  };
  expect(await untilReached(work, { log, signal: new AbortController().signal })).toBe(2);
});

test("another error ends it at once", async () => {
  const { signal } = new AbortController();
  await expect(untilReached(async () => decodeURI("%"), { log, signal })).rejects.toThrow(
    "URI malformed",
  );
});

test("a stop ends it while it waits", async () => {
  const controller = new AbortController();
  const work = async (): Promise<never> => {
    controller.abort(new Error("stopped"));
    throw refused;
  };
  await expect(untilReached(work, { log, signal: controller.signal })).rejects.toThrow("aborted");
});
