import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LABELS } from "../../../src/api/annotations.ts";
import type { Pod } from "../../../src/api/kube-types.ts";
import { ENGINES, type ModelVersion } from "../../../src/api/modelversion.ts";
import {
  apply,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  read,
  whenBuilt,
  type TestNode,
} from "../node.ts";
import { builtOnce, resultOf } from "./builds.ts";
import { hashesIn, modelVersion, writeModel } from "./models.ts";
import { CATCHABLE_BYTES, holdPush, type HeldPush } from "./push.ts";

const LEVELS = { kaniko: "baseline", direct: "restricted" } as const;

type Delete = (...args: readonly string[]) => Promise<string>;

/** What is done to a build while it pushes, and how many attempts it takes then. */
interface Fault {
  readonly title: string;
  readonly name: string;
  readonly strike: (push: HeldPush, pod: Pod, remove: Delete) => unknown;
  readonly attempts: number;
}

const FAULTS: readonly Fault[] = [
  {
    title: "its container is killed",
    name: "killed",
    strike: (push) => push.kill(),
    attempts: 2,
  },
  {
    title: "the pod is deleted by force",
    name: "forced",
    strike: (_, { metadata }, remove) =>
      remove(`pod/${metadata?.name}`, "--force", "--grace-period=0"),
    attempts: 2,
  },
  {
    title: "the Job is deleted",
    name: "jobless",
    strike: (_, { metadata }, remove) => remove(`job/${metadata?.labels?.["job-name"]}`),
    // It is made again, for the same attempt.
    attempts: 1,
  },
];

describe.each(ENGINES)("a build by %s, while it pushes", (engine) => {
  const namespaceName = `faults-builds-${engine}`;
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, namespaceName, LEVELS[engine]);
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test.concurrent.for(FAULTS)("ends with one image though $title", async (fault) => {
    const { name } = fault;
    const path = `/models/${namespaceName}/${name}`;
    const directory = await writeModel(node, path, CATCHABLE_BYTES);
    await apply(node, namespaceName, modelVersion(node, name, path, `${name}-${engine}`, engine));
    const push = await holdPush(node, namespaceName, name, engine);
    await fault.strike(push, await buildPodOf(name), async (...args) =>
      kubectl(node, namespaceName, "delete", ...args),
    );
    const built = await whenBuilt(node, namespaceName, name);
    expect(await resultOf(node, built)).toEqual(builtOnce(built, await hashesIn(directory)));
    expect(built.status?.startedAttempts).toBe(fault.attempts);
  });

  async function buildPodOf(name: string): Promise<Pod> {
    const version = await read<ModelVersion>(node, namespaceName, "modelversion", name);
    const selector = `${LABELS.versionUid}=${version?.metadata.uid}`;
    const [pod] = await list<Pod>(node, namespaceName, "pods", selector);
    if (pod === undefined) throw new Error(`the build of ${name} has no pod`);
    return pod;
  }
});
