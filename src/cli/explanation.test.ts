import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { frozen, type Draft, type Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob } from "../../test/make/job.ts";
import { makeModel } from "../../test/make/model.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import {
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { patched } from "../../test/make/patched.ts";
import { makePod, makeServingPod, makeTrainingPod, type MadePod } from "../../test/make/pod.ts";
import { makeEnabledNamespace, makeWorld } from "../../test/make/world.ts";
import { decidePod } from "../admission/pod.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import { explainPod } from "./explanation.ts";
import type { PodObserved, WebhookConfiguration } from "./pod-facts.ts";
import { snapshotIn, type World } from "./world.ts";

const NOW = 1_700_000_000_000;
const OWNER = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-7d9f", uid: "rs-1" };
const MODEL = { [ANNOTATIONS.model]: "mnist" };
const CONFIGURATION: WebhookConfiguration = {
  metadata: { name: "modelhook", creationTimestamp: "2026-11-01T00:00:00Z" },
  webhooks: ["pods", "bound-pods"].map((name) => ({
    name: `${name}.modelhook.kubedl.io`,
    failurePolicy: "Fail",
    namespaceSelector: {},
  })),
};

const configured = (webhook: object): WebhookConfiguration => ({
  ...CONFIGURATION,
  webhooks: [{ name: "pods.modelhook.kubedl.io", failurePolicy: "Fail", ...webhook }],
});

/** The pod as the webhook leaves it. */
function admitted(pod: Pod, world: World, owners: readonly KubeObject[] = []): Pod {
  const snapshot = { ...snapshotIn(world, "team-a", pod, NOW), owners };
  const decision = decidePod("team-a", pod, snapshot);
  if (!decision.allowed) throw new Error(decision.message);
  return patched(pod, decision.operations);
}

/** The pod of a ReplicaSet, some days after the webhook came. */
function owned(tweak: Tweak<MadePod> = () => {}): Pod {
  return makePod((pod) => {
    pod.metadata.name = "web-7d9f-x";
    pod.metadata.creationTimestamp = "2026-11-05T00:00:00Z";
    pod.metadata.ownerReferences = [{ ...OWNER, controller: true }];
    tweak(pod);
  });
}

function serving(annotations: Readonly<Record<string, string>>): Pod {
  return owned((pod) => void (pod.metadata.annotations = { ...annotations }));
}

/** The ReplicaSet whose template is as the pod asks. */
function replicaSet(pod: Pod): KubeObject {
  const { annotations, labels } = pod.metadata ?? {};
  const template = { metadata: { annotations, labels }, spec: makePod().spec };
  return {
    ...OWNER,
    metadata: {
      name: OWNER.name,
      uid: OWNER.uid,
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "d-1", controller: true },
      ],
    },
    spec: { template },
  } as KubeObject;
}

function explain(pod: Pod, tweak: Tweak<Draft<PodObserved>> = () => {}): readonly string[] {
  const observed = {
    now: NOW,
    pod,
    world: makeWorld(),
    owners: [],
    configuration: CONFIGURATION,
    unread: [],
  };
  return explainPod(frozen<Draft<PodObserved>>(observed, tweak));
}

const COPIED =
  "at /kubedl-model: copied by an init container (node node-1 has containerd 1.7.0, 2.2 is needed)";
const HAS_V1 = `ModelVersion mnist-v1, sha256:aaaaaaaaaaaa, ${COPIED}`;
const GATE = "the scheduling gate model.kubedl.io/build";
const UNSEEN =
  "its annotations were changed after it was made, or modelhook's webhooks were not there then";

const byVersion = serving({ [ANNOTATIONS.modelVersion]: "mnist-v1" });
const byModel = serving(MODEL);

const latest = (version: string): Model =>
  makeModel((model) => {
    model.status = { latestVersion: { modelVersion: version, imageName: "models/mnist:1" } };
  });
