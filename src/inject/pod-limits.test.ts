import { expect, test } from "vitest";
import { makePod } from "../../test/make/pod.ts";
import type { Container } from "../api/kube-types.ts";
import { ephemeralLimit } from "./pod-limits.ts";

function limited(storage: string | undefined, rest: Partial<Container> = {}): Container {
  const limits = storage === undefined ? {} : { "ephemeral-storage": storage };
  return { name: "any", resources: { limits }, ...rest };
}
const sidecar = { restartPolicy: "Always" };

test.each<[string, readonly Container[], readonly Container[], number | undefined]>([
  ["no limit", [limited(undefined)], [limited(undefined)], undefined],
  ["the sum of its containers", [limited("1k"), limited("2k"), limited(undefined)], [], 3000],
  ["sidecars with its containers", [limited("1k")], [limited("2k", sidecar)], 3000],
  ["a larger init container", [limited("1k")], [limited("5k"), limited("4k")], 5000],
  ["a smaller init container", [limited("3k")], [limited("2k")], 3000],
  ["an init container alone", [limited(undefined)], [limited("2k")], 2000],
  [
    "an init container beside a sidecar",
    [limited("1k")],
    [limited("1k", sidecar), limited("4k")],
    5000,
  ],
  ["what is no quantity", [limited("much")], [], undefined],
])("the limit of a pod has %s", (_, containers, initContainers, limit) => {
  const pod = makePod((each) => void Object.assign(each.spec, { containers, initContainers }));
  expect(ephemeralLimit(pod)).toBe(limit);
});
