import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { awkwardModel } from "./delivery/awkward-model.ts";
import { file, LISTING, listingOf, writeEntries, type Entry } from "./delivery/entries.ts";
import { printedBy, RESTRICTED, scriptPod, whenSucceeded } from "./delivery/pods.ts";
import { modelVersion, onHost } from "./faults/models.ts";
import { apply, joinNode, makeNamespace, whenBuilt, type TestNode } from "./node.ts";

const NAMESPACE = "engine-direct";

const OTHERS_READ_FILE = 0o004;
const OTHERS_READ_DIRECTORY = 0o005;

describe("in a namespace at level restricted", () => {
  // What root alone may read, root alone can build.
  const readable = awkwardModel().filter((entry) => isReadable(entry));
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "restricted");
    await write("awkward", readable);
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test("the engine direct builds a model with whatever a training may leave", async () => {
    await applyVersion("awkward", { engine: "direct" });
    const { status } = await whenBuilt(node, NAMESPACE, "awkward");
    expect(status).toMatchObject({ imageBuildPhase: "ImageBuildSucceeded", shell: true });
  });

  test.for(["copy", "image-volume"])(
    "and every entry, mode and byte of it arrives by %s",
    async (delivery) => {
      const script = `${LISTING}\nlisting "$KUBEDL_MODEL_PATH"`;
      const wants = { "model-version": "awkward", delivery };
      await apply(
        node,
        NAMESPACE,
        scriptPod(node, { ...RESTRICTED, name: delivery, wants, script }),
      );
      await whenSucceeded(node, NAMESPACE, delivery);
      expect(await printedBy(node, NAMESPACE, delivery)).toBe(listingOf(readable));
    },
  );

  test("a file that only its owner may read ends the build, with what would be right", async () => {
    await write("private", [file("weights.bin", "weights", 0o600)]);
    await applyVersion("private", { engine: "direct" });
    const { status } = await whenBuilt(node, NAMESPACE, "private");
    expect(status).toMatchObject({
      imageBuildPhase: "ImageBuildFailed",
      message:
        'SourceUnreadable: "weights.bin" can not be read: user 65532, as whom the engine direct reads, has no right to it; have the training write files that all may read (umask 022), or set spec.builder.engine to kaniko, which reads as root',
    });
  });

  test("kaniko can not build, and the other engine is named as the way out", async () => {
    await applyVersion("denied", { engine: "kaniko" }, "awkward");
    const { status } = await whenBuilt(node, NAMESPACE, "denied");
    expect(status?.imageBuildPhase).toBe("ImageBuildFailed");
    expect(status?.message).toMatch(
      /^PodSecurityDenied: kaniko runs as root.*: set spec.builder.engine to direct, which does not,/,
    );
  });

  async function write(name: string, entries: readonly Entry[]): Promise<void> {
    const root = await onHost(node, `/models/${NAMESPACE}/${name}`);
    await writeEntries(root, entries.some(isRoot) ? entries : [ROOT, ...entries]);
  }

  async function applyVersion(name: string, builder: object, directory = name): Promise<void> {
    const path = `/models/${NAMESPACE}/${directory}`;
    const version = modelVersion(node, name, path) as { readonly spec: object };
    await apply(node, NAMESPACE, { ...version, spec: { ...version.spec, builder } });
  }
});

const ROOT: Entry = { type: "d", path: Buffer.from("."), mode: 0o755, arrives: 0o755 };

function isRoot({ path }: Entry): boolean {
  return path.equals(ROOT.path);
}

function isReadable(entry: Entry): boolean {
  if (entry.type === "l") return true;
  const needed = entry.type === "d" ? OTHERS_READ_DIRECTORY : OTHERS_READ_FILE;
  return (entry.mode & needed) === needed && !entry.path.toString().startsWith("shut/");
}