const first = makeWorld((world) => void (world.models = [latest("mnist-v1")]));
const second = makeWorld((world) => {
  const digest = `sha256:${"b".repeat(64)}`;
  const built = makeBuiltVersion((version) => {
    version.metadata = { ...version.metadata, name: "mnist-v2" };
    version.status = { ...version.status, digest };
  });
  world.versions = [makeBuiltVersion(), built];
  world.models = [latest("mnist-v2")];
});
const building = makeWorld((world) => {
  const started = {
    type: "Built",
    status: "False",
    reason: "BuildStarted",
    message: "pod mh-build-1-1 pulls its images",
    lastTransitionTime: "2026-11-05T00:00:00Z",
  } as const;
  world.versions = [
    makeModelVersion((version) => {
      const message = "attempt 2 of 5";
      version.status = { imageBuildPhase: "ImageBuilding", message, conditions: [started] };
    }),
  ];
});

/** What is said of the pod by its version, but for what it is and asks. */
function plain(tweak: Tweak<Draft<PodObserved>> = () => {}): readonly string[] {
  return explain(byVersion, tweak).filter((line) => !/^(?:Pod|Asks) /.test(line));
}

/** Nothing is known of what these resources hold. */
function unread(...resources: readonly string[]): Tweak<Draft<PodObserved>> {
  return (observed) => {
    observed.unread = resources.map((resource) => ({ resource, message: `no ${resource}` }));
    observed.world = makeWorld((made) => {
      made.versions = [];
      made.bindings = resources.includes("modelbindings") ? [] : [makeBinding()];
    });
  };
}

describe("of a pod that has its model, it is told", () => {
  test("which, where, how and why, and that a new one gets the same", () => {
    const lines = explain(admitted(byVersion, makeWorld()), (observed) => {
      observed.owners = [replicaSet(byVersion)];
    });
    expect(lines).toEqual([
      "Pod   team-a/web-7d9f-x, made by ReplicaSet web-7d9f of Deployment web",
      "Asks  for ModelVersion mnist-v1, by its annotations",
      `Has   ${HAS_V1}`,
      "Next  a new pod of ReplicaSet web-7d9f would get the same",
    ]);
  });

  test("each of several", () => {
    const models = [
      { modelVersion: "mnist-v1", mountPath: "/a" },
      { model: "mnist", mountPath: "/b" },
    ];
    const pod = serving({ [ANNOTATIONS.models]: JSON.stringify(models) });
    const lines = explain(admitted(pod, first), (observed) => void (observed.world = first));
    expect(lines).toEqual([
      "Pod   team-a/web-7d9f-x, made by ReplicaSet web-7d9f",
      "Asks  for ModelVersion mnist-v1 at /a and the latest version of Model mnist at /b, by its annotations",
      `Has   ${HAS_V1.replace("/kubedl-model", "/a")}`,
      `Has   ${HAS_V1.replace("/kubedl-model", "/b")}`,
      "Next  a new pod of ReplicaSet web-7d9f would get the same",
    ]);
  });

  test("an image volume", () => {
    const world = makeWorld((made) => void (made.nodes = [makeNode()]));
    const [, , has] = explain(
      admitted(byVersion, world),
      (observed) => void (observed.world = world),
    );
    expect(has).toBe(
      "Has   ModelVersion mnist-v1, sha256:aaaaaaaaaaaa, at /kubedl-model: mounted as an image volume (every node that the pod can go to mounts it)",
    );
  });

  test("the ModelBinding that asked when it was made, and does not any more", () => {
    const bound = makeWorld((made) => {
      made.bindings = [makeBinding()];
      made.namespaces = [makeEnabledNamespace()];
    });
    const pod = owned(({ metadata }) => void (metadata.labels = { app: "web" }));
    expect(explain(admitted(pod, bound)).slice(1, 4)).toEqual([
      "Asks  for nothing: it has no annotation that names a model, and no ModelBinding selects it",
      "      ModelBinding web did when it was made",
      "      namespace team-a has no ModelBinding",
    ]);
  });

  test("the ModelBinding that asked", () => {
    const world = makeWorld((made) => {
      made.bindings = [makeBinding()];
      made.namespaces = [makeEnabledNamespace()];
    });
    const pod = owned(({ metadata }) => void (metadata.labels = { app: "web" }));
    const [, asks] = explain(admitted(pod, world), (observed) => void (observed.world = world));
    expect(asks).toBe("Asks  for ModelVersion mnist-v1, by ModelBinding web");
  });

  test("a newer version, and that its siblings keep theirs", () => {
    const pod = admitted(byModel, first);
    const lines = explain(pod, (observed) => {
      observed.world = { ...second, served: [pod] };
      observed.owners = [replicaSet(byModel)];
    });
    expect(lines.slice(3)).toEqual([
      "Since  the latest version of Model mnist is ModelVersion mnist-v2 now; pods that ReplicaSet web-7d9f makes from this template keep mnist-v1 until the next rollout",
      "Next   a new pod of ReplicaSet web-7d9f would get the same",
    ]);
  });

  test("a newer version, which a pod of nobody gets when it is made anew", () => {
    const bare = makePod((pod) => void (pod.metadata.annotations = { ...MODEL }));
    const lines = explain(admitted(bare, first), (observed) => void (observed.world = second));
    expect(lines.slice(3)).toEqual([
      "Since  the latest version of Model mnist is ModelVersion mnist-v2 now; a new pod gets that one",
      `Next   a new pod like it would get ModelVersion mnist-v2, sha256:bbbbbbbbbbbb, ${COPIED}`,
    ]);
  });

  test.each<[what: string, world: World, since: string]>([
    [
      "that its version is not the latest",
      second,
      "the latest version of Model mnist is ModelVersion mnist-v2; the pod asks for its version by name",
    ],
    [
      "that its version is gone",
      makeWorld((world) => void (world.versions = [])),
      "ModelVersion mnist-v1 is gone; the pod keeps what it has",
    ],
    [
      "that its version was made anew",
      makeWorld((world) => {
        const digest = `sha256:${"c".repeat(64)}`;
        world.versions = [
          makeBuiltVersion((version) => void (version.status = { ...version.status, digest })),
        ];
      }),
      "ModelVersion mnist-v1 was made anew, and its image is sha256:cccccccccccc now",
    ],
    [
      "that its version was made anew and is not built yet",
      building,
      "ModelVersion mnist-v1 was made anew, and its image is not built yet",
    ],
  ])("%s", (_what, world, since) => {
    const lines = explain(admitted(byVersion, makeWorld()), (observed) => {
      observed.world = world;
    });
    expect(lines).toContain(`Since  ${since}`);
  });
});

