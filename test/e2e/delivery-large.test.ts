import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pod } from "../../src/api/kube-types.ts";
import { LARGE_BYTES, LARGE_FILE, endOfLarge, pushLargeImage } from "./delivery/large-image.ts";
import { RESTRICTED, secondsToReady } from "./delivery/pods.ts";
import { modelVersion } from "./faults/models.ts";
import {
  apply,
  joinNode,
  kubectl,
  makeNamespace,
  modelImagesOf,
  read,
  whenBuilt,
  type TestNode,
} from "./node.ts";

const NAMESPACE = "delivery-large";

describe("a model of 5 GiB, at level restricted", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;
  let image: string;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "restricted");
    image = await pushLargeImage(node);
    const [imageRepo, digest] = image.split("@");
    const version = modelVersion(node, "large", `/models/${NAMESPACE}`) as {
      readonly spec: object;
    };
    await apply(node, NAMESPACE, { ...version, spec: { ...version.spec, imageRepo } });
    // It can not be built in this namespace; from then on nobody else writes its status.
    await whenBuilt(node, NAMESPACE, "large");
    const status = {
      imageBuildPhase: "ImageBuildSucceeded",
      digest,
      size: LARGE_BYTES,
      files: 1,
      shell: true,
    };
    const patch = ["--type=merge", "--patch", JSON.stringify({ status })];
    await kubectl(node, NAMESPACE, "patch", "modelversion/large", "--subresource=status", ...patch);
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test.for([
    ["image-volume", "the image has to be pulled"],
    ["image-volume", "the node has it"],
    ["copy", "the node has it"],
  ])(
    "is whole by %s, after a time that is printed here, where %s",
    async ([delivery = "", when]) => {
      const name = `${delivery}-${when?.replaceAll(" ", "-")}`;
      const wants = { "model-version": "large", delivery };
      const made = { ...RESTRICTED, name, wants, script: "sleep 3600" };
      const seconds = await secondsToReady(node, NAMESPACE, made);
      process.stdout.write(`5 GiB by ${delivery}, ${when}: ready after ${seconds.toFixed(1)} s\n`);
      const pod = await read<Pod>(node, NAMESPACE, "pod", name);
      expect(modelImagesOf(pod ?? {})).toEqual([`${delivery} ${image}`]);
      const look = `cd /kubedl-model; stat -c %s ${LARGE_FILE}; tail -c 1048576 ${LARGE_FILE} | sha256sum`;
      const seen = await kubectl(node, NAMESPACE, "exec", name, "--", "sh", "-euc", look);
      expect(seen).toBe(`${LARGE_BYTES}\n${endOfLarge()}  -\n`);
    },
  );
});
