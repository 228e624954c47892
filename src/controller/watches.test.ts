import { expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import { makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { createAdmissionStores } from "../gather/admission-stores.ts";
import { createStores } from "../gather/stores.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import { keysOfVersion } from "./watches.ts";

test("a change of a version concerns itself, its model and those rivals that are being built", () => {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  const changed = makeBuiltVersion();
  stores.versions.set(changed);
  stores.versions.set(makeBuiltVersion((each) => void (each.metadata.name = "built")));
  stores.versions.set(makeModelVersion((each) => void (each.metadata.name = "waiting")));
  expect(new Set(keysOfVersion(stores, changed))).toEqual(
    new Set([
      "modelversion/team-a/mnist-v1",
      "modelversion/team-a/waiting",
      "model/team-a/mnist",
      "retention/team-a/mnist",
    ]),
  );
});

test("a version without a spec, which KubeDL lets through, concerns itself alone", () => {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  const changed = makeModelVersion((each) => void Object.assign(each, { spec: undefined }));
  stores.versions.set(changed);
  expect(stores.versions.by("model", "team-a/undefined")).toEqual([]);
  expect(keysOfVersion(stores, changed)).toEqual(["modelversion/team-a/mnist-v1"]);
});

test("a change of a version concerns the models of its namespace whose aliases name it", () => {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  for (const [name, namespace] of [
    ["letters", "team-a"],
    ["elsewhere", "team-b"],
  ] as const) {
    const model = makeModel((each) => {
      each.metadata = { ...each.metadata, name, namespace };
      each.spec = { aliases: { production: "mnist-v1" } };
    });
    stores.models.set(model);
  }
  expect(keysOfVersion(stores, makeBuiltVersion())).toEqual([
    "modelversion/team-a/mnist-v1",
    "model/team-a/mnist",
    "retention/team-a/mnist",
    "model/team-a/letters",
  ]);
});