describe("where the spec differs from what is recorded, it is told", () => {
  const given = admitted(byVersion, makeWorld());
  const changed = (change: (pod: MadePod) => void): Pod => {
    const pod = structuredClone(given) as MadePod;
    change(pod);
    return pod;
  };
  test.each<[what: string, pod: Pod, but: readonly string[]]>([
    [
      "another image",
      changed(({ spec }) => {
        const [loader] = spec.initContainers ?? [];
        if (loader !== undefined) loader.image = "registry.example/models/mnist@sha256:0";
      }),
      [
        "its spec has registry.example/models/mnist@sha256:0 for ModelVersion mnist-v1, another image than recorded",
      ],
    ],
    [
      "no image",
      changed(({ spec }) => void (spec.initContainers = [])),
      ["nothing in its spec holds ModelVersion mnist-v1; somebody removed it"],
    ],
    [
      "no mount",
      changed(({ spec }) => void (spec.containers[0].volumeMounts = [])),
      ["no container mounts ModelVersion mnist-v1 at /kubedl-model"],
    ],
    [
      "another way of delivery",
      changed(({ metadata }) => {
        const text = metadata.annotations?.[ANNOTATIONS.status] ?? "";
        const status = text.replace('"copy"', '"image-volume"');
        metadata.annotations = { ...metadata.annotations, [ANNOTATIONS.status]: status };
      }),
      ["its spec delivers ModelVersion mnist-v1 by copy, and image-volume is recorded"],
    ],
    [
      "a record that says nothing",
      changed(({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, [ANNOTATIONS.status]: "spoilt" };
      }),
      ["its annotation model.kubedl.io/status says nothing of it: somebody changed it"],
    ],
  ])("%s", (_what, pod, but) => {
    const found = explain(pod).filter((line) => line.startsWith("But"));
    expect(found).toEqual(but.map((text) => `But   ${text}`));
  });
});

