import { expect, test } from "vitest";
import { makePod, makeTrainingPod } from "../../test/make/pod.ts";
import { controllerOf } from "./owner.ts";

test("the controller is the owner that says so", () => {
  const pod = makeTrainingPod((each) => {
    each.metadata.ownerReferences?.unshift({ apiVersion: "v1", kind: "Pod", name: "x", uid: "x" });
  });
  expect(controllerOf(pod)?.name).toBe("train");
});

test("an object may have no controller", () => {
  expect(controllerOf(makePod())).toBeUndefined();
  expect(controllerOf({})).toBeUndefined();
  const owned = makeTrainingPod((each) => {
    each.metadata.ownerReferences?.forEach((owner) => void (owner.controller = false));
  });
  expect(controllerOf(owned)).toBeUndefined();
});
