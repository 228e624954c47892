import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../../deploy/local/command.ts";
import { findCondition } from "../../../src/api/conditions.ts";
import { ENGINES, type Engine, type ModelVersion } from "../../../src/api/modelversion.ts";
import {
  apply,
  eventually,
  joinNode,
  makeNamespace,
  read,
  whenBuilt,
  type TestNode,
} from "../node.ts";
import { writeModel } from "./models.ts";
import {
  CLOSED_PORT,
  hostOf,
  LOGIN,
  loginSecret,
  MISSING_BASE,
  READ_ONLY_PORT,
  startOtherRegistries,
} from "./other-registries.ts";

const NAMESPACE = "faults-reasons";
const WRONG = "wrong password";

/** A device that the namespace's quota gives nobody. */
const RARE = { "example.com/rare": "1" };

/** A build that fails, and what its status says. */
interface Case {
  readonly name: string;
  /** Part of the spec; what is absent is as in a build that succeeds. */
  readonly spec: (node: TestNode) => { readonly [key: string]: unknown };
  readonly reason: string;
  readonly message: RegExp;
  /** The build is tried again. */
  readonly again?: true;
}

const CASES: readonly Case[] = [
  {
    name: "wrong-password",
    spec: (node) => ({
      imageRepo: `${hostOf(node.cluster.registry, CLOSED_PORT)}/models/m`,
      builder: { pushSecret: { name: "wrong" } },
    }),
    reason: "PushDenied",
    message: /401|UNAUTHORIZED/i,
  },
  {
    name: "no-password",
    spec: (node) => ({ imageRepo: `${hostOf(node.cluster.registry, CLOSED_PORT)}/models/m` }),
    reason: "PushDenied",
    message: /asks for a login; there are no credentials for it$/,
  },
  {
    name: "missing-secret",
    spec: (node) => ({
      imageRepo: `${hostOf(node.cluster.registry, CLOSED_PORT)}/models/m`,
      builder: { pushSecret: { name: "nowhere" } },
    }),
    reason: "PushDenied",
    message: /^Secret nowhere \(builder.pushSecret\) does not exist/,
  },
  {
    name: "read-only",
    spec: (node) => ({ imageRepo: `${hostOf(node.cluster.registry, READ_ONLY_PORT)}/models/m` }),
    reason: "PushDenied",
    message: /takes no push to models\/m \(status 405\)/,
  },
  {
    name: "tag-taken",
    spec: () => ({ imageTag: "taken" }),
    reason: "TagTaken",
    message: /:taken is sha256:[0-9a-f]{64}, which is not an image of this version$/,
  },
  {
    name: "little-memory",
    spec: () => ({ builder: { resources: { limits: { memory: "20Mi" } } } }),
    reason: "OutOfMemory",
    message: /was killed for want of memory; spec.builder.resources.limits.memory can allow more$/,
  },
  {
    name: "no-base",
    spec: (node) => ({ builder: { baseImage: `${node.cluster.registry}/${MISSING_BASE}` } }),
    reason: "ImagePullFailed",
    message: /base image .*models\/no-base:1 does not exist in its registry$/,
    again: true,
  },
  {
    name: "missing-directory",
    spec: (node) => ({
      storage: { localStorage: { path: "/models/nowhere", nodeName: node.cluster.nodeName } },
    }),
    reason: "SourceNotFound",
    message: /^directory "nowhere" does not exist in the volume$/,
  },
  {
    name: "no-room",
    spec: () => ({ builder: { resources: { requests: RARE, limits: RARE } } }),
    reason: "QuotaDenied",
    message: /exceeded quota: rare/,
    again: true,
  },
];

describe.each(ENGINES)("a build by %s", (engine) => {
  let node: TestNode;
  let namespace: AsyncDisposable;
  let registries: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    registries = await startOtherRegistries(node);
    namespace = await makeNamespace(node, NAMESPACE, LEVELS[engine]);
    const closed = hostOf(node.cluster.registry, CLOSED_PORT);
    await apply(
      node,
      NAMESPACE,
      loginSecret("wrong", closed, WRONG),
      loginSecret("right", closed, LOGIN.password),
      {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "rare" },
        spec: { hard: { "requests.example.com/rare": "0" } },
      },
    );
    const taken = `${node.cluster.registry}/faults/tag-taken-${engine}:taken`;
    await run(node.cluster.bin("crane"), ["copy", node.images.busybox, taken]);
  });
  afterAll(async () => {
    await namespace?.[Symbol.asyncDispose]();
    await registries?.[Symbol.asyncDispose]();
  });

  test.concurrent.for(CASES)("that meets $name says $reason", async (each) => {
    await applyVersion(each.name, each.spec(node));
    const built = await eventually(
      `the failure of ${each.name}`,
      async () => {
        const version = await read<ModelVersion>(node, NAMESPACE, "modelversion", each.name);
        const condition = findCondition(version?.status?.conditions, "Built");
        return condition?.status === "False" ? { condition, status: version?.status } : undefined;
      },
      { seconds: 180 },
    );
    const { condition, status } = built;
    expect(condition.reason).toBe(each.reason);
    expect(condition.message.replace(/^.*the next follows in \d+ s: /s, "")).toMatch(each.message);
    expect(status?.imageBuildPhase).toBe(each.again ? "ImageBuilding" : "ImageBuildFailed");
    expect(JSON.stringify(status)).not.toContain(WRONG);
  });

  test.concurrent("with the right password is pushed to a registry that asks for it", async () => {
    const imageRepo = `${hostOf(node.cluster.registry, CLOSED_PORT)}/models/right`;
    await applyVersion("right", { imageRepo, builder: { pushSecret: { name: "right" } } });
    const { status } = await whenBuilt(node, NAMESPACE, "right");
    expect(status?.imageBuildPhase).toBe("ImageBuildSucceeded");
  });

  async function applyVersion(
    name: string,
    { builder = {}, ...spec }: { readonly [key: string]: unknown },
  ): Promise<void> {
    // Versions over one directory would be built one after the other.
    const path = `/models/${NAMESPACE}/${engine}-${name}`;
    await writeModel(node, path);
    await apply(node, NAMESPACE, {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelVersion",
      metadata: { name },
      spec: {
        modelName: `${name}-${engine}`,
        imageRepo: `${node.cluster.registry}/faults/${name}-${engine}`,
        storage: { localStorage: { path, nodeName: node.cluster.nodeName } },
        builder: { ...(builder as object), engine },
        ...spec,
      },
    });
  }
});

const LEVELS: Readonly<Record<Engine, "baseline" | "restricted">> = {
  kaniko: "baseline",
  direct: "restricted",
};
