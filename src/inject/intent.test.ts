import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { ANNOTATIONS, PREFIX } from "../api/annotations.ts";
import type { Reason } from "../api/reasons.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { readIntent, type IntentResult } from "./intent.ts";

const SERVE = { [ANNOTATIONS.modelVersion]: "mnist-v1" };
const MODEL = { [ANNOTATIONS.model]: "mnist" };
const EXPORT = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };

function read(annotations: Readonly<Record<string, string>> | null | undefined): IntentResult {
  return readIntent(deepFreeze(annotations), "metadata.annotations");
}

function textsOf(result: IntentResult): readonly string[] {
  return result.ok ? [] : result.causes.map(({ field, message }) => `${field}: ${message}`);
}

describe("an intent", () => {
  test.each([
    ["no annotations", undefined],
    ["null for annotations", null],
    ["none of ours", { "example.com/model-version": "mnist-v1" }],
    ["the status alone, which only the webhook writes", { [ANNOTATIONS.status]: "anything" }],
    ["inject that says what is so anyhow", { [ANNOTATIONS.inject]: "true" }],
  ])("is none with %s", (_, annotations) => {
    expect(read(annotations)).toEqual({ ok: true, intent: { optedOut: false }, warnings: [] });
  });

  test("to serve has defaults", () => {
    expect(read(SERVE)).toEqual({
      ok: true,
      intent: {
        optedOut: false,
        serve: {
          models: [
            {
              wanted: { modelVersion: "mnist-v1" },
              mountPath: "/kubedl-model",
              field: "metadata.annotations[model.kubedl.io/model-version]",
            },
          ],
          delivery: "auto",
          deliveryField: "metadata.annotations[model.kubedl.io/delivery]",
          containers: undefined,
          containersField: "metadata.annotations[model.kubedl.io/containers]",
          loaderResources: undefined,
        },
      },
      warnings: [],
    });
  });

  test("to serve has what is asked for, the path as it is written", () => {
    const result = read({
      ...SERVE,
      [ANNOTATIONS.mountPath]: "/models//mnist/",
      [ANNOTATIONS.delivery]: "copy",
      [ANNOTATIONS.containers]: "server, sidecar",
      [ANNOTATIONS.loaderResources]: '{"requests":{"cpu":0},"limits":{"memory":"1Gi"}}',
    });
    expect(result.ok && result.intent.serve).toMatchObject({
      models: [{ wanted: { modelVersion: "mnist-v1" }, mountPath: "/models//mnist/" }],
      delivery: "copy",
      containers: ["server", "sidecar"],
      loaderResources: { requests: { cpu: "0" }, limits: { memory: "1Gi" } },
    });
  });

  test.each(["auto", "copy", "image-volume"])(
    "to serve may ask for the delivery %s",
    (delivery) => {
      const result = read({ ...SERVE, [ANNOTATIONS.delivery]: delivery });
      expect(result).toMatchObject({ ok: true, intent: { serve: { delivery } }, warnings: [] });
    },
  );

  test("to export has what the annotation states", () => {
    const result = read(EXPORT);
    expect(result.ok && result.intent).toEqual({
      export: { intent: makeExport() },
      optedOut: false,
    });
  });

  test("to be left alone counts for more than all others, right or wrong", () => {
    const result = read({ ...SERVE, [`${PREFIX}exprot`]: "{", [ANNOTATIONS.inject]: "false" });
    expect(result).toEqual({
      ok: true,
      intent: { optedOut: true },
      warnings: [
        {
          reason: "OptedOut",
          message:
            'model.kubedl.io/inject is "false", so model.kubedl.io/model-version, model.kubedl.io/exprot has no effect',
        },
      ],
    });
    expect(read({ [ANNOTATIONS.inject]: "false" })).toMatchObject({ warnings: [] });
  });
});

describe("a warning", () => {
  test("is given for a key that is unknown, since a newer modelhook may know it", () => {
    expect(read({ [`${PREFIX}prefetch`]: "yes" })).toMatchObject({
      ok: true,
      intent: { optedOut: false },
      warnings: [{ reason: "UnknownAnnotation" }],
    });
  });

  test.each([
    ANNOTATIONS.mountPath,
    ANNOTATIONS.delivery,
    ANNOTATIONS.containers,
    ANNOTATIONS.loaderResources,
  ])("is given for %s where nothing is delivered", (key) => {
    const message = `${key} has no effect without model.kubedl.io/model-version or model.kubedl.io/model`;
    const warnings = [{ reason: "IdleAnnotation", message }];
    expect(read({ [key]: "/x" })).toMatchObject({ ok: true, warnings });
    expect(read({ ...EXPORT, [key]: "/x" })).toMatchObject({ ok: true, warnings });
  });

  test("is given with a denial too", () => {
    expect(read({ [ANNOTATIONS.export]: "{", [ANNOTATIONS.delivery]: "copy" })).toMatchObject({
      ok: false,
      warnings: [{ reason: "IdleAnnotation" }],
    });
  });

  test("is not given where a model is asked for, though wrongly", () => {
    const result = read({ [ANNOTATIONS.models]: "[]", [ANNOTATIONS.delivery]: "copy" });
    expect(result).toMatchObject({ ok: false, warnings: [] });
  });
});

