import { expect, test } from "vitest";
import { makePod, type MadePod } from "../../test/make/pod.ts";
import { LABELS } from "../api/annotations.ts";
import { isNeverTouched } from "./untouched.ts";

test.each<[what: string, namespace: string, tweak: (pod: MadePod) => void, untouched: boolean]>([
  ["any pod", "team-a", () => {}, false],
  ["a pod of the control plane's namespace", "kube-system", () => {}, true],
  ["a pod of modelhook's own namespace", "modelhook-system", () => {}, true],
  [
    "a pod that a kubelet runs from a file",
    "team-a",
    ({ metadata }) => void (metadata.annotations = { "kubernetes.io/config.mirror": "" }),
    true,
  ],
  [
    "the pod of a build",
    "team-a",
    ({ metadata }) => void (metadata.labels = { [LABELS.versionUid]: "1" }),
    true,
  ],
])("%s in %s", (_what, namespace, tweak, untouched) => {
  expect(isNeverTouched(namespace, makePod(tweak), "modelhook-system")).toBe(untouched);
});
