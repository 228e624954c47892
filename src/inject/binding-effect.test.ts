import { expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import type { ModelBindingSpec } from "../api/modelbinding.ts";
import { whyWithoutEffect } from "./binding-effect.ts";

const { spec: serves } = makeBinding();
const exports: ModelBindingSpec = { selector: serves.selector, export: makeExport() };
const EXPORTS =
  "spec.export: is checked and kept, and not acted on yet; use the annotation on the job or its pods";
const UNLABELLED =
  "has no effect until namespace team-a has the label model.kubedl.io/injection=enabled";

test.each<[string, ModelBindingSpec | undefined, string, boolean, readonly string[]]>([
  ["that serves, in a namespace with the label, is in effect", serves, "team-a", true, []],
  ["that serves waits for the label", serves, "team-a", false, [UNLABELLED]],
  ["that exports is only kept", exports, "team-a", true, [EXPORTS]],
  [
    "that exports, without the label, is told both",
    exports,
    "team-a",
    false,
    [EXPORTS, UNLABELLED],
  ],
  [
    "in modelhook's own namespace never has an effect, label or not",
    serves,
    "modelhook-system",
    false,
    ["has no effect: modelhook leaves the pods of namespace modelhook-system as they are"],
  ],
  ["without a spec is no fault of its namespace", undefined, "team-a", true, []],
])("a binding %s", (_, spec, namespace, injectionEnabled, why) => {
  const place = { namespace, injectionEnabled, systemNamespace: "modelhook-system" };
  expect(whyWithoutEffect(spec, place)).toEqual(why);
});
