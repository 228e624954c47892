import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type {
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
} from "../../src/api/kube-types.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import type { Storage } from "../../src/api/storage.ts";
import { buildVolumeName } from "../../src/api/names.ts";
import { answer } from "./answer.ts";
import { addNode, eventually, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

/**
 * Carol may do everything with models, versions and claims of team-a, and nothing else: modelhook, which may do much more, must
 * not do for her what she could not do herself. Dave may do as much with versions.
 */
const CAROL = ["--as=carol", "--namespace=team-a"];
const DAVE = ["--as=dave", "--namespace=team-a"];
const LIMITS = { allowedPrefixes: { "team-a": ["/models"], "team-b": ["/others"] } };
const JOB_UID = "model.kubedl.io/job-uid";
/** Updates that leave alone what a version is built from. */
const METADATA = [
  { metadata: { labels: { team: "a" } } },
  { metadata: { annotations: { note: "b" } } },
  { metadata: { finalizers: ["example.com/held", "model.kubedl.io/volume"] } },
  { metadata: { finalizers: ["model.kubedl.io/volume"] } },
  { spec: { createdBy: "dave" } },
  { spec: { createdBy: null } },
];
const SOON = { timeout: 20_000 };

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  for (const name of ["team-a", "team-b"]) await plane.kubectl(["create", "namespace", name]);
  await addNode(plane, "node-1");
  await apply(
    ...["carol", "dave"].flatMap((user) =>
      granted(user, [
        {
          apiGroups: ["model.kubedl.io"],
          resources: ["models", "modelversions", "modelbindings"],
          verbs: ["get", "list", "create", "update", "patch", "delete"],
        },
      ]),
    ),
  );
  modelhook = await startModelhook(plane, LIMITS);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("a path on a node that the namespace may not use", () => {
  const outside = "is not allowed: allowed are directories below /models";
  const bad = `must be an absolute path below / without ".."`;
  test.each([
    ["of the host", "/etc", outside],
    ["that climbs out of the prefix", "/models/../etc", bad],
    ["that climbs out of the prefix by an empty part", "/models/..//etc", bad],
    ["of another namespace", "/others/a", outside],
    ["beside the prefix", "/modelsecret", outside],
    ["that is all of the host", "//", bad],
  ])("%s is not read: %s", async (_, path, because) => {
    const storage = onNode(path);
    const field = "spec.storage.localStorage.path";
    expect(await create(CAROL, version("bad", { storage }))).toBe(
      invalid("bad", `${field}: "${path}" ${because}`),
    );
  });
});

describe("a claim of another namespace", () => {
  beforeAll(async () => apply(claim("data", "team-b")));

  test.each(["team-b/data", "../team-b/data", "..", "team-b..data"])(
    "can not be named as %s",
    async (claimName) => {
      expect(await create(CAROL, version("bad", { storage: inClaim(claimName) }))).toBe(
        invalid(
          "bad",
          `spec.storage.persistentVolumeClaim.claimName: "${claimName}" is not the name of a claim (RFC 1123 subdomain)`,
        ),
      );
    },
  );

  test("is not meant by its name", async () => {
    expect(await create(CAROL, version("namesake", { storage: inClaim("data") }))).toBe(
      'Warning: spec.storage.persistentVolumeClaim.claimName: there is no claim "data" in namespace team-a; the build waits for it (if the name is wrong, delete this version and make it anew)',
    );
    await expect
      .poll(async () => (await live("namesake")).status?.message, SOON)
      .toBe("StorageNotBound: claim data does not exist");
  });

  test("is not reached from a claim of her own by the directory in it", async () => {
    const storage = {
      persistentVolumeClaim: { claimName: "own", subPath: "../../team-b_data" },
    };
    expect(await create(CAROL, version("bad", { storage }))).toBe(
      invalid(
        "bad",
        `spec.storage.persistentVolumeClaim.subPath: "../../team-b_data" must be a relative path without ".."`,
      ),
    );
  });
});

describe("a Secret that she may not read (PushSecretReadable)", () => {
  beforeAll(async () => {
    await eventually("the policy is in force", async () => {
      return (await create(CAROL, version("probe", withSecret("robot")), true)).includes("robot");
    });
    await apply(...granted("carol", [secretRule("mine")], "reads-mine"));
    await eventually("Carol may read her own Secret", async () => {
      const can = ["auth", "can-i", "get", "secret/mine", ...CAROL];
      return (await plane.kubectl(can)).trim() === "yes";
    });
    await create(CAROL, version("hers", { ...withSecret("mine"), storage: inClaim("none") }));
    // What is warned of is that the namespace has no label; it is made all the same.
    await create(CAROL, binding("hers", withSecret("mine")));
  });

  test("is not pushed with", async () => {
    expect(await create(CAROL, version("bad", withSecret("robot")))).toBe(
      forbidden("bad", mayNotGet("carol", "robot")),
    );
  });

  test("is not found out about: one that exists gets the same words", async () => {
    const secret = ["create", "secret", "generic", "robot", "--namespace=team-a"];
    await plane.kubectl(secret);
    expect(await create(CAROL, version("bad", withSecret("robot")))).toBe(
      forbidden("bad", mayNotGet("carol", "robot")),
    );
  });

  test("is not pushed with by the versions that a binding exports", async () => {
    const field = "spec.export.builder.pushSecret.name";
    const refused = forbidden("bad", mayNotGet("carol", "robot", field), "modelbindings");
    // Behind what modelhook warns of.
    expect(await create(CAROL, binding("bad", withSecret("robot")))).toContain(refused);
  });

  test("is not brought into a binding later, and a binding's Secret is not pushed with to another place", async () => {
    const named = mayNotGet("dave", "mine", "spec.export.builder.pushSecret.name");
    for (const spec of [{ imageRepo: "registry.test/dave" }, { modelName: "letters" }]) {
      const changed = change(DAVE, "hers", { spec: { export: spec } }, "modelbinding");
      await expect(changed).rejects.toThrow(named);
    }
    await create(DAVE, binding("open"));
    const later = { spec: { export: withSecret("mine") } };
    await expect(change(DAVE, "open", later, "modelbinding")).rejects.toThrow(named);
    await expect(change(CAROL, "open", later, "modelbinding")).resolves.toContain("patched");
  });

  test("may be named in a binding by who may read it, and then be labelled and given up by everybody", async () => {
    for (const patch of [
      { metadata: { labels: { team: "a" } } },
      { spec: { export: { builder: null } } },
    ]) {
      await expect(change(DAVE, "hers", patch, "modelbinding")).resolves.toContain("patched");
    }
  });

  test("is no matter of labels, annotations, finalizers and createdBy", async () => {
    for (const patch of METADATA) {
      await expect(change(DAVE, "hers", patch)).resolves.toContain("patched");
    }
    expect((await live("hers")).metadata).toMatchObject({ labels: { team: "a" } });
  });

  test("may be named by modelhook itself, which writes what jobs ask for", async () => {
    const itself = ["--as=system:serviceaccount:modelhook-system:modelhook", "--namespace=team-a"];
    expect(await create(itself, version("exported", withSecret("robot")), true)).toBe(
      `${created("exported")} (server dry run)`,
    );
  });
});

describe("a volume of ours", () => {
  test("is not bound by a claim of another namespace", async () => {
    await create(CAROL, version("volume"));
    const name = await volumeOf("volume");
    await apply({ ...claim("thief", "team-b"), spec: { ...claimSpec(), volumeName: name } });
    const selector = "--field-selector=regarding.name=thief,reason=FailedBinding";
    const events = ["--namespace=team-b", "get", "events.v1.events.k8s.io", selector];
    await eventually("the binder refuses", async () => {
      const said = await plane.kubectl([...events, "--output=jsonpath={.items[*].note}"]);
      return said.includes(`volume "${name}" already bound to a different claim`);
    });
    const thief = await read<PersistentVolumeClaim>(plane, "pvc", "thief", "team-b");
    expect(thief?.status?.phase).toBe("Pending");
    const volume = await read<PersistentVolume>(plane, "pv", name);
    expect(volume?.spec?.claimRef).toMatchObject({ namespace: "team-a", name });
  });

  test("is not read by a claim that was there before with its name, and that claim is left alone", async () => {
    const storage = { localStorage: { path: "/models/a", nodeName: "node-late" } };
    await create(CAROL, version("early", { storage, imageRepo: "registry.test/early" }));
    const name = buildVolumeName((await live("early")).metadata.uid ?? "");
    const spec = { ...claimSpec(), storageClassName: "no-such-class" };
    await apply({ ...claim(name, "team-a"), spec });
    await addNode(plane, "node-late");
    await eventually("our volume", async () => read(plane, "pv", name));
    // Each pass ends where the claim should be made; a build Job would come within one.
    await sleep(3000);
    const { uid } = (await live("early")).metadata;
    expect(await list(plane, "jobs", `model.kubedl.io/modelversion-uid=${uid}`)).toEqual([]);
    const hers = await read<PersistentVolumeClaim>(plane, "pvc", name, "team-a");
    expect(hers).toMatchObject({ spec: { storageClassName: "no-such-class" } });
    expect(hers?.metadata?.deletionTimestamp).toBeUndefined();
  });
});

describe("what only modelhook may say", () => {
  const only = "says which job a version comes from; only modelhook sets it";

  beforeAll(async () => {
    await create(CAROL, version("claimed", { storage: inClaim("none") }));
  });

  test.each<[string, object, string]>([
    ["the label of a job", { labels: { [JOB_UID]: "1" } }, `metadata.labels[${JOB_UID}]`],
    ...["job-uid", "job-kind", "job-name", "pod", "node", "training-image"].map(
      (key): [string, object, string] => [
        `the annotation ${key}`,
        { annotations: { [`model.kubedl.io/${key}`]: "1" } },
        `metadata.annotations[model.kubedl.io/${key}]`,
      ],
    ),
  ])("%s is not forged, neither on CREATE nor on UPDATE", async (_, metadata, field) => {
    expect(await create(CAROL, version("bad", {}, metadata))).toBe(
      invalid("bad", `${field}: ${only}`),
    );
    await expect(change(CAROL, "claimed", { metadata })).rejects.toThrow(
      invalid("claimed", `${field}: ${only}`),
    );
  });

  test.each([
    ["annotate", "annotations"],
    ["label", "labels"],
  ])("kubectl %s does not forge it either", async (command, list_) => {
    const forged = plane.kubectl([command, ...CAROL, "modelversion", "claimed", `${JOB_UID}=1`]);
    await expect(forged).rejects.toThrow(
      invalid("claimed", `metadata.${list_}[${JOB_UID}]: ${only}`),
    );
  });

  test("who asked for a version is who did, whatever is said", async () => {
    const said = { annotations: { "model.kubedl.io/requested-by": "admin" } };
    await create(CAROL, version("asked", { storage: inClaim("none") }, said));
    expect((await live("asked")).metadata.annotations).toMatchObject({
      "model.kubedl.io/requested-by": "carol",
    });
  });

  test("status is not hers to write, on creation or later", async () => {
    const status = { digest: `sha256:${"0".repeat(64)}`, imageBuildPhase: "ImageBuildSucceeded" };
    await create(CAROL, { ...version("finished", { storage: inClaim("none") }), status });
    expect((await live("finished")).status?.digest).toBeUndefined();
    const finished = await live("finished");
    const path = `/apis/model.kubedl.io/v1alpha1/namespaces/team-a/modelversions/finished/status`;
    const put = ["--as=carol", "replace", "--raw", path, "--filename", "-"];
    await expect(plane.kubectl(put, JSON.stringify({ ...finished, status }))).rejects.toThrow(
      `modelversions.model.kubedl.io "finished" is forbidden: User "carol" cannot update resource "modelversions/status" in API group "model.kubedl.io" in the namespace "team-a"`,
    );
  });
});

describe("a Secret that somebody may not read, when a version changes whose build has not begun", () => {
  beforeAll(async () => {
    await withoutWebhook();
    await create(CAROL, version("open", { storage: inClaim("none") }));
    await create(CAROL, version("shared", { ...withSecret("mine"), storage: inClaim("none") }));
  });
  afterAll(async () => {
    modelhook = await startModelhook(plane, LIMITS);
  });

  test("can not be named", async () => {
    await expect(change(CAROL, "open", { spec: withSecret("robot") })).rejects.toThrow(
      mayNotGet("carol", "robot"),
    );
    await expect(change(CAROL, "shared", { spec: withSecret("robot") })).rejects.toThrow(
      mayNotGet("carol", "robot"),
    );
  });

  test("is not pushed with to another place", async () => {
    const elsewhere = { spec: { imageRepo: "registry.test/dave" } };
    await expect(change(DAVE, "shared", elsewhere)).rejects.toThrow(mayNotGet("dave", "mine"));
    const untagged = { spec: { imageTag: "v2" } };
    await expect(change(DAVE, "shared", untagged)).rejects.toThrow(mayNotGet("dave", "mine"));
  });

  test("is named by whoever may read it, and given up by everybody", async () => {
    await expect(change(CAROL, "open", { spec: withSecret("mine") })).resolves.toContain("patched");
    const tagged = { spec: { imageTag: "v2" } };
    await expect(change(CAROL, "open", tagged)).resolves.toContain("patched");
    const without = { spec: { builder: null } };
    await expect(change(DAVE, "open", without)).resolves.toContain("patched");
  });

  test("is no matter of labels, finalizers and createdBy", async () => {
    for (const patch of METADATA) {
      await expect(change(DAVE, "shared", patch)).resolves.toContain("patched");
    }
  });
});

describe("what came while no webhook ran", () => {
  let climbing: string;
  beforeAll(async () => {
    const team = version("theirs", {
      imageRepo: "registry.test/shared",
      imageTag: "v1",
      storage: inClaim("data"),
    });
    await answer(plane, team, ["create", "--namespace=team-b"]);
    await eventually("the other team's build begins", async () => {
      const theirs = await read<ModelVersion>(plane, "modelversion", "theirs", "team-b");
      return theirs?.status?.imageBuildPhase === "ImageBuilding";
    });
    await withoutWebhook();
    for (const [name, spec] of Object.entries({
      taker: { imageRepo: "registry.test/shared", imageTag: "v1" },
      host: { storage: onNode("/etc") },
      neighbour: { storage: onNode("/modelsecret") },
    })) {
      await eventually(`${name} is made`, async () => {
        return (await create(CAROL, version(name, spec))) === created(name);
      });
    }
    climbing = await create(CAROL, version("climber", { storage: onNode("/models/..//etc") }));
    modelhook = await startModelhook(plane, LIMITS);
  });

  test("climbs out of no path: the API server itself refuses that", () => {
    expect(climbing).toBe(
      invalid(
        "climber",
        `spec.storage.localStorage.path: Invalid value: "/models/..//etc": must be an absolute path below / without ".."`,
      ),
    );
  });

  test.each([
    [
      "another team's image is not overwritten",
      "taker",
      "TagTaken: registry.test/shared:v1 belongs to a ModelVersion of another namespace",
    ],
    [
      "no file of the host is read",
      "host",
      `PathNotAllowed: spec.storage.localStorage.path: "/etc" is not allowed: allowed are directories below /models`,
    ],
    [
      "nor one beside the prefix",
      "neighbour",
      `PathNotAllowed: spec.storage.localStorage.path: "/modelsecret" is not allowed: allowed are directories below /models`,
    ],
  ])("%s", async (_, name, message) => {
    await expect
      .poll(async () => (await live(name)).status, SOON)
      .toMatchObject({ imageBuildPhase: "ImageBuildFailed", message });
    const { uid } = (await live(name)).metadata;
    const made = await list<KubeObject>(
      plane,
      "jobs,pvc,pv",
      `model.kubedl.io/modelversion-uid=${uid}`,
    );
    expect(made).toEqual([]);
  });
});

function version(name: string, spec: object = {}, metadata: object = {}) {
  const storage = onNode("/models/a");
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name, ...metadata },
    spec: { modelName: "digits", imageRepo: `registry.test/${name}`, storage, ...spec },
  };
}

