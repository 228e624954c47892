import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { exportMountPath, validateExport } from "./export-intent.ts";

const LIMITS = makeLimits();

describe("validateExport", () => {
  test("finds no fault in a right one", () => {
    expect(validateExport(makeExport(), "metadata.annotations", LIMITS)).toEqual([]);
  });

  test("finds what is wrong with a ModelVersion, at the annotation", () => {
    const intent = makeExport((each) => {
      each.imageRepo = "A";
      each.storage = {};
    });
    const fields = validateExport(intent, "metadata.annotations", LIMITS).map(({ field }) => field);
    expect(fields).toEqual([
      "metadata.annotations[model.kubedl.io/export].imageRepo",
      "metadata.annotations[model.kubedl.io/export].storage",
    ]);
  });

  test("finds that a directory of a node has room for one writer", () => {
    const intent = makeExport((each) => {
      each.writers = "all";
    });
    expect(validateExport(intent, "metadata.annotations", LIMITS)).toMatchObject([
      {
        field: "metadata.annotations[model.kubedl.io/export].writers",
        message:
          '"all" is not allowed with localStorage, which has room for one writer; use nfs, AWSEfs or a ReadWriteMany claim',
      },
    ]);
  });

  test.each([
    { nfs: { server: "nfs.example", path: "/models" } },
    { AWSEfs: { volumeHandle: "fs-1::" } },
    { persistentVolumeClaim: { claimName: "models" } },
  ])("lets all write to %j", (storage) => {
    const intent = makeExport((each) => {
      each.writers = "all";
      each.storage = storage;
    });
    expect(validateExport(intent, "metadata.annotations", LIMITS)).toEqual([]);
  });

  test.each([
    ["nfs", { nfs: { server: "nfs.example", path: "/models" } }],
    ["AWSEfs", { AWSEfs: { volumeHandle: "fs-1::" } }],
  ])("finds that nothing makes a clean directory of %s", (type, storage) => {
    const intent = makeExport((each) => void Object.assign(each, { clean: true, storage }));
    expect(validateExport(intent, "metadata.annotations", LIMITS)).toMatchObject([
      {
        field: "metadata.annotations[model.kubedl.io/export].clean",
        message: `true is not allowed with ${type}, where nothing makes the new directory; use localStorage or persistentVolumeClaim`,
      },
    ]);
  });

  test.each([
    { localStorage: { path: "/models/a", nodeName: "node-1" } },
    { persistentVolumeClaim: { claimName: "models" } },
  ])("lets %j be clean", (storage) => {
    const intent = makeExport((each) => void Object.assign(each, { clean: true, storage }));
    expect(validateExport(intent, "metadata.annotations", LIMITS)).toEqual([]);
  });
});

test.each([
  [undefined, "/kubedl-model"],
  ["/out/", "/out"],
])("with mountPath %s, containers write to %s", (mountPath, path) => {
  const intent = makeExport((each) => {
    each.storage = { persistentVolumeClaim: { claimName: "models", mountPath } };
  });
  expect(exportMountPath(intent)).toBe(path);
});
