import * as fc from "fast-check";
import { expect, test } from "vitest";
import { anySnapshot } from "../../test/make/any-snapshot.ts";
import { anyAskingPod } from "../../test/make/any-pod.ts";
import { patched } from "../../test/make/patched.ts";
import { decidePod } from "../admission/pod.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { withoutInjection } from "./without-injection.ts";

test("whatever the webhook put into a pod, it would put in again", () => {
  let count = 0;
  fc.assert(
    fc.property(anyAskingPod, anySnapshot, (any, snapshot) => {
      // A node that somebody chose is not told from one that the scheduler did.
      const { nodeName: _, ...spec } = any.spec ?? { containers: [] };
      const pod = { ...any, spec };
      const decision = decidePod("team-a", pod, snapshot);
      if (!decision.allowed || !["Injected", "Gated"].includes(decision.reason)) return;
      const injected = deepFreeze(patched(pod, decision.operations));
      const again = decidePod("team-a", withoutInjection(injected), snapshot);
      expect(again).toMatchObject({ allowed: true, reason: decision.reason });
      count += 1;
    }),
    { numRuns: 3000 },
  );
  expect(count).toBeGreaterThan(100);
});