/** A ModelBinding that exports. */
function binding(name: string, parts: object = {}) {
  const exported = { modelName: "digits", imageRepo: "registry.test/digits", ...parts };
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelBinding",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: "train" } },
      export: { ...exported, storage: inClaim("none") },
    },
  };
}

function withSecret(name: string) {
  return { builder: { pushSecret: { name } } };
}

/** What the policy says. */
function mayNotGet(user: string, secret: string, field = "spec.builder.pushSecret.name"): string {
  return [
    "ValidatingAdmissionPolicy 'modelhook-push-secret' with binding 'modelhook-push-secret' denied request:",
    `${field}: user "${user}" may not get Secret "${secret}" in namespace "team-a";`,
    "name a Secret that this user may get, or none to push with the Secret regcred",
  ].join(" ");
}

function onNode(path: string): Storage {
  return { localStorage: { path, nodeName: "node-1" } };
}

function inClaim(claimName: string): Storage {
  return { persistentVolumeClaim: { claimName } };
}

function claim(name: string, namespace: string) {
  const metadata = { name, namespace };
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: claimSpec() };
}

function claimSpec(): object {
  return {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "",
  };
}

/** A role of team-a, and its binding to a user. */
function granted(user: string, rules: readonly object[], name = user): readonly object[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const apiGroup = "rbac.authorization.k8s.io";
  const metadata = { name, namespace: "team-a" };
  return [
    { apiVersion, kind: "Role", metadata, rules },
    {
      apiVersion,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup, kind: "Role", name },
      subjects: [{ apiGroup, kind: "User", name: user }],
    },
  ];
}

