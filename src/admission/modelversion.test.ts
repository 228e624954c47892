import { describe, expect, test } from "vitest";
import type { Draft, Tweak } from "../../test/make/frozen.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { patched } from "../../test/make/patched.ts";
import { USER, makeRequest, makeUpdate } from "../../test/make/request.ts";
import { makePolicy, makeSnapshot } from "../../test/make/snapshot.ts";
import { LABELS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { RULES, type Rule, type RuleText } from "../api/rules.ts";
import { decideModelVersion, versionReferences } from "./modelversion.ts";

const SNAPSHOT = makeSnapshot();
const REQUESTED_BY = VERSION_ANNOTATIONS.requestedBy;

function decide(request: AdmissionRequest) {
  return decideModelVersion(request, SNAPSHOT);
}

/** The object as it is stored when the request is allowed. */
function stored(request: AdmissionRequest): ModelVersion {
  const decision = decide(request);
  if (!decision.allowed) throw new Error(decision.message);
  return patched(request.object as ModelVersion, decision.operations);
}

function faultsOf(request: AdmissionRequest): readonly string[] {
  const decision = decide(request);
  return decision.allowed
    ? []
    : decision.causes.map(({ field, message }) => `${field}: ${message}`);
}

/** A version as an earlier CREATE left it. */
function makeStored(tweak: Tweak<Draft<ModelVersion>> = () => {}): ModelVersion {
  return makeModelVersion((version) => {
    version.spec.createdBy = "bob";
    version.metadata.annotations = { [REQUESTED_BY]: "bob" };
    version.metadata.labels = { [LABELS.modelName]: "mnist" };
    tweak(version);
  });
}

describe("a new version", () => {
  test("is said to be created by the user, who is recorded, and is labelled with its model", () => {
    const version = stored(makeRequest(makeModelVersion()));
    expect(version.spec.createdBy).toBe(USER);
    expect(version.metadata).toMatchObject({
      annotations: { [REQUESTED_BY]: USER },
      labels: { [LABELS.modelName]: "mnist" },
    });
  });

  test("keeps the createdBy that it states, which is free text", () => {
    const version = makeModelVersion((each) => {
      each.spec.createdBy = "Job/train";
    });
    expect(stored(makeRequest(version)).spec.createdBy).toBe("Job/train");
  });

  test("can not name another user who asked for it", () => {
    const version = makeModelVersion((each) => {
      each.metadata.annotations = { [REQUESTED_BY]: "mallory", other: "kept" };
    });
    expect(stored(makeRequest(version)).metadata.annotations).toEqual({
      [REQUESTED_BY]: USER,
      other: "kept",
    });
  });

  test("is not patched again", () => {
    const version = stored(makeRequest(makeModelVersion()));
    expect(decide(makeRequest(version))).toEqual({
      allowed: true,
      reason: "Valid",
      operations: [],
      warnings: [],
    });
  });

  test("may lie where its namespace may store", () => {
    const version = makeModelVersion((each) => {
      each.spec.storage = { localStorage: { path: "/models/a/mnist", nodeName: "node-1" } };
    });
    const policy = makePolicy((each) => void (each.localPrefixes = { "team-a": ["/models/a"] }));
    const snapshot = makeSnapshot([], (each) => void (each.policy = policy));
    expect(decideModelVersion(makeRequest(version), snapshot)).toMatchObject({ allowed: true });
    const elsewhere = makeRequest(version, (each) => void (each.namespace = "team-b"));
    expect(decideModelVersion(elsewhere, snapshot)).toMatchObject({ allowed: false });
  });

  test("is denied with all faults of its spec", () => {
    const version = makeModelVersion((each) => {
      Object.assign(each.spec, { imageRepo: "A", storage: {} });
    });
    expect(decide(makeRequest(version))).toMatchObject({ allowed: false, reason: "InvalidObject" });
    expect(faultsOf(makeRequest(version))).toHaveLength(2);
  });

  test.each([
    VERSION_ANNOTATIONS.jobUid,
    VERSION_ANNOTATIONS.jobKind,
    VERSION_ANNOTATIONS.jobName,
    VERSION_ANNOTATIONS.pod,
    VERSION_ANNOTATIONS.node,
    VERSION_ANNOTATIONS.trainingImage,
    VERSION_ANNOTATIONS.startedAt,
    VERSION_ANNOTATIONS.completedAt,
  ])("is denied with a forged %s", (key) => {
    const version = makeModelVersion((each) => {
      each.metadata.annotations = { [key]: "forged" };
    });
    expect(faultsOf(makeRequest(version))).toEqual([
      `metadata.annotations[${key}]: says which job a version comes from; only modelhook sets it`,
    ]);
  });

  test("is denied with a forged label of a job", () => {
    const version = makeModelVersion((each) => {
      each.metadata.labels = { [LABELS.jobUid]: "forged" };
    });
    expect(faultsOf(makeRequest(version))).toEqual([
      `metadata.labels[${LABELS.jobUid}]: says which job a version comes from; only modelhook sets it`,
    ]);
  });

  test("has its provenance from our controller", () => {
    const version = makeModelVersion((each) => {
      each.metadata.annotations = { [VERSION_ANNOTATIONS.jobUid]: "1" };
      each.metadata.labels = { [LABELS.jobUid]: "1" };
    });
    const request = makeRequest(version, (each) => {
      each.userInfo = { username: SNAPSHOT.policy.controllerUser };
    });
    expect(stored(request).metadata.annotations).toEqual({
      [VERSION_ANNOTATIONS.jobUid]: "1",
      [REQUESTED_BY]: SNAPSHOT.policy.controllerUser,
    });
  });

  test("of nobody has no user to record", () => {
    const request = makeRequest(makeModelVersion(), (each) => {
      each.userInfo = {};
    });
    expect(stored(request).spec).not.toHaveProperty("createdBy");
  });
});

describe("an update", () => {
  test("that leaves createdBy out gets it back, so that a PUT of the manifest changes nothing", () => {
    expect(stored(makeUpdate(makeModelVersion(), makeStored()))).toEqual(makeStored());
  });

  test("may say another createdBy", () => {
    const version = makeStored((each) => {
      each.spec.createdBy = "carol";
    });
    expect(stored(makeUpdate(version, makeStored())).spec.createdBy).toBe("carol");
  });

  test.each([
    ["changes", { [REQUESTED_BY]: "mallory" }],
    ["removes", {}],
  ])("that %s who asked for the version gets it back", (_, annotations) => {
    const version = makeStored((each) => {
      each.metadata.annotations = annotations;
    });
    expect(stored(makeUpdate(version, makeStored()))).toEqual(makeStored());
  });

  test("can not say who asked for a version of which that is not known", () => {
    const old = makeStored((each) => {
      each.metadata.annotations = {};
    });
    expect(stored(makeUpdate(makeStored(), old))).toEqual(old);
  });

  test.each([
    ["changes", { [VERSION_ANNOTATIONS.jobUid]: "2" }],
    ["removes", {}],
  ])("that %s the provenance is denied", (_, annotations) => {
    const old = makeStored((each) => {
      each.metadata.annotations = { [REQUESTED_BY]: "bob", [VERSION_ANNOTATIONS.jobUid]: "1" };
    });
    const version = makeStored((each) => {
      each.metadata.annotations = { [REQUESTED_BY]: "bob", ...annotations };
    });
    expect(faultsOf(makeUpdate(version, old))).toEqual([
      `metadata.annotations[${VERSION_ANNOTATIONS.jobUid}]: says which job a version comes from; only modelhook sets it`,
    ]);
  });

  test("repairs the label of the model", () => {
    const version = makeStored((each) => {
      each.metadata.labels = { [LABELS.modelName]: "other", mine: "kept" };
    });
    expect(stored(makeUpdate(version, makeStored())).metadata.labels).toEqual({
      [LABELS.modelName]: "mnist",
      mine: "kept",
    });
  });

  test("of a right spec to a wrong one is denied", () => {
    const version = makeStored((each) => {
      each.spec.imageRepo = "A";
    });
    expect(decide(makeUpdate(version, makeStored()))).toMatchObject({ reason: "InvalidObject" });
  });
});

describe("a stored version that breaks the rules of today", () => {
  const broken: readonly (readonly [string, Tweak<Draft<ModelVersion>>])[] = [
    ["has two storages", (each) => Object.assign(each.spec.storage, { nfs: {} })],
    ["has no storage", (each) => Object.assign(each.spec, { storage: undefined })],
    ["has no spec", (each) => Object.assign(each, { spec: undefined })],
    ["has a spec of another type", (each) => Object.assign(each, { spec: [] })],
    ["has a name that is no label", (each) => void (each.spec.modelName = "My Model!")],
    [
      "lies where nobody may",
      (each) => void (each.spec.storage = { localStorage: { path: "/etc", nodeName: "node-1" } }),
    ],
  ];

  test.each(broken)("that %s can still lose its finalizer", (_, tweak) => {
    const old = makeStored((each) => {
      tweak(each);
      each.metadata.finalizers = ["model.kubedl.io/volume"];
    });
    const version = makeStored(tweak);
    expect(decide(makeUpdate(version, old))).toMatchObject({ allowed: true, operations: [] });
  });

  test("can be applied again without createdBy", () => {
    const old = makeStored((each) => void (each.spec.imageRepo = "UPPER"));
    const { createdBy: _, ...spec } = old.spec;
    expect(stored(makeUpdate({ ...old, spec } as ModelVersion, old))).toEqual(old);
  });

  test("is denied when its spec changes and stays wrong", () => {
    const old = makeStored((each) => void (each.spec.imageRepo = "UPPER"));
    const version = makeStored((each) => void (each.spec.imageRepo = "OTHER"));
    expect(decide(makeUpdate(version, old))).toMatchObject({ allowed: false });
  });
});

describe("a version that names a tag", () => {
  const TAGGED = makeModelVersion((each) => void (each.spec.imageTag = "v1"));
  const IMAGE = '"registry.example/models/mnist:v1"';

  function faultsBeside(rival: ModelVersion, version: ModelVersion = TAGGED): readonly string[] {
    const snapshot = makeSnapshot([], (each) => void (each.imageRivals = [rival]));
    const decision = decideModelVersion(makeRequest(version), snapshot);
    return decision.allowed
      ? []
      : decision.causes.map(({ rule, field, message }) => `${rule} ${field}: ${message}`);
  }

  test.each<[who: string, tweak: Tweak<Draft<ModelVersion>>, owner: string]>([
    ["one that is not built yet", () => {}, "ModelVersion older"],
    [
      "one that is built",
      (each) => void (each.status = { imageBuildPhase: "ImageBuildSucceeded" }),
      "ModelVersion older",
    ],
    [
      "one of another namespace, which is not named",
      (each) => void (each.metadata.namespace = "team-b"),
      "a ModelVersion of another namespace",
    ],
  ])("can not take it from %s", (_, tweak, owner) => {
    expect(faultsBeside(makeRival(tweak))).toEqual([
      `ImageFree spec.imageTag: ${IMAGE} belongs to ${owner}; choose another imageTag, or leave it out`,
    ]);
  });

  test.each<[who: string, tweak: Tweak<Draft<ModelVersion>>]>([
    ["itself", (each) => Object.assign(each.metadata, { uid: TAGGED.metadata.uid })],
    [
      "one whose build failed",
      (each) => void (each.status = { imageBuildPhase: "ImageBuildFailed" }),
    ],
    [
      "one that is being deleted",
      (each) => void (each.metadata.deletionTimestamp = "2026-01-01T00:00:00Z"),
    ],
  ])("shares it with %s", (_, tweak) => {
    expect(faultsBeside(makeRival(tweak))).toEqual([]);
  });

  test("is looked for by one text for all ways to write its image", () => {
    expect(imageOf({ imageRepo: "modelhub/resnet", imageTag: "v1" })).toBe(
      imageOf({ imageRepo: "index.docker.io/modelhub/resnet", imageTag: "v1" }),
    );
    expect(imageOf({ imageRepo: "registry.example:443/a", imageTag: "v1" })).toBe(
      imageOf({ imageRepo: "registry.example/a", imageTag: "v1" }),
    );
    expect(imageOf({ imageRepo: "registry.example/a", imageTag: "v/1" })).toBeUndefined();
  });
});

describe("a version that names what does not exist", () => {
  test.each<
    [what: string, storage: ModelVersion["spec"]["storage"], missing: object, warning: object]
  >([
    [
      "a claim",
      { persistentVolumeClaim: { claimName: "models" } },
      { claim: "models" },
      {
        reason: "ClaimNotFound",
        message:
          'spec.storage.persistentVolumeClaim.claimName: there is no claim "models" in namespace team-a; the build waits for it (if the name is wrong, delete this version and make it anew)',
      },
    ],
    [
      "a node",
      { localStorage: { path: "/models/a", nodeName: "node-7" } },
      { node: "node-7" },
      {
        reason: "NodeNotFound",
        message:
          'spec.storage.localStorage.nodeName: there is no node "node-7"; the build waits for it (if the name is wrong, delete this version and make it anew)',
      },
    ],
  ])("%s, is made with a warning, and warned of once", (_, storage, missing, warning) => {
    const version = makeModelVersion((each) => void (each.spec.storage = storage));
    const snapshot = makeSnapshot([], (each) => void (each.missing = missing));
    const created = decideModelVersion(makeRequest(version), snapshot);
    expect(created).toMatchObject({ allowed: true, warnings: [warning] });
    const again = decideModelVersion(makeUpdate(version, version), snapshot);
    expect(again).toMatchObject({ allowed: true, warnings: [] });
  });

  test.each([
    ["a claim of another namespace", { persistentVolumeClaim: { claimName: "team-b/models" } }],
    ["a node that none can be", { localStorage: { path: "/models/a", nodeName: "a/b" } }],
    ["no text", { persistentVolumeClaim: { claimName: 7 } }],
    ["storage that is none", "nfs"],
    ["storage that is null", null],
  ])("does not look for %s", (_, storage) => {
    const version = makeModelVersion((each) => void Object.assign(each.spec, { storage }));
    expect(versionReferences(makeRequest(version))).toEqual({
      namespace: "team-a",
      versions: [],
      wanted: [],
    });
  });
});

describe("an annotation in our words that means nothing on a version", () => {
  test.each([
    ["model.kubedl.io/rety", "; did you mean model.kubedl.io/retry?"],
    ["model.kubedl.io/model-version", ""],
  ])("is warned of when it is set: %s", (key, hint) => {
    const message = `metadata.annotations[${key}]: is unknown on a ModelVersion and has no effect${hint}`;
    expect(decide(makeUpdate(annotated(key), makeStored()))).toMatchObject({
      allowed: true,
      warnings: [{ reason: "UnknownAnnotation", message }],
    });
  });

  test("is not warned of again, nor is one that is known", () => {
    const misspelt = annotated("model.kubedl.io/rety");
    expect(decide(makeUpdate(misspelt, misspelt)).warnings).toEqual([]);
    const retried = annotated("model.kubedl.io/retry");
    expect(decide(makeUpdate(retried, makeStored())).warnings).toEqual([]);
  });
});

function makeRival(tweak: Tweak<Draft<ModelVersion>> = () => {}): ModelVersion {
  return makeModelVersion((each) => {
    each.metadata = { ...each.metadata, name: "older", uid: "rival" };
    tweak(each);
  });
}

/** The image by which the rivals of a version with this spec are looked for. */
function imageOf(spec: object): string | undefined {
  const version = makeModelVersion((each) => void Object.assign(each.spec, spec));
  return versionReferences(makeRequest(version)).image;
}

describe("beside a live KubeDL", () => {
  const LATER = "accepted while KubeDL runs, but modelhook will not build it when KubeDL has gone";
  const beside = makeSnapshot([], (each) => {
    each.standby = true;
    each.policy = makePolicy((policy) => {
      Object.assign(policy, { nfsServers: [], efsFileSystems: ["fs-1"], engines: [] });
      policy.registries = { "*": ["registry.example"] };
      policy.maxResources = { memory: "1Gi" };
    });
  });

  const LIMITS: readonly (readonly [rule: Rule, spec: object, field: string, then: string])[] = [
    [
      "LocalPathAllowed",
      { storage: { localStorage: { path: "/data/a", nodeName: "node-1" } } },
      "localStorage.path",
      LATER,
    ],
    ["NfsServerAllowed", { storage: { nfs: { server: "a", path: "/" } } }, "nfs.server", LATER],
    [
      "EfsFileSystemAllowed",
      { storage: { AWSEfs: { volumeHandle: "fs-9" } } },
      "AWSEfs.volumeHandle",
      LATER,
    ],
    [
      "EfsAttributesAllowed",
      { storage: { AWSEfs: { volumeHandle: "fs-1", attributes: { az: "b" } } } },
      "AWSEfs.attributes.az",
      LATER,
    ],
    ["RegistryAllowed", { imageRepo: "evil.example/a" }, "imageRepo", LATER],
    ["EngineAllowed", { builder: { engine: "kaniko" } }, "builder.engine", LATER],
    ["BaseImageAllowed", { builder: { baseImage: "evil:1" } }, "builder.baseImage", LATER],
    [
      "ResourcesAllowed",
      { builder: { resources: { requests: { memory: "2Gi" } } } },
      "builder.resources.requests.memory",
      "accepted while KubeDL runs, but modelhook will build it with no more than that when KubeDL has gone",
    ],
  ];
  test.each(LIMITS)("what breaks %s is accepted, with a warning", (rule, spec, field, then) => {
    const request = makeRequest(makeModelVersion((each) => void Object.assign(each.spec, spec)));
    const denied = decideModelVersion(request, { ...beside, standby: false });
    if (denied.allowed) throw new Error("it is allowed without KubeDL, too");
    expect(denied.causes.map((cause) => cause.rule)).toEqual([rule]);
    expect(denied.message).toContain(`${field}: `);
    expect(decideModelVersion(request, beside)).toMatchObject({
      allowed: true,
      reason: "Defaulted",
      warnings: [{ reason: "KubeDLPresent", message: `${denied.message}; ${then}` }],
    });
  });

  test("those are all limits of the administrator", () => {
    const limits = Object.entries<RuleText>(RULES).flatMap(([rule, { atBuild }]) =>
      atBuild === undefined ? [] : rule,
    );
    expect(new Set(LIMITS.map(([rule]) => rule))).toEqual(new Set(limits));
  });

  test("every other fault still denies, and the limits are warned of beside it", () => {
    const version = makeModelVersion((each) => {
      Object.assign(each.spec, { imageRepo: "evil.example/a", imageTag: "-" });
      each.metadata.labels = { [LABELS.jobUid]: "forged" };
    });
    const decision = decideModelVersion(makeRequest(version), beside);
    if (decision.allowed) throw new Error("it is allowed");
    expect(decision.causes.map(({ rule }) => rule)).toEqual(["ImageTag", "Provenance"]);
    expect(decision.warnings.map(({ reason }) => reason)).toEqual(["KubeDLPresent"]);
  });

  test("a spec whose build has begun still does not change", () => {
    const old = makeStored((each) => void (each.status = { imageBuildPhase: "ImageBuilding" }));
    const version = { ...old, spec: { ...old.spec, imageRepo: "evil.example/a" } };
    const decision = decideModelVersion(makeUpdate(version, old), beside);
    expect(decision).toMatchObject({ allowed: false, causes: [{ rule: "SpecImmutable" }] });
  });

  test("what is stored already is not warned of again", () => {
    const old = makeStored((each) => void (each.spec.imageRepo = "evil.example/a"));
    expect(decideModelVersion(makeUpdate(old, old), beside).warnings).toEqual([]);
  });
});

function annotated(key: string): ModelVersion {
  return makeStored((each) => Object.assign(each.metadata.annotations ?? {}, { [key]: "1" }));
}
