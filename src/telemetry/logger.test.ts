import { describe, expect, test } from "vitest";
import { createLogger, type Logger, type LogLevel } from "./logger.ts";

describe("a secret never reaches the log", () => {
  test.each<{ where: string; fields: object }>([
    { where: "by itself", fields: { token: "hidden" } },
    { where: "in headers", fields: { headers: { authorization: "Bearer hidden" } } },
    {
      where: "in a request's headers",
      fields: { request: { headers: { Authorization: "hidden" } } },
    },
    { where: "in a Secret", fields: { object: { kind: "Secret", data: { password: "hidden" } } } },
    { where: "in a Secret that was written", fields: { object: { stringData: { a: "hidden" } } } },
    { where: "in registry credentials", fields: { auth: { password: "hidden" } } },
    { where: "in a key pair", fields: { pair: { privateKey: "hidden" } } },
    { where: "in an error", fields: { err: Object.assign(new Error("x"), { token: "hidden" }) } },
  ])("$where", ({ fields }) => {
    const { log, lines } = makeLog("info");

    log.info(fields, "Said");

    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("hidden");
    expect(lines[0]).toContain("[redacted]");
  });
});

test("a line is JSON with level, time, fields and message", () => {
  const { log, lines } = makeLog("info");

  log.warn({ pod: "ns/name" }, "Left alone");

  expect(JSON.parse(lines[0] ?? "")).toEqual({
    level: "warn",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    pod: "ns/name",
    msg: "Left alone",
  });
});

test("an error is written with its cause, each message once", () => {
  const { log, lines } = makeLog("info");

  log.error({ err: new Error("above", { cause: new Error("below") }) }, "Failed");

  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    err: { message: "above", cause: { message: "below" } },
  });
});

test.each<{ level: LogLevel; written: string[] }>([
  { level: "debug", written: ["debug", "info", "warn", "error"] },
  { level: "warn", written: ["warn", "error"] },
  { level: "silent", written: [] },
])("at level $level these are written: $written", ({ level, written }) => {
  const { log, lines } = makeLog(level);

  for (const severity of ["debug", "info", "warn", "error"] as const) log[severity]({}, severity);

  expect(lines.map((line) => JSON.parse(line).level)).toEqual(written);
});

function makeLog(level: LogLevel): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  return { log: createLogger({ level, destination: { write } }), lines };
}
