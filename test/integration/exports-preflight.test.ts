import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { BuildReport } from "../../src/api/build-report.ts";
import type { Job, Pod } from "../../src/api/kube-types.ts";
import { answer } from "./answer.ts";
import { NODE, asking, exportOf, isKept, jobOf, podOf, recordOf } from "./exporting.ts";
import { addNode, endCheck, eventsOn, eventually, list, read, succeed } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const SOON = { timeout: 20_000 };
const DENIED = "registry.test refused the push: 403 Forbidden";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, NODE);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("while a job trains, its registry is asked whether the model could be pushed", () => {
  type Case = readonly [
    what: string,
    name: string,
    report: BuildReport | undefined,
    said: string[],
  ];

  test.each<Case>([
    ["nothing is said when it could", "passes", undefined, []],
    [
      "the job is warned when it could not",
      "denied",
      { state: "failed", reason: "PushDenied", message: DENIED },
      [`PushDenied: the model could not be pushed now: ${DENIED}`],
    ],
    [
      "the job is warned when the registry does not answer",
      "unreachable",
      { state: "failed", reason: "RegistryUnreachable", message: "registry.test: no answer" },
      ["RegistryUnreachable: the model could not be pushed now: registry.test: no answer"],
    ],
    [
      "nothing is said of what is wrong with the check itself",
      "broken",
      { state: "failed", reason: "InternalError", message: "a bug" },
      [],
    ],
  ])("%s", async (_, name, report, said) => {
    const job = await train(name, exportOf(name, { imageTag: "v1" }));
    const pod = await checkOf(job);
    expect(pod.spec?.containers[0]?.args).toContain(`--image=registry.test/models/${name}:v1`);
    await endCheck(plane, pod, report);
    await expect
      .poll(async () => recordOf(await live(name)), { timeout: 45_000 })
      .toMatchObject({ preflight: "done" });
    await expect.poll(async () => eventsOf(name), SOON).toEqual(said);
    // The training knows nothing of it.
    expect(isKept(await live(name))).toBe(true);
    await succeed(plane, await podOf(plane, name));
    await eventually("it is let go", async () => !isKept(await live(name)));
    expect(await eventsOf(name)).toEqual(said);
  });

  test("what asks has the credentials that the build would have, and goes with the job", async () => {
    const builder = { pushSecret: { name: "robot" } };
    const job = await train("with-secret", exportOf("with-secret", { builder }));
    const pod = await checkOf(job);
    expect(pod.spec?.volumes).toContainEqual(
      expect.objectContaining({
        secret: expect.objectContaining({ secretName: "robot" }) as object,
      }),
    );
    const [check] = await checksOf(job);
    expect(check?.metadata?.ownerReferences).toEqual([
      { apiVersion: "batch/v1", kind: "Job", name: "with-secret", uid: job.metadata?.uid },
    ]);
    await plane.kubectl(["delete", "job", "with-secret", "--wait=false"]);
    await expect.poll(async () => checksOf(job), SOON).toEqual([]);
  });

  test("nobody is asked what is known before: the job is warned of a private registry that is not listed", async () => {
    const imageRepo = "10.255.255.1:5000/models/private";
    const job = await train("private", exportOf("private", { imageRepo }));
    await expect
      .poll(async () => eventsOf("private"), SOON)
      .toEqual([
        "PushDenied: the model could not be pushed now: kaniko would reach the registry 10.255.255.1:5000 by plain HTTP, because its address is private; an administrator can allow that by listing it in insecureRegistries",
      ]);
    expect(recordOf(await live("private"))).toMatchObject({ preflight: "done" });
    expect(await checksOf(job)).toEqual([]);
  });
});

/** A Job that exports, once it has been let go. */
async function train(name: string, intent: object): Promise<Job> {
  expect(await answer(plane, jobOf(name, { annotations: asking(intent) }))).toBe(
    `job.batch/${name} created`,
  );
  return eventually(`${name} is let go`, async () => {
    const job = await live(name);
    return recordOf(job) === undefined ? undefined : job;
  });
}

async function live(name: string): Promise<Job | undefined> {
  return read(plane, "job", name);
}

function selectorOf({ metadata }: Job): string {
  return `model.kubedl.io/preflight=${metadata?.uid}`;
}

async function checksOf(job: Job): Promise<readonly Job[]> {
  return list(plane, "jobs", selectorOf(job));
}

/** The pod that asks the registry for a job. */
async function checkOf(job: Job): Promise<Pod> {
  return eventually("what asks the registry", async () => {
    const [pod] = await list<Pod>(plane, "pods", selectorOf(job));
    return pod;
  });
}

/** What modelhook says of a job; the Job controller says things, too. */
async function eventsOf(name: string): Promise<readonly string[]> {
  const events = await eventsOn(plane, name);
  return events.filter((each) => each.includes("the model could not be pushed now"));
}
