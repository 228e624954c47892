import type { Snapshot } from "../../src/admission/snapshot.ts";
import { EXPORT_RECORD } from "../../src/api/annotations.ts";
import { printExportRecord } from "../../src/api/export-record.ts";
import type { KubeObject, Node } from "../../src/api/kube-types.ts";
import type { ModelBinding } from "../../src/api/modelbinding.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { trainingClaimName } from "../../src/api/names.ts";
import { makeExport } from "../make/export.ts";
import type { Draft, Tweak } from "../make/frozen.ts";
import { makeHeldJob } from "../make/job.ts";
import { JOB_EXAMPLES, exampleJob, type JobExample } from "../make/job-examples.ts";
import { makeModel } from "../make/model.ts";
import { makeBinding } from "../make/modelbinding.ts";
import {
  leavingVersion,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "../make/modelversion.ts";
import { makeNode } from "../make/node.ts";
import { JOB_UID, makeUsingPod } from "../make/pod.ts";
import { makeSnapshot } from "../make/snapshot.ts";
import { makeStoredVersion } from "../make/stored.ts";

/** Versions that reviews name; one of them means something to JavaScript. */
export const VERSION_NAMES = ["mnist-v1", "mnist-v2", "mnist-v3", "constructor", "a.b-c"] as const;

/** The states of a version that a pod may find. */
const STATES: readonly ModelVersion[] = [
  makeBuiltVersion(),
  makeModelVersion(),
  makeFailedVersion(),
  leavingVersion(makeBuiltVersion()),
  makeStoredVersion(undefined),
  makeBuiltVersion((version) => void (version.status = { imageBuildPhase: "ImageBuildSucceeded" })),
  makeBuiltVersion((version) => void (version.status = { ...version.status, shell: false })),
  makeBuiltVersion((version) => {
    version.spec = { ...version.spec, builder: { pushSecret: { name: "push" } } };
    version.status = { ...version.status, size: 2 ** 45, files: 10_000_000 };
  }),
];

/** Nodes that mount image volumes, that do not, one of each, and many. */
const NODES: readonly (readonly Node[])[] = [
  [makeNode()],
  [makeOldNode()],
  [makeNode(), makeOldNode()],
  Array.from({ length: 200 }, () => makeNode()),
];

/** A Model whose versions are these. */
const MODEL = makeModel((model) => {
  model.spec = { aliases: { prod: "mnist-v1", canary: "mnist-v2", lost: "mnist-v9" } };
  model.status = {
    latestVersion: { modelVersion: "mnist-v3", imageName: "registry.example/m:v3" },
  };
});

/** Bindings that select some of the pods, by one label or by several conditions. */
const BINDINGS: readonly ModelBinding[] = [
  makeBinding(),
  makeBinding((binding) => {
    binding.metadata = { ...binding.metadata, name: "named" };
    binding.spec = {
      selector: { matchExpressions: [{ key: "app", operator: "Exists" }] },
      serve: { model: "mnist", alias: "prod", mountPath: "/models", delivery: "image-volume" },
    };
  }),
  makeBinding((binding) => {
    binding.metadata = { ...binding.metadata, name: "trains" };
    binding.spec = { selector: { matchLabels: { app: "train" } }, export: makeExport() };
  }),
];

/** What may stand above a pod that exports: its Job, that and another, one that was let go, others, and nothing. */
const OWNERS: readonly (readonly KubeObject[])[] = [
  [makeHeldJob()],
  [makeHeldJob(), exampleJob(exampleOf("JobSet"), {})],
  [exampleJob(exampleOf("TFJob"), {})],
  [
    makeHeldJob(({ metadata }) => {
      const claim = trainingClaimName("team-a", JOB_UID, "local:node-1:/models/mnist");
      metadata.annotations = { [EXPORT_RECORD]: printExportRecord({ uid: JOB_UID, claim }) };
    }),
  ],
  [],
];

/** What may be known: nothing, all versions in one state, and each in another, with all else that a decision may be told. */
export function makeSnapshots(): readonly Snapshot[] {
  return [
    makeSnapshot(),
    ...STATES.map((_, index) => makeSnapshot(versionsIn(index, 0), knowMore(index))),
    ...STATES.map((_, index) => makeSnapshot(versionsIn(index, 1), knowMore(index + 1))),
    makeSnapshot(versionsIn(1, 1), (snapshot) => {
      const many = Array.from({ length: 500 }, (_, index) => `mnist-${index}`);
      snapshot.versionsOfModel = many;
      snapshot.versionNames = many;
      snapshot.modelNames = many;
      snapshot.use = { namespaceEnds: false, pods: many.map(() => makeUsingPod()) };
    }),
  ];
}

/** The versions, the first in a state, each of the others so many states further. */
function versionsIn(state: number, shift: number): readonly ModelVersion[] {
  return VERSION_NAMES.map((name, index) =>
    namedVersion(name, 1 + index, STATES[(state + shift * index) % STATES.length]),
  );
}

function knowMore(index: number): Tweak<Draft<Snapshot>> {
  return (snapshot) => {
    snapshot.models = { mnist: MODEL, constructor: MODEL };
    snapshot.modelNames = ["mnist", "constructor"];
    snapshot.nodes = NODES[index % (NODES.length + 1)];
    snapshot.bindings = index % 2 === 0 ? BINDINGS : [];
    snapshot.injectionEnabled = index % 2 === 0;
    snapshot.owners = OWNERS[index % OWNERS.length] ?? [];
    snapshot.siblings = index % 3 === 0 ? [makeUsingPod()] : [];
    snapshot.imageRivals = versionsIn(0, 0);
    snapshot.versionsOfModel = [...VERSION_NAMES];
    snapshot.use = { namespaceEnds: index === 1, pods: [makeUsingPod()] };
    if (index === 0) return;
    snapshot.standby = index % 2 === 0;
    snapshot.missing = { claim: "models", node: "node-1" };
  };
}

function exampleOf(kind: string): JobExample {
  const example = JOB_EXAMPLES.find((each) => each.kind === kind);
  if (example === undefined) throw new Error(`${kind} has no example`);
  return example;
}

function makeOldNode(): Node {
  return makeNode((node) => {
    node.metadata.name = "node-2";
    node.status.nodeInfo.containerRuntimeVersion = "containerd://1.7.0";
    node.spec.taints = [{ key: "gpu", effect: "NoSchedule" }];
  });
}
