import { expect, test } from "vitest";
import { formatMicroTime, formatTime, parseTime } from "./time.ts";

const MS = Date.UTC(2024, 1, 29, 23, 59, 58, 765);

test("a Time has whole seconds, a MicroTime six more digits, both in UTC", () => {
  expect(formatTime(MS)).toBe("2024-02-29T23:59:58Z");
  expect(formatMicroTime(MS)).toBe("2024-02-29T23:59:58.765000Z");
});

test("both are read back", () => {
  expect(parseTime(formatTime(MS))).toBe(Math.floor(MS / 1000) * 1000);
  expect(parseTime(formatMicroTime(MS))).toBe(MS);
});

test("what is no time is NaN", () => {
  expect(parseTime("soon")).toBeNaN();
});
