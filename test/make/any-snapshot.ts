import * as fc from "fast-check";
import type { Snapshot } from "../../src/admission/snapshot.ts";
import type { Pod } from "../../src/api/kube-types.ts";
import type { Model } from "../../src/api/model.ts";
import type { ModelBinding } from "../../src/api/modelbinding.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { makeModel } from "./model.ts";
import { makeBinding } from "./modelbinding.ts";
import {
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "./modelversion.ts";
import { makeNode } from "./node.ts";
import { makeUsingPod } from "./pod.ts";
import { makePolicy, makeSnapshot } from "./snapshot.ts";

/** What may have become of a version, by the names that `anyAskingPod` asks for. */
const STATES: readonly ((name: string, modelName: string) => ModelVersion)[] = [
  (name, modelName) => named(name, modelName, makeBuiltVersion()),
  (name, modelName) => named(name, modelName, makeModelVersion()),
  (name, modelName) => named(name, modelName, makeFailedVersion()),
  // Built by another controller.
  (name, modelName) =>
    named(
      name,
      modelName,
      makeBuiltVersion(({ status }) => void delete status?.digest),
    ),
  (name, modelName) =>
    named(
      name,
      modelName,
      makeBuiltVersion((version) => {
        version.status = { ...version.status, shell: false };
        version.spec = { ...version.spec, builder: { pushSecret: { name: "pull" } } };
      }),
    ),
  // Stored before our rules.
  (name) => {
    const { spec: _, ...version } = namedVersion(name, 1);
    return version as ModelVersion;
  },
];

/** Built in most cases. */
const anyState = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...STATES.slice(0, 1)) },
  { weight: 1, arbitrary: fc.constantFrom(...STATES) },
);

const anyVersions = fc
  .record(
    {
      "mnist-v1": anyState,
      "mnist-v2": anyState,
      "mnist-v3": anyState,
      "bert-v1": anyState,
    },
    { requiredKeys: ["mnist-v1", "mnist-v2"], noNullPrototype: true },
  )
  .map((states) =>
    Object.entries(states).map(([name, state]) => state(name, name.replace(/-.*/, ""))),
  );

const anyModels = fc.subarray(["mnist", "bert"]).chain((names) =>
  fc
    .record({ latest: fc.constantFrom("mnist-v1", "mnist-v2", "bert-v1", undefined) })
    .map(({ latest }) =>
      Object.fromEntries(
        names.map((name): [string, Model] => [
          name,
          makeModel((model) => {
            model.metadata = { ...model.metadata, name };
            const aliases = { production: `${name}-v1`, pending: `${name}-v3`, foreign: "bert-v1" };
            model.spec = { aliases };
            if (latest === undefined) return;
            model.status = { latestVersion: { modelVersion: latest, imageName: "r/a:1" } };
          }),
        ]),
      ),
    ),
);

const BINDINGS: readonly ModelBinding[] = [
  makeBinding(),
  makeBinding(({ metadata, spec }) => {
    metadata.name = "older";
    metadata.creationTimestamp = "2026-10-01T00:00:00Z";
    spec.serve = {
      model: "mnist",
      alias: "production",
      mountPath: "/bound",
      containers: ["server"],
    };
  }),
  makeBinding(({ metadata, spec }) => {
    metadata.name = "volume";
    metadata.creationTimestamp = "2026-09-01T00:00:00Z";
    spec.serve = { modelVersion: "mnist-v2", delivery: "image-volume" };
  }),
  makeBinding(({ metadata, spec }) => {
    metadata.name = "empty";
    metadata.creationTimestamp = "2026-08-01T00:00:00Z";
    spec.serve = {};
  }),
];

const NODES = [
  makeNode(),
  makeNode((node) => void (node.status.nodeInfo.kubeletVersion = "v1.34.2")),
  makeNode((node) => {
    node.metadata.name = "node-2";
    node.spec = { taints: [{ key: "gpu", effect: "NoSchedule" }] };
  }),
];

const SIBLINGS: readonly Pod[] = ["mnist-v1", "mnist-v2", "bert-v1", "gone"].map((modelVersion) =>
  makeUsingPod(() => {}, { wanted: { model: "mnist" }, modelVersion }),
);

/** What a decision may see of a namespace: versions in any state, Models, bindings, siblings and nodes, each there or not. */
export const anySnapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    versions: anyVersions,
    models: anyModels,
    bindings: fc.subarray([...BINDINGS]),
    siblings: fc.subarray([...SIBLINGS]),
    nodes: fc.oneof(fc.subarray(NODES), fc.constant(undefined)),
    baseImages: fc.constantFrom(["registry.example/busybox:1"], ["scratch"], []),
  })
  .map(({ versions, models, bindings, siblings, nodes, baseImages }) =>
    makeSnapshot(versions, (snapshot) => {
      const policy = makePolicy((each) => void (each.baseImages = baseImages));
      Object.assign(snapshot, {
        models,
        bindings,
        siblings,
        nodes,
        policy,
        injectionEnabled: true,
      });
      snapshot.modelNames = Object.keys(models);
    }),
  );

function named(name: string, modelName: string, of: ModelVersion): ModelVersion {
  return namedVersion(name, 1, { ...of, spec: { ...of.spec, modelName } });
}
