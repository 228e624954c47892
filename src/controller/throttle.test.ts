import { expect, test } from "vitest";
import { createThrottle } from "./throttle.ts";

test.each([
  { what: "at once, the first time", at: [0], due: [true] },
  { what: "not again within the interval", at: [0, 999], due: [true, false] },
  { what: "again when the interval is over", at: [0, 1000], due: [true, true] },
  {
    what: "counted from when it was said, not from when it was asked",
    at: [0, 900, 1000],
    due: [true, false, true],
  },
])("words may be said $what", ({ at, due }) => {
  const throttle = createThrottle({ everyMs: 1000, most: 10 });
  expect(at.map((now) => throttle.isDue("waits", now))).toEqual(due);
});

test("other words are not held back", () => {
  const throttle = createThrottle({ everyMs: 1000, most: 10 });
  expect(["one", "two"].map((words) => throttle.isDue(words, 0))).toEqual([true, true]);
});

test("the oldest words are forgotten beyond the bound, and no others", () => {
  const throttle = createThrottle({ everyMs: 1000, most: 2 });
  for (const words of ["one", "two", "three"]) throttle.isDue(words, 0);
  expect(["three", "two", "one"].map((words) => throttle.isDue(words, 1))).toEqual([
    false,
    false,
    true,
  ]);
});
