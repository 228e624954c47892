import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION_ANNOTATIONS } from "../../../src/api/annotations.ts";
import type { Pod } from "../../../src/api/kube-types.ts";
import type { Model } from "../../../src/api/model.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import {
  apply,
  eventsOn,
  eventually,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  read,
  whenBuilt,
  whenSaid,
  type TestNode,
} from "../node.ts";
import { builtOnce, resultOf } from "./builds.ts";
import { hashesIn, modelVersion, onHost, writeModel } from "./models.ts";
import { logsByPod, servingDeployment, servingPod } from "./workloads.ts";

const NAMESPACE = "faults-input";

describe("bad input", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test.concurrent("a directory that is missing fails the build, and retry builds once it is there", async () => {
    const path = `/models/${NAMESPACE}/missing`;
    // Both come before the build has failed.
    await apply(node, NAMESPACE, servingDeployment(node, "early", "missing", 1));
    await apply(node, NAMESPACE, modelVersion(node, "missing", path));
    const failed = await whenBuilt(node, NAMESPACE, "missing");
    expect(failed.status).toMatchObject({
      imageBuildPhase: "ImageBuildFailed",
      message: expect.stringMatching(/^SourceNotFound: .*faults-input\/missing/) as string,
    });
    await whenSaid(
      node,
      NAMESPACE,
      { kind: "ModelVersion", name: "missing" },
      /^Warning SourceNotFound: .*faults-input\/missing/,
    );

    await expect(apply(node, NAMESPACE, servingPod(node, "late", "missing"))).rejects.toThrow(
      /the build of ModelVersion missing failed: SourceNotFound: /,
    );
    const [gated] = await list<Pod>(node, NAMESPACE, "pods", "app=early");
    const [owner] = gated?.metadata?.ownerReferences ?? [];
    const told =
      /^Warning ModelBuildFailed: waits, but the build of ModelVersion missing failed: SourceNotFound/;
    for (const [kind, name = ""] of [
      ["ReplicaSet", owner?.name],
      ["Pod", gated?.metadata?.name],
    ] as const) {
      await whenSaid(node, NAMESPACE, { kind, name }, told);
    }

    const directory = await writeModel(node, path);
    await retry("missing");
    const built = await whenBuiltAgain("missing", failed);
    expect(await resultOf(node, built)).toEqual(builtOnce(built, await hashesIn(directory)));
    await kubectl(node, NAMESPACE, "rollout", "status", "deployment/early", "--timeout=60s");
    await apply(node, NAMESPACE, servingPod(node, "late", "missing"));
  });

  test.concurrent("an empty directory fails the build, and is never the latest version", async () => {
    const path = `/models/${NAMESPACE}/emptied`;
    const directory = await writeModel(node, path);
    await apply(node, NAMESPACE, modelVersion(node, "full", path, "emptied"));
    await whenBuilt(node, NAMESPACE, "full");
    await rename(directory, `${directory}-before`);
    await mkdir(`${directory}/only/directories`, { recursive: true });
    await apply(node, NAMESPACE, modelVersion(node, "emptied", path));
    const failed = await whenBuilt(node, NAMESPACE, "emptied");
    expect(failed.status).toMatchObject({
      imageBuildPhase: "ImageBuildFailed",
      message: expect.stringMatching(/^EmptyModel: .*holds no file/) as string,
    });
    expect(failed.status?.digest).toBeUndefined();
    expect(await latestOf("emptied")).toBe("full");

    await rm(directory, { recursive: true });
    await rename(`${directory}-before`, directory);
    await retry("emptied");
    const built = await whenBuiltAgain("emptied", failed);
    expect(await resultOf(node, built)).toEqual(builtOnce(built, await hashesIn(directory)));
    await eventually("the latest version", async () => (await latestOf("emptied")) === "emptied");
  });

  test.concurrent("a path that leaves what the administrator allows by a link fails the build", async () => {
    const top = await onHost(node, `/models/${NAMESPACE}`);
    await mkdir(top, { recursive: true });
    await symlink("/etc", join(top, "linked"));
    await apply(node, NAMESPACE, modelVersion(node, "linked", `/models/${NAMESPACE}/linked`));
    const { status } = await whenBuilt(node, NAMESPACE, "linked");
    expect(status).toMatchObject({
      imageBuildPhase: "ImageBuildFailed",
      message: expect.stringMatching(
        /^SourceNotFound: .*"faults-input\/linked" is a link that leads out of the volume/,
      ) as string,
    });
    expect(status?.digest).toBeUndefined();
  });

  test.concurrent("a link in a circle fails the build", async () => {
    const path = `/models/${NAMESPACE}/circling`;
    await symlink("circle", join(await writeModel(node, path), "circle"));
    await apply(node, NAMESPACE, modelVersion(node, "circling", path));
    const { status } = await whenBuilt(node, NAMESPACE, "circling");
    expect(status).toMatchObject({
      imageBuildPhase: "ImageBuildFailed",
      message: expect.stringMatching(
        /^UnsupportedFile: "circle" is a link that leads in a circle/,
      ) as string,
      attempts: 1,
    });
  });

  test.concurrent("a link in a model that leads out of it stays a link, and what it leads to is not in the image", async () => {
    const path = `/models/${NAMESPACE}/leading`;
    const directory = await writeModel(node, path);
    await symlink("/etc/passwd", join(directory, "absolute"));
    await symlink("../../../../etc/passwd", join(directory, "variables/relative"));
    await symlink("/etc", join(directory, "whole"));
    await apply(node, NAMESPACE, modelVersion(node, "leading", path));
    const built = await whenBuilt(node, NAMESPACE, "leading");
    // Only regular files are hashed, so one that a link became would be one too many.
    expect(await resultOf(node, built)).toEqual(builtOnce(built, await hashesIn(directory)));
  });

  test.concurrent("a pod that names a version before there is one waits for it", async () => {
    const path = `/models/${NAMESPACE}/awaited`;
    const directory = await writeModel(node, path);
    const pod = servingPod(node, "waiting", "awaited");
    // kubectl creates it, and says no because of the warning.
    const refused = node.cluster.kubectl(
      ["--namespace", NAMESPACE, "create", "--warnings-as-errors", "--filename", "-"],
      JSON.stringify(pod),
    );
    await expect(refused).rejects.toThrow(
      "Warning: ModelVersion awaited does not exist; the pod waits behind the scheduling gate model.kubedl.io/build",
    );
    await eventually("the event", async () => {
      const events = await eventsOn(node, NAMESPACE, "Pod", "waiting");
      return events.includes("Warning ModelNotFound: waits: ModelVersion awaited does not exist");
    });
    await apply(node, NAMESPACE, modelVersion(node, "awaited", path));
    await kubectl(node, NAMESPACE, "wait", "--for=condition=Ready", "pod/waiting", "--timeout=90s");
    expect(await logsByPod(node, NAMESPACE, "app=waiting")).toEqual({
      waiting: await hashesIn(directory),
    });
  });

  async function retry(name: string): Promise<void> {
    const annotation = `${VERSION_ANNOTATIONS.retry}=${performance.now()}`;
    await kubectl(node, NAMESPACE, "annotate", "modelversion", name, annotation, "--overwrite");
  }

  /** The version once its build has ended another time. */
  async function whenBuiltAgain(name: string, before: ModelVersion): Promise<ModelVersion> {
    await eventually(`the start of ${name}`, async () => {
      const live = await read<ModelVersion>(node, NAMESPACE, "modelversion", name);
      return live?.status?.retry !== before.status?.retry;
    });
    return whenBuilt(node, NAMESPACE, name);
  }

  async function latestOf(model: string): Promise<string | undefined> {
    const live = await read<Model>(node, NAMESPACE, "model", model);
    return live?.status?.latestVersion?.modelVersion;
  }
});
