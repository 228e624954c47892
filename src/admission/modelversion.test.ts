import { describe, expect, test } from "vitest";
import type { Draft, Tweak } from "../../test/make/frozen.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { patched } from "../../test/make/patched.ts";
import { USER, makeRequest, makeUpdate } from "../../test/make/request.ts";
import { makePolicy } from "../../test/make/snapshot.ts";
import { LABELS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { decideModelVersion } from "./modelversion.ts";

const POLICY = makePolicy();
const REQUESTED_BY = VERSION_ANNOTATIONS.requestedBy;

function decide(request: AdmissionRequest) {
  return decideModelVersion(request, POLICY);
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
    expect(decideModelVersion(makeRequest(version), policy)).toMatchObject({ allowed: true });
    const elsewhere = makeRequest(version, (each) => void (each.namespace = "team-b"));
    expect(decideModelVersion(elsewhere, policy)).toMatchObject({ allowed: false });
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
      each.userInfo = { username: POLICY.controllerUser };
    });
    expect(stored(request).metadata.annotations).toEqual({
      [VERSION_ANNOTATIONS.jobUid]: "1",
      [REQUESTED_BY]: POLICY.controllerUser,
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
