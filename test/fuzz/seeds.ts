import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Snapshot } from "../../src/admission/snapshot.ts";
import { ANNOTATIONS } from "../../src/api/annotations.ts";
import type { AdmissionRequest } from "../../src/api/review.ts";
import { WORKLOADS } from "../../src/jobs/workloads.ts";
import { makeExport } from "../make/export.ts";
import { makeExportingJob, makeHeldJob } from "../make/job.ts";
import { JOB_EXAMPLES, exampleJob } from "../make/job-examples.ts";
import { makeModel } from "../make/model.ts";
import { makeBuiltVersion, makeModelVersion } from "../make/modelversion.ts";
import {
  makeGatedPod,
  makePod,
  makeServingPod,
  makeTrainingPod,
  makeUsingPod,
} from "../make/pod.ts";
import { makeDeletion, makeRequest, makeUpdate } from "../make/request.ts";
import { makeSnapshot } from "../make/snapshot.ts";
import { makeTemplate, makeWorkload } from "../make/workload.ts";
import { makeSnapshots } from "./snapshots.ts";
import { pathsOf, valueAt, type Path } from "./tree.ts";

/** A review as it should be, from which others are made. */
export interface Seed {
  readonly name: string;
  readonly review: object;
  /** Index of the snapshot that it was written for. */
  readonly snapshot: number;
  /** Paths to all that is in the review. */
  readonly paths: readonly Path[];
  /** Of these, those in the object. */
  readonly inObject: readonly Path[];
  /** Of these, those to a text. */
  readonly texts: readonly Path[];
  /** To the pods of the object: itself, or its templates. */
  readonly pods: readonly Path[];
}

/** What reviews are made of. */
export interface Corpus {
  readonly seeds: readonly Seed[];
  readonly snapshots: readonly Snapshot[];
}

const GOLDEN = join(import.meta.dirname, "../golden/admission");

/** The golden cases, whatever there are, and what the tests make, with the snapshots of both. */
export function readCorpus(): Corpus {
  const names = readdirSync(GOLDEN).toSorted();
  const golden = names.map((name, index) => seedOf(name, read(name, "review.json"), index));
  const known = names.map((name) =>
    // What older cases do not know of is what the maker says.
    makeSnapshot([], (snapshot) => {
      const { policy, ...others } = read(name, "snapshot.json") as Snapshot;
      Object.assign(snapshot, others, { policy: { ...snapshot.policy, ...policy } });
    }),
  );
  const made = Object.entries(madeRequests()).map(([name, request]) => {
    const review = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request };
    // The first that has versions: all are built.
    return seedOf(name, review, names.length + 1);
  });
  return { seeds: [...golden, ...made], snapshots: [...known, ...makeSnapshots()] };
}

function read(name: string, file: string): object {
  return JSON.parse(readFileSync(join(GOLDEN, name, file), "utf8")) as object;
}

function seedOf(name: string, review: object, snapshot: number): Seed {
  const paths = pathsOf(review);
  const inObject = paths.filter((path) => path[0] === "request" && path[1] === "object");
  return {
    name,
    review,
    snapshot,
    paths,
    inObject,
    texts: inObject.filter((path) => typeof valueAt(review, path) === "string"),
    pods: inObject
      .filter((path) => path.at(-1) === "containers" && path.at(-2) === "spec")
      .map((path) => path.slice(0, -2)),
  };
}

function madeRequests(): Readonly<Record<string, AdmissionRequest>> {
  const version = makeModelVersion();
  const built = makeBuiltVersion();
  const annotated = makeBuiltVersion((each) => void (each.metadata.labels = { team: "a" }));
  const model = makeModel((each) => void (each.spec = { aliases: { prod: "mnist-v1" } }));
  // One of them serves, the next trains: to read an export takes long, and all kinds are read by the same code.
  const workloads = WORKLOADS.map((row, index) => {
    const says =
      index % 2 === 0
        ? { [ANNOTATIONS.modelVersion]: "mnist-v1" }
        : { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };
    return [
      `${row.kind}.${row.group}`,
      makeRequest(makeWorkload(row, makeTemplate(says))),
    ] as const;
  });
  return {
    pod: makeRequest(makePod()),
    "serving pod": makeRequest(makeServingPod()),
    "using pod": makeRequest(makeUsingPod()),
    "gated pod": makeRequest(makeGatedPod()),
    "training pod": makeRequest(makeTrainingPod()),
    "pod that is its own job": makeRequest(
      makeTrainingPod(({ metadata }) => void delete metadata.ownerReferences),
    ),
    ...Object.fromEntries(
      JOB_EXAMPLES.map((example) => {
        const { metadata, ...job } = exampleJob(example, {});
        const annotations = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };
        const object = { ...job, metadata: { ...metadata, annotations } };
        return [`${example.apiVersion} ${example.kind}`, makeRequest(object)] as const;
      }),
    ),
    "exporting job": makeRequest(makeExportingJob()),
    "held job changes": makeUpdate(makeHeldJob(), makeHeldJob()),
    version: makeRequest(version),
    "version changes": makeUpdate(annotated, built),
    "version goes": makeDeletion(built),
    model: makeRequest(model),
    "model changes": makeUpdate(model, makeModel()),
    "model goes": makeDeletion(model),
    ...Object.fromEntries(workloads),
  };
}
