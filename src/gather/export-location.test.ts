import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import {
  makeAdmittedPod,
  makeBarePod,
  makeOwningJob,
  withRecord,
} from "../../test/make/exporting.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob, makeJob, type MadeJob } from "../../test/make/job.ts";
import { JOB_UID, makeTrainingPod, type MadePod } from "../../test/make/pod.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import { trainingClaimName } from "../api/names.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import { locationOf, locationOfPod } from "./export-location.ts";

const LOCATION = "local:node-1:/models/mnist";
const ASKING = { intent: makeExport(), owners: [makeOwningJob("TFJob").job] };
const CLEAN = makeExport((each) => void (each.clean = true));

function claimOf(claimName: string) {
  return { name: "kubedl-export", persistentVolumeClaim: { claimName } };
}

describe("the location of a pod", () => {
  const ours = claimOf(trainingClaimName("team-a", JOB_UID, LOCATION));

  test("is that of the claim which was made for it", () => {
    const pod = makeTrainingPod((each) => void (each.spec.volumes = [ours]));
    expect(locationOfPod(pod)).toBe(LOCATION);
  });

  test("is not what its annotation says when that has been changed since", () => {
    const storage = { localStorage: { path: "/models/theirs", nodeName: "node-1" } };
    const pod = makeTrainingPod((each) => {
      each.spec.volumes = [ours];
      const intent = makeExport((made) => void (made.storage = storage));
      each.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
    });
    expect(locationOfPod(pod)).toBeUndefined();
  });

  test("is that of its topmost job, by whose UID its claim and its clean directory are named", () => {
    const jobset = makeOwningJob("JobSet").job;
    const child = makeHeldJob((job) => {
      job.metadata = { name: "train-launcher-0", namespace: "team-a", uid: "child" };
    });
    const pod = makeAdmittedPod({ intent: CLEAN, owners: [child, jobset] }, (each) => {
      each.metadata.labels = { "jobset.sigs.k8s.io/replicatedjob-name": "launcher" };
    });
    expect(pod.metadata.labels?.[LABELS.jobUid]).toBe(JOB_UID);
    expect(locationOfPod(pod)).toBe(`${LOCATION}/1111111122`);
  });

  test("is that of a claim which no UID names, where it is its own job", () => {
    expect(locationOfPod(makeBarePod().job)).toBe(LOCATION);
  });

  test("is what a binding told it when it was admitted", () => {
    const owning = makeOwningJob("TFJob", () => {}, { intent: undefined });
    const asking = { intent: makeExport(), binding: "trainers", owners: [owning.job] };
    expect(locationOfPod(makeAdmittedPod(asking, replica("chief")))).toBe(LOCATION);
  });

  test.each<[string, MadePod]>([
    ["writes to scratch space", makeAdmittedPod(ASKING, replica("worker"))],
    ["came past the webhook", makeTrainingPod()],
  ])("is none when it mounts no claim, since it %s", (_, pod) => {
    expect(locationOfPod(pod)).toBeUndefined();
  });
});

function replica(type: string): Tweak<MadePod> {
  return (pod) => {
    pod.metadata.labels = {
      "training.kubeflow.org/replica-type": type,
      "training.kubeflow.org/replica-index": "0",
    };
  };
}

describe("the location of a job", () => {
  test("is where its pods write", () => {
    expect(locationOf(owned(makeHeldJob()))).toBe(LOCATION);
  });

  test.each(["TFJob", "PyTorchJob", "JobSet", "RayJob"] as const)(
    "is where its pods write: of a %s",
    (name) => {
      expect(locationOf(makeOwningJob(name))).toBe(LOCATION);
    },
  );

  test("is its own, where it is a pod", () => {
    expect(locationOf(makeBarePod())).toBe(LOCATION);
  });

  test("is its own directory when that is to be clean", () => {
    expect(locationOf(makeOwningJob("TFJob", () => {}, { intent: CLEAN }))).toBe(
      `${LOCATION}/1111111122`,
    );
  });

  test("is what its record says where a binding asked for it", () => {
    const { job, kind } = makeOwningJob("TFJob", () => {}, { intent: undefined });
    expect(locationOf({ job: withRecord(job, { intent: makeExport() }), kind })).toBe(LOCATION);
  });

  test.each([
    ["exports nothing", makeJob()],
    ["stands on the job alone, where anybody may change it", makeExportingJobByItself()],
    ["can not be read", makeJob(saying("{"))],
    ["names no storage", makeJob(saying(JSON.stringify({ ...makeExport(), storage: {} })))],
  ])("is unknown when its export %s", (_, job) => {
    expect(locationOf(owned(job))).toBeUndefined();
  });
});

function owned(job: MadeJob) {
  return { job, kind: BATCH_JOB };
}

function saying(text: string) {
  return (job: MadeJob): void => {
    job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: text };
  };
}

function makeExportingJobByItself() {
  return makeJob((job) => {
    job.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };
  });
}
