import { expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeAdmittedPod, makeOwningJob } from "../../test/make/exporting.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { JOB_UID } from "../../test/make/pod.ts";
import { makeSources } from "../../test/make/sources.ts";
import { LABELS } from "../api/annotations.ts";
import { parseTime } from "../api/time.ts";
import { observeVersion } from "./building.ts";

const MADE = "2024-01-01T00:00:00Z";
const CHIEF = {
  "training.kubeflow.org/replica-type": "chief",
  "training.kubeflow.org/replica-index": "0",
};

test.each<[string, string, number, string | undefined]>([
  ["waits for a pod of its own job that runs still", "Running", 1, "Pod train-0"],
  ["waits for no pod that runs for ever", "Running", 601, undefined],
  ["waits for no pod of its own job that has ended", "Succeeded", 1, undefined],
])("a build %s", async (_, phase, seconds, writer) => {
  const sources = makeSources({ now: () => parseTime(MADE) + seconds * 1000 });
  const owners = [makeOwningJob("TFJob").job];
  const pod = makeAdmittedPod({ intent: makeExport(), owners }, (each) => {
    Object.assign(each.metadata, { name: "train-0", labels: CHIEF });
    each.status = { phase };
  });
  sources.stores.exportPods.set(pod);
  const version = makeModelVersion((each) => {
    each.metadata.creationTimestamp = MADE;
    each.metadata.labels = { [LABELS.jobUid]: JOB_UID };
    each.spec.storage = { ...makeExport().storage };
  });
  const observed = await observeVersion(sources, version, new AbortController().signal);
  expect(observed.writer).toBe(writer);
});
