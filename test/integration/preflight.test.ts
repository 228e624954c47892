import { afterAll, beforeAll, expect, test } from "vitest";
import { type ControlPlane, startControlPlane } from "../../deploy/local/control-plane.ts";
import type { Job, Pod } from "../../src/api/kube-types.ts";
import { preflightJob, preflightOutcome } from "../../src/builder/preflight.ts";
import { makePreflightRequest } from "../make/preflight.ts";

const SOON = { timeout: 30_000 };

/** A namespace of the strictest level, with a quota that wants requests and limits of every container. */
const NAMESPACE = `
apiVersion: v1
kind: Namespace
metadata:
  name: team-a
  labels: { pod-security.kubernetes.io/enforce: restricted }
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: quota, namespace: team-a }
spec:
  hard: { requests.cpu: "1", requests.memory: 1Gi, limits.cpu: "1", limits.memory: 1Gi }
---
apiVersion: batch/v1
kind: Job
metadata: { name: train, namespace: team-a }
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: train, image: example.org/train }]
`;

let plane: ControlPlane;

beforeAll(async () => {
  plane = await startControlPlane();
  await plane.kubectl(["apply", "-f", "-"], NAMESPACE);
});

afterAll(async () => plane?.stop());

test("a preflight gets its pod in a restricted namespace with a quota, and goes with the exporting job", async () => {
  const job = await makePreflight();
  await expect.poll(async () => (await podsOf(job)).length, SOON).toBe(1);
  expect(preflightOutcome(job, await podsOf(job))).toBe("running");

  await plane.kubectl(["delete", "job", "train", "-n", "team-a", "--cascade=background"]);
  const jobs = async () => plane.kubectl(["get", "jobs", "-n", "team-a", "-o", "name"]);
  await expect.poll(jobs, SOON).toBe("");
});

async function makePreflight(): Promise<Job> {
  const path = "jsonpath={.metadata.uid}";
  const uid = await plane.kubectl(["get", "job", "train", "-n", "team-a", "-o", path]);
  const job = preflightJob(makePreflightRequest((draft) => void (draft.owner.uid = uid)));
  const created = await plane.kubectl(["create", "-o", "json", "-f", "-"], JSON.stringify(job));
  return JSON.parse(created) as Job;
}

async function podsOf({ metadata }: Job): Promise<readonly Pod[]> {
  const selector = `model.kubedl.io/preflight=${metadata?.labels?.["model.kubedl.io/preflight"]}`;
  const list = await plane.kubectl(["get", "pods", "-n", "team-a", "-l", selector, "-o", "json"]);
  return (JSON.parse(list) as { items: Pod[] }).items;
}