describe("of a pod that waits, it is told", () => {
  const gated = admitted(byVersion, building);

  test("for what, and where its build stands", () => {
    expect(explain(gated, (observed) => void (observed.world = building))).toEqual([
      "Pod    team-a/web-7d9f-x, made by ReplicaSet web-7d9f",
      "Asks   for ModelVersion mnist-v1, by its annotations",
      "Has    a place for ModelVersion mnist-v1 at /kubedl-model, still empty",
      `Waits  ModelVersion mnist-v1 is not built yet; the pod waits behind ${GATE}`,
      "       ModelVersion mnist-v1: ImageBuilding; attempt 2 of 5",
      "       Built is False (BuildStarted): pod mh-build-1-1 pulls its images",
      "Next   a new pod of ReplicaSet web-7d9f would get the same",
    ]);
  });

  test.each<[what: string, world: World, lines: readonly string[]]>([
    [
      "that the build failed, and how to begin it again",
      makeWorld((world) => void (world.versions = [makeFailedVersion()])),
      [
        `Waits  behind ${GATE}: the build of ModelVersion mnist-v1 failed: the directory is empty`,
        "       any new value of the version's annotation model.kubedl.io/retry builds it again",
      ],
    ],
    [
      "that the build has ended by now",
      makeWorld(),
      [
        `Waits  behind ${GATE} for ModelVersion mnist-v1, which is built; the gate goes within seconds, and if it does not, the log of modelhook's leader tells why`,
      ],
    ],
    [
      "that nobody has the version, and which is meant",
      makeWorld((world) => void (world.versions = [namedVersion("mnist-v11", 1)])),
      [
        `Waits  ModelVersion mnist-v1 does not exist; the pod waits behind ${GATE}; did you mean mnist-v11?`,
      ],
    ],
  ])("%s", (_what, world, expected) => {
    const lines = explain(gated, (observed) => void (observed.world = world));
    expect(lines.slice(3, -1)).toEqual(expected);
  });

  test("that others hold it back, too", () => {
    const pod = structuredClone(gated);
    pod.spec?.schedulingGates?.push({ name: "example.com/quota" });
    expect(explain(pod)).toContain(
      "Waits  behind the scheduling gate example.com/quota, which is not modelhook's",
    );
  });

  test("that its gate is nobody's word any more", () => {
    const pod = structuredClone(gated);
    delete pod.metadata?.annotations?.[ANNOTATIONS.status];
    expect(explain(pod)).toContain(
      `Waits  behind ${GATE}, and its annotations do not say for what; delete it, so that it is made anew`,
    );
  });

  test("what the kubelet says of its loader", () => {
    const pod = structuredClone(admitted(byVersion, makeWorld()));
    const waiting = { reason: "ImagePullBackOff", message: "not found" };
    const status = { name: "kubedl-model-loader", state: { waiting } };
    pod.status = { phase: "Pending", initContainerStatuses: [status as never] };
    expect(explain(pod)).toContain(
      "Waits  init container kubedl-model-loader: ImagePullBackOff: not found",
    );
  });
});