/** Every bad value and its denial: annotation, value, reason, what follows `metadata.annotations[<annotation>]`. */
const BAD: readonly (readonly [string, string, Reason, string])[] = [
  [
    ANNOTATIONS.modelVersion,
    "",
    "InvalidAnnotation",
    ': "" is not the name of a ModelVersion (lower case letters, digits, "-" and ".", at most 253)',
  ],
  [
    ANNOTATIONS.modelVersion,
    "team-b/mnist",
    "InvalidAnnotation",
    ': "team-b/mnist" is not the name of a ModelVersion (lower case letters, digits, "-" and ".", at most 253)',
  ],
  [
    ANNOTATIONS.modelVersion,
    "__proto__",
    "InvalidAnnotation",
    ': "__proto__" is not the name of a ModelVersion (lower case letters, digits, "-" and ".", at most 253)',
  ],
  [
    ANNOTATIONS.model,
    "MNIST",
    "InvalidAnnotation",
    ': "MNIST" is not the name of a Model (lower case letters, digits, "-" and ".", at most 253)',
  ],
  [
    ANNOTATIONS.alias,
    "prod.eu",
    "InvalidAnnotation",
    ': "prod.eu" is not an alias (lower case letters, digits and "-", at most 63 characters)',
  ],
  [ANNOTATIONS.models, "[]", "InvalidAnnotation", ": must not be empty"],
  [
    ANNOTATIONS.mountPath,
    "models",
    "InvalidAnnotation",
    ': "models" must be an absolute path without ".." and ":", and not /',
  ],
  [
    ANNOTATIONS.mountPath,
    "/",
    "InvalidAnnotation",
    ': "/" must be an absolute path without ".." and ":", and not /',
  ],
  [
    ANNOTATIONS.mountPath,
    "/a/../b",
    "InvalidAnnotation",
    ': "/a/../b" must be an absolute path without ".." and ":", and not /',
  ],
  [
    ANNOTATIONS.mountPath,
    "/a:b",
    "InvalidAnnotation",
    ': "/a:b" must be an absolute path without ".." and ":", and not /',
  ],
  [
    ANNOTATIONS.delivery,
    "Copy",
    "InvalidAnnotation",
    ': "Copy" is not allowed; allowed: auto, copy, image-volume',
  ],
  [
    ANNOTATIONS.delivery,
    "",
    "InvalidAnnotation",
    ': "" is not allowed; allowed: auto, copy, image-volume',
  ],
  [
    ANNOTATIONS.loaderResources,
    "cpu: 1",
    "InvalidAnnotation",
    `: is not JSON such as {"limits":{"memory":"64Mi"}}: Unexpected token 'c', "cpu: 1" is not valid JSON`,
  ],
  [
    ANNOTATIONS.loaderResources,
    '{"claims":[]}',
    "InvalidAnnotation",
    ".claims: is unknown; allowed: requests, limits",
  ],
  [
    ANNOTATIONS.loaderResources,
    '{"limits":{"memory":"lots"}}',
    "InvalidAnnotation",
    '.limits.memory: "lots" must be a quantity, such as 100m or 64Mi',
  ],
  [
    ANNOTATIONS.loaderResources,
    '{"requests":{"cpu":-1}}',
    "InvalidAnnotation",
    '.requests.cpu: "-1" must be a quantity, such as 100m or 64Mi',
  ],
  [ANNOTATIONS.export, "", "InvalidAnnotation", ": null must be an object"],
  [
    ANNOTATIONS.export,
    JSON.stringify({ ...makeExport(), imageRepo: undefined }),
    "InvalidAnnotation",
    ".imageRepo: is required",
  ],
  [
    ANNOTATIONS.inject,
    "no",
    "InvalidAnnotation",
    ': "no" is not allowed; allowed: "false", "true"',
  ],
  [ANNOTATIONS.inject, "", "InvalidAnnotation", ': "" is not allowed; allowed: "false", "true"'],
  ...(
    [
      ["model-versoin", "model-version"],
      ["modelversion", "model-version"],
      ["Export", "export"],
      ["mountpath", "mount-path"],
      ["container", "containers"],
      ["injected", "inject"],
      ["modle", "model"],
      ["Alias", "alias"],
    ] as const
  ).map(
    ([typo, meant]) =>
      [
        PREFIX + typo,
        "x",
        "UnknownAnnotation",
        `: is unknown; did you mean model.kubedl.io/${meant}?`,
      ] as const,
  ),
];

