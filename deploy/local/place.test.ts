import { expect, it } from "vitest";
import { nodeAddress, placeOf, registryAddress } from "./place.ts";

it("derives every name from the cluster's", () => {
  const place = placeOf("demo", "10.1.2");
  expect(place).toMatchObject({ link: "mh-demo", cgroup: "/modelhook-demo" });
  expect(place.run).toMatch(/\/modelhook\/demo\/run$/);
  expect(nodeAddress(place)).toBe("10.1.2.2");
  expect(registryAddress(place)).toBe("10.1.2.2:5000");
});

it.each(["a", "local", "e2e-life", "twelve-chars"])("takes the name %s", (name) => {
  expect(placeOf(name).name).toBe(name);
});

it.each(["", "-a", "a-", "A", "a_b", "../up", "thirteen-char"])("refuses the name %j", (name) => {
  expect(() => placeOf(name)).toThrow(`${JSON.stringify(name)} cannot name a cluster`);
});

it.each(["", "10.1", "10.1.2.3", "10.1.256", "10.1.2/24", "a.b.c"])(
  "refuses the network %j",
  (network) => {
    expect(() => placeOf("local", network)).toThrow(`${JSON.stringify(network)} is no network`);
  },
);