describe("of a pod that nobody asked for, it is told", () => {
  const pod = owned(({ metadata }) => void (metadata.labels = { app: "webb", tier: "c" }));
  const asks =
    "Asks  for nothing: it has no annotation that names a model, and no ModelBinding selects it";

  test("that there is no binding either", () => {
    expect(explain(pod)).toEqual([
      "Pod   team-a/web-7d9f-x, made by ReplicaSet web-7d9f",
      asks,
      "      namespace team-a has no ModelBinding",
      "Next  a new pod of ReplicaSet web-7d9f would be left as it is",
    ]);
  });

  test("why each binding does not select it, the nearest first", () => {
    const other = makeBinding(({ metadata, spec }) => {
      metadata.name = "other";
      spec.selector = {
        matchLabels: { role: "a" },
        matchExpressions: [{ key: "tier", operator: "In", values: ["a", "b"] }],
      };
    });
    const world = makeWorld((made) => {
      made.bindings = [other, makeBinding()];
      made.namespaces = [makeEnabledNamespace()];
    });
    expect(explain(pod, (observed) => void (observed.world = world)).slice(1, -1)).toEqual([
      asks,
      "      ModelBinding web does not select it: it wants app=web, and the pod has app=webb",
      "      ModelBinding other does not select it: it wants role=a, and the pod has no label role; it wants tier to be one of a, b, and the pod has tier=c",
    ]);
  });

  test("that the namespace lets no binding take effect", () => {
    const bound = owned(({ metadata }) => void (metadata.labels = { app: "web" }));
    const world = makeWorld((made) => void (made.bindings = [makeBinding()]));
    expect(explain(bound, (observed) => void (observed.world = world)).slice(1, -1)).toEqual([
      asks,
      "      no ModelBinding is in effect: namespace team-a has no label model.kubedl.io/injection=enabled",
      "      ModelBinding web would select it",
    ]);
  });

  test("that the annotation stands on its owner, where it has no effect", () => {
    const owner = { ...replicaSet(pod), metadata: byVersion.metadata };
    expect(explain(pod, (observed) => void (observed.owners = [owner as KubeObject]))).toContain(
      "      ReplicaSet web-7d9f-x: metadata.annotations[model.kubedl.io/model-version]: has no effect on a ReplicaSet; set it in spec.template.metadata.annotations",
    );
  });

  test("that it opted out", () => {
    const out = serving({ [ANNOTATIONS.inject]: "false" });
    expect(explain(out).slice(1)).toEqual([
      'Asks  for nothing: its annotation model.kubedl.io/inject is "false"',
      "Next  a new pod of ReplicaSet web-7d9f would be left as it is",
    ]);
  });
});

describe("a pod that modelhook never touches is told so:", () => {
  test.each<[what: string, tweak: Tweak<MadePod>, text: string]>([
    [
      "of the control plane",
      ({ metadata }) => void (metadata.namespace = "kube-system"),
      "modelhook never touches the pods of namespace kube-system",
    ],
    [
      "of its own namespace",
      ({ metadata }) => void (metadata.namespace = "modelhook-system"),
      "modelhook never touches the pods of namespace modelhook-system",
    ],
    [
      "static",
      ({ metadata }) => void (metadata.annotations = { "kubernetes.io/config.mirror": "x" }),
      "modelhook never touches static pods, which a kubelet runs from a file",
    ],
    [
      "of a build",
      ({ metadata }) => void (metadata.labels = { "model.kubedl.io/modelversion-uid": "1" }),
      "modelhook never touches pods that build a version: it has the label model.kubedl.io/modelversion-uid",
    ],
  ])("%s", (_what, tweak, text) => {
    expect(explain(makeServingPod(tweak)).slice(1)).toEqual([`Left alone  ${text}`]);
  });
});

test("of a Windows pod it is told that it can not be given a model", () => {
  const pod = makeServingPod(({ spec }) => void (spec.os = { name: "windows" }));
  expect(explain(pod).slice(2)).toEqual([
    "Next  a new pod like it would be left as it is",
    "      a Windows pod can not be given a model; left as it is",
  ]);
});

