import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { validateVersionSpec } from "./version-spec.ts";

const LIMITS = makeLimits();
const GOOD = makeModelVersion().spec;
const CLAIM = { claimName: "models" };
const LOCAL = { path: "/models/mnist", nodeName: "node-1" };
const NFS = { server: "nfs.example", path: "/models" };
const EFS = { volumeHandle: "fs-1::" };

function faultsOf(spec: unknown): readonly string[] {
  return validateVersionSpec(spec, "spec", LIMITS).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

describe("a spec is right", () => {
  test.each<[string, object]>([
    ["a claim", { storage: { persistentVolumeClaim: CLAIM } }],
    [
      "a directory of a claim",
      { storage: { persistentVolumeClaim: { ...CLAIM, subPath: "a/b", mountPath: "/out" } } },
    ],
    ["a directory of a node", { storage: { localStorage: LOCAL } }],
    ["NFS", { storage: { nfs: NFS } }],
    ["EFS", { storage: { AWSEfs: EFS } }],
    ["a type that is there and one that is null", { storage: { nfs: NFS, AWSEfs: undefined } }],
    ["a repository of Docker Hub", { imageRepo: "modelhub/resnet" }],
    ["a tag", { imageTag: "v0.1" }],
    [
      "a builder",
      {
        builder: {
          engine: "kaniko",
          baseImage: "registry.example/busybox:1",
          pushSecret: { name: "push" },
          resources: { limits: { memory: "1Gi" } },
        },
      },
    ],
    ["fields of a newer version", { prewarm: {} }],
  ])("with %s", (_, change) => {
    expect(faultsOf({ ...GOOD, ...change })).toEqual([]);
  });
});

const NAME =
  'must be lower case letters, digits and "-", beginning and ending with a letter or digit';
const REPO = "is not a repository: lower case registry/path, such as registry.example/team/model";
const TAG =
  'is not a tag: at most 128 letters, digits, "_", "." and "-", not beginning with "." or "-"';
const TYPES = "allowed: localStorage, nfs, AWSEfs, persistentVolumeClaim";
const MOUNT = 'must be an absolute path without ".." and ":", and not /';

describe("a spec is denied", () => {
  test.each<[string, object, string]>([
    ["no name", { modelName: undefined }, "modelName: is required"],
    ["a name with capitals", { modelName: "MNIST" }, `modelName: "MNIST" ${NAME}`],
    ["a name with a slash", { modelName: "a/b" }, `modelName: "a/b" ${NAME}`],
    [
      "a long name",
      { modelName: "m".repeat(53) },
      "modelName: has 53 characters; at most 52 are allowed",
    ],
    ["a name that is a number", { modelName: 1 }, "modelName: 1 must be a string"],
    ["no repository", { imageRepo: undefined }, "imageRepo: is required"],
    ["an empty repository", { imageRepo: "" }, "imageRepo: must not be empty"],
    [
      "a tagged repository",
      { imageRepo: "a/b:v1" },
      'imageRepo: "a/b:v1" has a tag; put it into imageTag',
    ],
    [
      "a repository with a digest",
      { imageRepo: `a@sha256:${"0".repeat(64)}` },
      `imageRepo: "a@sha256:${"0".repeat(64)}" has a digest; only a build knows it`,
    ],
    ["capitals in a repository", { imageRepo: "a/B" }, `imageRepo: "a/B" ${REPO}`],
    ["a URL", { imageRepo: "https://r.example/a" }, `imageRepo: "https://r.example/a" ${REPO}`],
    ["a bad tag", { imageTag: "v/1" }, `imageTag: "v/1" ${TAG}`],
    ["an empty tag", { imageTag: "" }, "imageTag: must not be empty"],
    ["a tag that is a number", { imageTag: 1 }, "imageTag: 1 must be a string"],
    [
      "no storage",
      { storage: undefined },
      `storage: exactly one storage type is allowed, found none; ${TYPES}`,
    ],
    [
      "storage that is null",
      { storage: null },
      `storage: exactly one storage type is allowed, found none; ${TYPES}`,
    ],
    [
      "storage that is a text",
      { storage: "nfs" },
      `storage: exactly one storage type is allowed, found none; ${TYPES}`,
    ],
    [
      "empty storage",
      { storage: {} },
      `storage: exactly one storage type is allowed, found none; ${TYPES}`,
    ],
    [
      "storage of another kind",
      { storage: { gcs: {} } },
      `storage: exactly one storage type is allowed, found none; ${TYPES}`,
    ],
    [
      "two storages",
      { storage: { localStorage: LOCAL, nfs: NFS } },
      `storage: exactly one storage type is allowed, found localStorage and nfs; ${TYPES}`,
    ],
    [
      "four storages",
      { storage: { persistentVolumeClaim: CLAIM, AWSEfs: EFS, nfs: NFS, localStorage: LOCAL } },
      `storage: exactly one storage type is allowed, found localStorage and nfs and AWSEfs and persistentVolumeClaim; ${TYPES}`,
    ],
    [
      "a directory without its node",
      { storage: { localStorage: { path: "/models" } } },
      "storage.localStorage.nodeName: is required",
    ],
    [
      "a node without a directory",
      { storage: { localStorage: { nodeName: "node-1" } } },
      "storage.localStorage.path: is required",
    ],
    [
      "a storage that is a text",
      { storage: { nfs: "nfs.example:/models" } },
      'storage.nfs: "nfs.example:/models" must be an object',
    ],
    [
      "a directory outside of the administrator's",
      { storage: { localStorage: { ...LOCAL, path: "/etc" } } },
      'storage.localStorage.path: "/etc" is not allowed: allowed are directories below /models',
    ],
    [
      "a directory that climbs",
      { storage: { localStorage: { ...LOCAL, path: "/models/../etc" } } },
      'storage.localStorage.path: "/models/../etc" must be an absolute path below / without ".."',
    ],
    [
      "a subPath that climbs",
      { storage: { persistentVolumeClaim: { ...CLAIM, subPath: "../x" } } },
      'storage.persistentVolumeClaim.subPath: "../x" must be a relative path without ".."',
    ],
    [
      "a mountPath that is relative",
      { storage: { nfs: { ...NFS, mountPath: "models" } } },
      `storage.nfs.mountPath: "models" ${MOUNT}`,
    ],
    [
      "a mountPath that is a number",
      { storage: { nfs: { ...NFS, mountPath: 5 } } },
      "storage.nfs.mountPath: 5 must be a string",
    ],
    [
      "an unknown engine",
      { builder: { engine: "docker" } },
      'builder.engine: "docker" is not allowed; allowed: kaniko, direct',
    ],
    [
      "a bad base",
      { builder: { baseImage: "A" } },
      'builder.baseImage: "A" is not an image reference: lower case registry/path:tag',
    ],
    [
      "a limit of the build that is no quantity",
      { builder: { resources: { limits: { memory: "4 GB" } } } },
      'builder.resources.limits.memory: "4 GB" must be a quantity, such as 100m or 64Mi',
    ],
    [
      "a base that is not allowed",
      { builder: { baseImage: "busybox:1" } },
      'builder.baseImage: "busybox:1" is not allowed: the administrator allows registry.example/busybox:1 (build.allowedBaseImages)',
    ],
    [
      "a base that is a number",
      { builder: { baseImage: 5 } },
      "builder.baseImage: 5 must be a string",
    ],
    [
      "a bad name of a Secret",
      { builder: { pushSecret: { name: "A" } } },
      'builder.pushSecret.name: "A" is not the name of a Secret (RFC 1123 subdomain)',
    ],
    [
      "a Secret without name",
      { builder: { pushSecret: {} } },
      "builder.pushSecret.name: is required",
    ],
    [
      "a Secret that is null",
      { builder: { pushSecret: null } },
      "builder.pushSecret: null must be an object",
    ],
    ["a builder that is null", { builder: null }, "builder: null must be an object"],
    ["createdBy that is a list", { createdBy: [] }, "createdBy: a list must be a string"],
  ])("with %s", (_, change, fault) => {
    expect(faultsOf({ ...GOOD, ...change })).toEqual([`spec.${fault}`]);
  });

  test.each([
    [undefined, "is required"],
    [null, "null must be an object"],
    ["text", '"text" must be an object'],
    [[], "a list must be an object"],
  ])("that is %j", (spec, message) => {
    expect(faultsOf(spec)).toEqual([`spec: ${message}`]);
  });

  test("with every fault at once", () => {
    const storage = { localStorage: { path: "/models" }, nfs: NFS };
    expect(faultsOf({ modelName: "A", imageRepo: "a:1", storage })).toEqual([
      `spec.modelName: "A" ${NAME}`,
      "spec.storage.localStorage.nodeName: is required",
      'spec.imageRepo: "a:1" has a tag; put it into imageTag',
      `spec.storage: exactly one storage type is allowed, found localStorage and nfs; ${TYPES}`,
    ]);
  });
});

test("a builder of which one part is of a wrong type is told of the others, too", () => {
  const builder = { engine: "docker", baseImage: "A", pushSecret: { name: "Foo_" } };
  expect(faultsOf({ ...GOOD, builder }).map((fault) => fault.split(":")[0])).toEqual([
    "spec.builder.engine",
    "spec.builder.baseImage",
    "spec.builder.pushSecret.name",
  ]);
});

test("no JSON makes it throw", () => {
  const part = fc.oneof(fc.jsonValue(), fc.constant(undefined));
  const spec = fc.record({
    modelName: part,
    imageRepo: part,
    imageTag: part,
    createdBy: part,
    storage: fc.oneof(
      part,
      fc.record({
        localStorage: fc.oneof(part, fc.record({ path: part, nodeName: part, mountPath: part })),
        nfs: fc.oneof(part, fc.record({ server: part, path: part, mountPath: part })),
      }),
      fc.record({ AWSEfs: fc.oneof(part, fc.record({ volumeHandle: part, attributes: part })) }),
      fc.record({
        persistentVolumeClaim: fc.oneof(part, fc.record({ claimName: part, subPath: part })),
      }),
    ),
    builder: fc.oneof(part, fc.record({ baseImage: part, pushSecret: part, resources: part })),
  });
  const anything = fc.oneof(spec, part);
  expect(() =>
    fc.assert(fc.property(anything, (each) => void validateVersionSpec(each, "spec", LIMITS))),
  ).not.toThrow();
});