/** What stands beside a key whose value alone is to be wrong, where it is not a version's name. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [ANNOTATIONS.model]: {},
  [ANNOTATIONS.alias]: MODEL,
  [ANNOTATIONS.models]: {},
  [ANNOTATIONS.export]: {},
};

describe("a denial", () => {
  test.each(BAD)("of %s: %j", (key, value, reason, text) => {
    const result = read({ ...(BESIDE[key] ?? SERVE), [key]: value });
    expect(result).toMatchObject({ ok: false, reason });
    expect(textsOf(result)).toEqual([`metadata.annotations[${key}]${text}`]);
  });

  test("has a case for every annotation that a user may set", () => {
    const tested = new Set(BAD.map(([key]) => key));
    // Which containers there are, the pod says.
    const untested = Object.values(ANNOTATIONS).filter((key) => !tested.has(key));
    expect(untested).toEqual([ANNOTATIONS.containers, ANNOTATIONS.status]);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    [ANNOTATIONS.modelVersion, SERVE],
    [ANNOTATIONS.model, MODEL],
    [ANNOTATIONS.models, { [ANNOTATIONS.models]: '[{"model":"mnist","mountPath":"/m"}]' }],
    [ANNOTATIONS.models, { [ANNOTATIONS.models]: "[" }],
  ])("of a pod that exports and serves, by %s, names both keys", (key, serve) => {
    const result = read({ ...serve, ...EXPORT });
    expect(result).toMatchObject({ ok: false, reason: "ContradictingAnnotations" });
    expect(textsOf(result)).toContain(
      `metadata.annotations[model.kubedl.io/export]: excludes ${key}: a pod exports or serves`,
    );
  });

  test("of keys that exclude each other is for that, whatever their values are", () => {
    expect(read({ [ANNOTATIONS.modelVersion]: "A", [ANNOTATIONS.model]: "B" })).toMatchObject({
      ok: false,
      reason: "ContradictingAnnotations",
    });
  });

  test("of a misspelt key is for that, whatever else is wrong", () => {
    const result = read({ ...SERVE, ...MODEL, [`${PREFIX}mount-pth`]: "/m" });
    expect(result).toMatchObject({ ok: false, reason: "UnknownAnnotation" });
    expect(textsOf(result)).toHaveLength(2);
  });

  test("names every fault at once, at the path that was given", () => {
    const annotations = {
      [ANNOTATIONS.modelVersion]: "A",
      [ANNOTATIONS.delivery]: "magic",
      [ANNOTATIONS.loaderResources]: "null",
      [ANNOTATIONS.inject]: "maybe",
    };
    const result = readIntent(annotations, "spec.template.metadata.annotations");
    expect(result.ok ? [] : result.causes.map(({ field }) => field)).toEqual([
      "spec.template.metadata.annotations[model.kubedl.io/inject]",
      "spec.template.metadata.annotations[model.kubedl.io/model-version]",
      "spec.template.metadata.annotations[model.kubedl.io/delivery]",
      "spec.template.metadata.annotations[model.kubedl.io/loader-resources]",
    ]);
  });

  test("names the faults of all keys, although the list of models is none", () => {
    const result = read({
      [ANNOTATIONS.models]: "mnist-v1",
      [ANNOTATIONS.delivery]: "magic",
      [ANNOTATIONS.loaderResources]: "null",
    });
    expect(result.ok ? [] : result.causes.map(({ field }) => field)).toEqual([
      "metadata.annotations[model.kubedl.io/models]",
      "metadata.annotations[model.kubedl.io/delivery]",
      "metadata.annotations[model.kubedl.io/loader-resources]",
    ]);
  });
});

test("no annotations make it throw", () => {
  const key = fc.oneof(
    fc.constantFrom(...Object.values(ANNOTATIONS)),
    fc.string().map((name) => PREFIX + name),
    fc.constantFrom("__proto__", "constructor"),
  );
  const annotations = fc.dictionary(key, fc.oneof(fc.string({ unit: "binary" }), fc.json()));
  expect(() => fc.assert(fc.property(annotations, (each) => void read(each)))).not.toThrow();
});