describe("of a pod that asks and has nothing, it is told", () => {
  test("that it was made without, what may be the cause, and what to do", () => {
    expect(plain()).toEqual([
      "Missed  it was made without that, and nothing changes a pod that is there",
      `        ${UNSEEN}`,
      "Do      delete it, so that ReplicaSet web-7d9f makes it anew",
      `Next    a new pod of ReplicaSet web-7d9f would get ${HAS_V1}`,
    ]);
  });

  test.each<[what: string, tweak: Tweak<Draft<PodObserved>>, cause: string]>([
    [
      "that there is no webhook",
      (observed) => void (observed.configuration = "absent"),
      "there is no MutatingWebhookConfiguration modelhook: modelhook is not installed, or has never been ready",
    ],
    [
      "that it is older than the webhook",
      (observed) => {
        const metadata = { creationTimestamp: "2026-11-06T00:00:00Z" };
        observed.configuration = { ...CONFIGURATION, metadata };
      },
      "it is older than the MutatingWebhookConfiguration modelhook: 2026-11-05T00:00:00Z and 2026-11-06T00:00:00Z",
    ],
    [
      "that the webhook leaves out its namespace",
      (observed) => {
        const namespaceSelector = { matchLabels: { models: "yes" } };
        observed.configuration = configured({ namespaceSelector });
        observed.world = makeWorld((made) => void (made.namespaces = [makeEnabledNamespace()]));
      },
      "the namespaceSelector of pods.modelhook.kubedl.io leaves out namespace team-a",
    ],
    [
      "that the webhook may be passed by",
      (observed) => void (observed.configuration = configured({ failurePolicy: "Ignore" })),
      "the failurePolicy of pods.modelhook.kubedl.io is Ignore: while modelhook does not answer, pods are made without it",
    ],
    [
      "that the webhook for pods was removed",
      (observed) => void (observed.configuration = { ...CONFIGURATION, webhooks: [] }),
      "the MutatingWebhookConfiguration modelhook has no webhook for such pods",
    ],
  ])("%s", (_what, tweak, cause) => {
    expect(plain(tweak)[1]).toBe(`        ${cause}`);
  });

  test("that it is older than the binding that asks", () => {
    const pod = owned(({ metadata }) => void (metadata.labels = { app: "web" }));
    const binding = makeBinding(({ metadata }) => {
      metadata.creationTimestamp = "2026-11-06T00:00:00Z";
    });
    const world = makeWorld((made) => {
      made.bindings = [binding];
      made.namespaces = [makeEnabledNamespace()];
    });
    expect(explain(pod, (observed) => void (observed.world = world))[3]).toBe(
      "        it is older than ModelBinding web: 2026-11-05T00:00:00Z and 2026-11-06T00:00:00Z",
    );
  });

  test("that deleting it now would exchange it for one that waits", () => {
    expect(plain((observed) => void (observed.world = building))).toContain(
      "Do      once the model is built, delete it, so that ReplicaSet web-7d9f makes it anew",
    );
  });

  test("that deleting it now would end in a denial", () => {
    const pod = serving({ [ANNOTATIONS.modelVersion]: "mnist-v1", [ANNOTATIONS.delivery]: "link" });
    const fault =
      'metadata.annotations[model.kubedl.io/delivery]: "link" is not allowed; allowed: auto, copy, image-volume';
    expect(explain(pod).slice(1)).toEqual([
      "Asks    in a way that can not be followed:",
      `        ${fault}`,
      "Missed  it was made without that, and nothing changes a pod that is there",
      `        ${UNSEEN}`,
      "Do      set right why a new one would be denied, then delete it, so that ReplicaSet web-7d9f makes it anew",
      `Next    a new pod of ReplicaSet web-7d9f would be denied: ${fault}`,
    ]);
  });
});