function secretRule(name: string): object {
  return { apiGroups: [""], resources: ["secrets"], resourceNames: [name], verbs: ["get"] };
}

async function apply(...objects: readonly object[]): Promise<void> {
  const items = { apiVersion: "v1", kind: "List", items: objects };
  await plane.kubectl(["apply", "--filename", "-"], JSON.stringify(items));
}

/** What the API server says to a user who makes an object. */
async function create(as: readonly string[], object: object, isDry = false): Promise<string> {
  return answer(plane, object, ["create", ...as, ...(isDry ? ["--dry-run=server"] : [])]);
}

/** Ends modelhook, and its registrations, which would refuse everything now. */
async function withoutWebhook(): Promise<void> {
  await modelhook.kill();
  const kinds = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
  await plane.kubectl(["delete", kinds, "modelhook"]);
  await eventually("nobody is called any more", async () => {
    return (await create(CAROL, version("probe"), true)) === `${created("probe")} (server dry run)`;
  });
}

async function change(
  as: readonly string[],
  name: string,
  patch: object,
  kind = "modelversion",
): Promise<string> {
  const flags = ["--type=merge", "--patch", JSON.stringify(patch)];
  return plane.kubectl(["patch", ...as, kind, name, ...flags]);
}

async function live(name: string): Promise<ModelVersion> {
  const found = await read<ModelVersion>(plane, "modelversion", name, "team-a");
  if (found === undefined) throw new Error(`there is no ModelVersion ${name}`);
  return found;
}

/** Name of the volume that was made to build a version, once it is bound. */
async function volumeOf(name: string): Promise<string> {
  const volume = buildVolumeName((await live(name)).metadata.uid ?? "");
  await eventually(`the volume of ${name} is bound`, async () => {
    return (await read<PersistentVolume>(plane, "pv", volume))?.status?.phase === "Bound";
  });
  return volume;
}

function created(name: string): string {
  return `modelversion.model.kubedl.io/${name} created`;
}

function forbidden(name: string, why: string, plural = "modelversions"): string {
  return `Error from server (Forbidden): error when creating "STDIN": ${plural}.model.kubedl.io "${name}" is forbidden: ${why}`;
}

function invalid(name: string, because: string): string {
  return `The ModelVersion "${name}" is invalid: ${because}`;
}
