import { expect, test } from "vitest";
import { resourceFaults } from "./resource-faults.ts";

test.each<[Parameters<typeof resourceFaults>[0], readonly string[]]>([
  [{}, []],
  [{ requests: { cpu: "100m", memory: "4Gi" }, limits: { cpu: "0.1" } }, []],
  [
    { limits: { memory: "4 GB" } },
    ['limits.memory: "4 GB" must be a quantity, such as 100m or 64Mi'],
  ],
  [{ requests: { cpu: "-1" } }, ['requests.cpu: "-1" must be a quantity, such as 100m or 64Mi']],
  [
    { requests: { memory: "1Gi" }, limits: { memory: "1000Mi" } },
    ['requests.memory: "1Gi" must be no more than the limit, 1000Mi'],
  ],
  [{ requests: { constructor: "1" }, limits: {} }, []],
])("resources %j have the faults %j", (resources, faults) => {
  expect(resourceFaults(resources).map(({ field, message }) => `${field}: ${message}`)).toEqual(
    faults,
  );
});
