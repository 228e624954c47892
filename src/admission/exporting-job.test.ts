import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeExportingJob, makeHeldJob, makeJob, type MadeJob } from "../../test/make/job.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { patched } from "../../test/make/patched.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { ANNOTATIONS, FINALIZERS, LABELS } from "../api/annotations.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import type { Decision } from "./decision.ts";
import { decideExportingJob } from "./exporting-job.ts";

const TEXT = JSON.stringify(makeExport());

function decide(job: MadeJob): Decision {
  return decideExportingJob("team-a", job, BATCH_JOB, makeSnapshot());
}

function stored(job: MadeJob): MadeJob {
  const decision = decide(job);
  if (!decision.allowed) throw new Error(decision.message);
  return patched(job, decision.operations);
}

function faultsOf(job: MadeJob): readonly string[] {
  const decision = decide(job);
  return decision.allowed
    ? []
    : [decision.reason, ...decision.causes.map(({ field, message }) => `${field}: ${message}`)];
}

/** A job that has the annotation on itself, not on its template. */
function makeAnnotatedJob(tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return makeJob((job) => {
    job.metadata.annotations = { [ANNOTATIONS.export]: TEXT };
    tweak(job);
  });
}

describe("a job that exports", () => {
  test.each([
    ["by its template", makeExportingJob()],
    ["by itself", makeAnnotatedJob()],
    [
      "by itself, without metadata of the template",
      makeAnnotatedJob((job) => void Object.assign(job.spec.template, { metadata: null })),
    ],
    [
      "by both alike",
      makeExportingJob((job) => {
        job.metadata.annotations = { [ANNOTATIONS.export]: TEXT };
      }),
    ],
    [
      "with null lists",
      makeAnnotatedJob((job) => {
        Object.assign(job.metadata, { finalizers: null, labels: null });
        Object.assign(job.spec.template.metadata, { annotations: null });
      }),
    ],
  ])("%s is held, and its pods are annotated", (_, job) => {
    const { metadata, spec } = stored(job);
    expect(metadata.finalizers).toEqual([FINALIZERS.export]);
    expect(metadata.labels).toEqual({ [LABELS.export]: "true" });
    expect(spec.template.metadata.annotations).toEqual({ [ANNOTATIONS.export]: TEXT });
  });

  test("keeps its own finalizers, labels and annotations", () => {
    const job = makeAnnotatedJob((each) => {
      each.metadata.finalizers = ["other"];
      each.metadata.labels = { app: "train" };
      each.spec.template.metadata.annotations = { other: "kept" };
    });
    const { metadata, spec } = stored(job);
    expect(metadata.finalizers).toEqual(["other", FINALIZERS.export]);
    expect(metadata.labels).toEqual({ app: "train", [LABELS.export]: "true" });
    expect(spec.template.metadata.annotations).toEqual({
      other: "kept",
      [ANNOTATIONS.export]: TEXT,
    });
  });

  test("is not patched twice", () => {
    expect(decide(stored(makeAnnotatedJob()))).toEqual({
      allowed: true,
      reason: "ExportHooked",
      operations: [],
      warnings: [],
    });
    expect(stored(makeHeldJob())).toEqual(makeHeldJob());
  });

  test("of several pods, of which the first writes, is warned", () => {
    const job = makeExportingJob((each) => {
      Object.assign(each.spec, { completionMode: "Indexed", completions: 4, parallelism: 4 });
    });
    const message =
      "1 of 4 pods writes the model (completion index 0, localStorage); what the others write to the same path is dropped, and may be no more than 10Gi";
    expect(decide(job).warnings).toEqual([{ reason: "WriterSubset", message }]);
  });

  test("of several pods that may all write is not warned", () => {
    const intent = makeExport((each) => {
      each.writers = "all";
      each.storage = { nfs: { server: "nfs.example", path: "/models" } };
    });
    const job = makeExportingJob((each) => {
      each.spec.parallelism = 4;
      each.spec.template.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
    });
    expect(decide(job)).toMatchObject({ reason: "ExportHooked", warnings: [] });
  });
});

describe("a job that asks for nothing", () => {
  test("is told of annotations that belong on its pods", () => {
    const job = makeJob((each) => {
      each.metadata.annotations = { [ANNOTATIONS.modelVersion]: "digits-1" };
    });
    expect(decide(job)).toMatchObject({
      allowed: true,
      reason: "NothingAsked",
      operations: [],
      warnings: [
        {
          reason: "IdleAnnotation",
          message:
            "model.kubedl.io/model-version has no effect on the job itself; set it in spec.template.metadata.annotations",
        },
      ],
    });
  });

  test("is left alone", () => {
    expect(decide(makeJob())).toMatchObject({ reason: "NothingAsked", operations: [] });
  });

  test("of which the pods opt out is left alone", () => {
    const job = makeAnnotatedJob((each) => {
      each.spec.template.metadata.annotations = { [ANNOTATIONS.inject]: "false" };
    });
    expect(decide(job)).toMatchObject({ allowed: true, reason: "OptedOut", operations: [] });
  });
});

describe("a job is denied", () => {
  test("that states two exports", () => {
    const job = makeExportingJob((each) => {
      each.metadata.annotations = { [ANNOTATIONS.export]: "{}" };
    });
    expect(faultsOf(job)).toEqual([
      "ContradictingAnnotations",
      "spec.template.metadata.annotations[model.kubedl.io/export]: differs from metadata.annotations[model.kubedl.io/export]; set it once",
    ]);
  });

  test("with a misspelt annotation of its own, which would lose its model in silence", () => {
    const job = makeJob((each) => {
      each.metadata.annotations = { "model.kubedl.io/exprot": "{}" };
    });
    expect(faultsOf(job)).toEqual([
      "UnknownAnnotation",
      "metadata.annotations[model.kubedl.io/exprot]: is unknown; did you mean model.kubedl.io/export?",
    ]);
  });

  test("with what is wrong with its own annotation, and with its template", () => {
    const job = makeAnnotatedJob((each) => {
      each.metadata.annotations = { [ANNOTATIONS.export]: "[]" };
      each.spec.template.metadata.annotations = { "model.kubedl.io/injct": "false" };
    });
    expect(faultsOf(job)).toEqual([
      "UnknownAnnotation",
      "spec.template.metadata.annotations[model.kubedl.io/injct]: is unknown; did you mean model.kubedl.io/inject?",
      "metadata.annotations[model.kubedl.io/export]: a list must be an object",
    ]);
  });

  test.each([
    ["metadata.annotations", makeAnnotatedJob],
    ["spec.template.metadata.annotations", makeExportingJob],
  ])("with the path that is not allowed, at %s", (path, make) => {
    const intent = makeExport((each) => {
      each.storage = { localStorage: { path: "/etc", nodeName: "node-1" } };
    });
    const job = make((each) => {
      const { metadata } = path === "metadata.annotations" ? each : each.spec.template;
      metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
    });
    expect(faultsOf(job)).toEqual([
      "InvalidAnnotation",
      `${path}[model.kubedl.io/export].storage.localStorage.path: "/etc" is not allowed: allowed are directories below /models`,
    ]);
  });

  test.each([{ parallelism: 2 }, { completions: 3 }])(
    "when none of %j pods is the first",
    (spec) => {
      const job = makeExportingJob((each) => {
        Object.assign(each.spec, spec);
      });
      expect(faultsOf(job)).toEqual([
        "AllWritersRequired",
        'spec.template.metadata.annotations[model.kubedl.io/export].writers: must be "all": several pods run and none of them is the first; or set completionMode: Indexed, so that index 0 writes',
      ]);
    },
  );
});
