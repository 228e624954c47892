import { expect, test } from "vitest";
import { whyWithoutEffect } from "./binding-effect.ts";

test.each([
  ["in a namespace with the label is in effect", "team-a", true, undefined],
  [
    "waits for the label",
    "team-a",
    false,
    "has no effect until namespace team-a has the label model.kubedl.io/injection=enabled",
  ],
  [
    "in modelhook's own namespace never has an effect, label or not",
    "modelhook-system",
    true,
    "has no effect: modelhook leaves the pods of namespace modelhook-system as they are",
  ],
])("a binding %s", (_, namespace, injectionEnabled, why) => {
  const place = { namespace, injectionEnabled, systemNamespace: "modelhook-system" };
  expect(whyWithoutEffect(place)).toBe(why);
});
