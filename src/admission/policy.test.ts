import { expect, test } from "vitest";
import { makePolicy } from "../../test/make/snapshot.ts";
import { limitsOf } from "./policy.ts";

const localPrefixes = { "team-a": ["/models/a"], "team-b": [], "*": ["/models/shared"] };

test.each([
  ["team-a", ["/models/a"]],
  ["team-b", []],
  ["team-c", ["/models/shared"]],
  ["constructor", ["/models/shared"]],
])("namespace %s may use %j", (namespace, prefixes) => {
  const policy = makePolicy((each) => void Object.assign(each, { localPrefixes }));
  expect(limitsOf(policy, namespace).localPrefixes).toEqual(prefixes);
});

test("no directory is allowed that nobody named", () => {
  const policy = makePolicy((each) => void (each.localPrefixes = {}));
  expect(limitsOf(policy, "team-a").localPrefixes).toEqual([]);
});

test("servers, file systems and base images are those of all namespaces", () => {
  const lists = { nfsServers: ["nfs.example"], efsFileSystems: ["fs-1"], baseImages: ["base:1"] };
  const policy = makePolicy((each) => void Object.assign(each, lists));
  expect(limitsOf(policy, "team-a")).toMatchObject(lists);
});
