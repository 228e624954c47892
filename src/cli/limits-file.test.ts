import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BUILT_IN_POLICY } from "./built-in-limits.ts";
import { limitsIn, readLimits } from "./limits-file.ts";

const BUILD =
  "build: { kanikoImage: modelhook.example/kaniko, baseImage: modelhook.example/busybox }";

test("limits that say nothing are the built-in ones", () => {
  expect(readLimits(BUILD, "config.yaml")).toEqual({
    ok: true,
    policy: BUILT_IN_POLICY,
    warnings: [],
  });
});

test("the limits of deploy/install.yaml are the built-in ones, and found in its ConfigMap", () => {
  const file = join(import.meta.dirname, "../../deploy/install.yaml");
  expect(readLimits(readFileSync(file, "utf8"), file)).toEqual({
    ok: true,
    policy: BUILT_IN_POLICY,
    warnings: [],
  });
});

test("modelhook runs where the ConfigMap is", () => {
  const configMap = {
    kind: "ConfigMap",
    metadata: { namespace: "models" },
    data: { "config.yaml": BUILD },
  };
  expect(readLimits(JSON.stringify(configMap), "x")).toMatchObject({
    policy: {
      systemNamespace: "models",
      controllerUser: "system:serviceaccount:models:modelhook",
    },
  });
  expect(limitsIn({ ...configMap, kind: "Secret" })).toBeUndefined();
});

test("every fault is a line with the name of the file", () => {
  expect(readLimits("nfs: 5", "config.yaml")).toEqual({
    ok: false,
    faults: ["config.yaml: nfs: 5 must be an object", "config.yaml: build: is required"],
  });
  expect(readLimits("{", "config.yaml")).toMatchObject({ ok: false });
});

test("a setting that nobody knows is warned of", () => {
  expect(readLimits(`${BUILD}\\ncolour: red`.replace("\\n", "\n"), "config.yaml")).toMatchObject({
    ok: true,
    warnings: [expect.stringMatching(/^config\.yaml: colour: is unknown; allowed: /) as string],
  });
});
