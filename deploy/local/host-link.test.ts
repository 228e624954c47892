import { expect, it } from "vitest";
import { overlaps } from "./host-link.ts";

it.each([
  ["10.99.99.1/24", "10.99.99.0/24", true],
  ["10.99.99.77", "10.99.99.0/24", true],
  ["10.0.0.0/8", "10.99.99.0/24", true],
  ["192.168.0.0/16", "192.168.255.0/24", true],
  ["10.99.98.255/32", "10.99.99.0/24", false],
  ["10.99.100.0/24", "10.99.99.0/24", false],
  ["138.99.99.0/24", "10.99.99.0/24", false],
  // Default routes lead everywhere and are no obstacle.
  ["default", "10.99.99.0/24", false],
  ["0.0.0.0/0", "10.99.99.0/24", false],
  ["undefined/undefined", "10.99.99.0/24", false],
])("%s and %s overlap: %s", (one, other, expected) => {
  expect(overlaps(one, other)).toBe(expected);
});