describe("of a pod that exports, it is told", () => {
  const train = makeHeldJob();
  const explainOwned = (pod: Pod): readonly string[] =>
    explain(pod, (observed) => void (observed.owners = [train]));
  const asks =
    "to export a version of Model mnist to registry.example/models/mnist, by its annotation model.kubedl.io/export";

  test("where it writes, and that it waits for the storage", () => {
    expect(explainOwned(admitted(makeTrainingPod(), makeWorld(), [train])).slice(1)).toEqual([
      `Asks   ${asks}`,
      expect.stringMatching(/^Has {4}claim \S+ at \/kubedl-model, to write the model to$/),
      "Waits  behind the scheduling gate model.kubedl.io/export until its storage is ready; its Events tell what hinders that",
      "Next   a new pod of Job train would get a place to write its model to",
    ]);
  });

  test("that another pod of its job writes the model", () => {
    const pod = makeTrainingPod(({ metadata }) => {
      metadata.annotations = {
        ...metadata.annotations,
        "batch.kubernetes.io/job-completion-index": "1",
      };
    });
    expect(explainOwned(admitted(pod, makeWorld(), [train]))[2]).toBe(
      "Has    scratch space at /kubedl-model: another pod of its job writes the model",
    );
  });

  test("that it has no place to write to, and what to do", () => {
    expect(explainOwned(makeTrainingPod()).slice(1)).toEqual([
      `Asks    ${asks}`,
      "Missed  it was made without that, and nothing changes a pod that is there",
      `        ${UNSEEN}`,
      "Do      delete Job train and make it anew: what this pod writes is not kept",
      "Next    a new pod of Job train would get a place to write its model to",
    ]);
  });
});

describe("of a pod that exports, and whose job is not there, it is told", () => {
  test("that a new pod would be denied", () => {
    expect(nextOfTraining(() => {})).toEqual([
      "Next    a new pod of Job train would be denied: metadata.annotations[model.kubedl.io/export]: the pod belongs to the Job train, which does not exist",
    ]);
  });

  test("nothing of a new pod, where the job could not be read", () => {
    expect(nextOfTraining(unread("jobs"))).toEqual([]);
  });
});

test("what a binding exports is told with its name", () => {
  const pod = makeTrainingPod(({ metadata }) => {
    metadata.annotations = {};
    metadata.labels = { app: "web" };
  });
  const lines = explain(pod, (observed) => {
    observed.owners = [makeHeldJob((job) => void (job.spec.template.metadata.annotations = {}))];
    observed.world = makeWorld((world) => {
      world.namespaces = [makeEnabledNamespace()];
      world.bindings = [
        makeBinding(({ spec }) => {
          delete spec.serve;
          spec.export = makeExport();
        }),
      ];
    });
  });
  expect(lines[1]).toBe(
    "Asks    to export a version of Model mnist to registry.example/models/mnist, by ModelBinding web",
  );
});

test("what could not be read is said at the end", () => {
  const lines = explain(byVersion, (observed) => {
    observed.unread = [{ resource: "nodes", message: "nodes can not be read (forbidden): no" }];
    observed.world = makeWorld((made) => void (made.nodes = undefined));
  });
  expect(lines.slice(-2)).toEqual([
    "Next    a new pod of ReplicaSet web-7d9f would get ModelVersion mnist-v1, sha256:aaaaaaaaaaaa, at /kubedl-model: copied by an init container (the nodes are not known)",
    "Unread  nodes can not be read (forbidden): no",
  ]);
});

describe("what could not be read is no ground to say that it is not there:", () => {
  test("a version", () => {
    expect(explain(admitted(byVersion, makeWorld()), unread("modelversions")).slice(2)).toEqual([
      `Has     ${HAS_V1}`,
      "Unread  no modelversions",
    ]);
  });

  test("a version that is waited for", () => {
    expect(explain(admitted(byVersion, building), unread("modelversions")).slice(3)).toEqual([
      `Waits   behind ${GATE} for ModelVersion mnist-v1`,
      "Unread  no modelversions",
    ]);
  });

  test("a binding", () => {
    expect(explain(owned(), unread("modelbindings")).slice(1)).toEqual([
      "Asks    for nothing: it has no annotation that names a model, and no ModelBinding selects it",
      "Unread  no modelbindings",
    ]);
  });

  test("the label of a namespace", () => {
    expect(explain(owned(), unread("namespaces"))[2]).toBe(
      "        ModelBindings are in effect if namespace team-a has the label model.kubedl.io/injection=enabled",
    );
  });
});

/** What a new pod of a Job that exports would get. */
function nextOfTraining(tweak: Tweak<Draft<PodObserved>>): readonly string[] {
  return explain(makeTrainingPod(), tweak).filter((line) => line.startsWith("Next"));
}
