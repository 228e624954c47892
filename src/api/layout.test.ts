import { expect, test } from "vitest";
import { layoutOf } from "./layout.ts";

test.each<[string, readonly string[], string | undefined]>([
  ["a SavedModel", ["variables/variables.index", "saved_model.pb"], "SavedModel"],
  ["a SavedModel as text", ["saved_model.pbtxt"], "SavedModel"],
  ["numbered SavedModels", ["1/saved_model.pb", "20/saved_model.pb"], "VersionedSavedModel"],
  ["both", ["1/saved_model.pb", "saved_model.pb"], "SavedModel"],
  ["a SavedModel in a named directory", ["export/saved_model.pb"], undefined],
  ["a SavedModel deep below a number", ["1/2/saved_model.pb"], undefined],
  ["a file that is only called like it", ["saved_model.pb.bak", "my_saved_model.pb"], undefined],
  ["other weights", ["model.safetensors", "config.json"], undefined],
  ["nothing", [], undefined],
])("the layout of %s is told by its paths", (_, paths, layout) => {
  expect(layoutOf(paths)).toBe(layout);
});
