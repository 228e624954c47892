import * as fc from "fast-check";
import type { Pod } from "../../src/api/kube-types.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";

/** Any key of a map or name of an object, `~`, `/` and all of Unicode; but for one that fast-json-patch refuses by itself. */
export const anyKey = fc.string({ unit: "binary" }).filter((key) => key !== "__proto__");

const map = fc.dictionary(anyKey, fc.string(), { noNullPrototype: true });
const container = fc.record(
  {
    name: anyKey,
    env: list(fc.record({ name: fc.oneof(anyKey, fc.constant("KEY")), value: fc.string() })),
    volumeMounts: list(fc.record({ name: anyKey, mountPath: anyKey })),
  },
  { requiredKeys: ["name"] },
);

/** Any pod: lists and maps that are not there, null or empty, hostile names, and gates and Secrets that a test may add again. */
export const anyPod: fc.Arbitrary<Pod> = fc
  .record({
    metadata: fc.record(
      { name: anyKey, labels: fc.oneof(map, fc.constant(null)), annotations: map },
      { requiredKeys: [] },
    ),
    spec: fc.record(
      {
        containers: fc.array(container, { minLength: 1, maxLength: 3 }),
        initContainers: list(container),
        volumes: list(fc.record({ name: anyKey })),
        schedulingGates: list(fc.record({ name: fc.oneof(anyKey, fc.constant("gate")) })),
        imagePullSecrets: list(fc.record({ name: fc.oneof(anyKey, fc.constant("pull")) })),
      },
      { requiredKeys: ["containers"] },
    ),
  })
  .map((pod) => deepFreeze(pod) as unknown as Pod);

function list<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[] | null> {
  return fc.oneof(fc.array(item, { maxLength: 3 }), fc.constant(null));
}
