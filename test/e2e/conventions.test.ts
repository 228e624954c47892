import { join } from "node:path";
import type { Engine, ModelVersion } from "../../src/api/modelversion.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container } from "../../src/api/kube-types.ts";
import { directory, file, writeEntries, type Entry } from "./delivery/entries.ts";
import { printedBy, scriptPod, whenSucceeded } from "./delivery/pods.ts";
import { modelVersion, onHost } from "./faults/models.ts";
import { apply, joinNode, makeNamespace, read, whenBuilt, type TestNode } from "./node.ts";

const NAMESPACE = "conventions";

/** What the image tensorflow/serving starts; its own is for bash. */
const ENTRYPOINT = `#!/bin/sh
tensorflow_model_server --port=8500 --rest_api_port=8501 \\
--model_name=\${MODEL_NAME} --model_base_path=\${MODEL_BASE_PATH}/\${MODEL_NAME} \\
"$@"
`;

/**
 * Finds its model as TensorFlow Serving does: of what the base path holds, the highest whole number as a name, whatever else is
 * there; it has to be a SavedModel. Then prints what it would serve.
 */
const STAND_IN = `#!/bin/sh
set -eu
for argument in "$@"; do
  case "$argument" in
    --model_name=*) name="\${argument#*=}" ;;
    --model_base_path=*) base="\${argument#*=}" ;;
  esac
done
version=$(ls "$base" | grep -E '^[0-9]+$' | sort -n | tail -n 1)
if [ -z "$version" ]; then echo "no versions of servable $name found under base path $base"; exit; fi
if [ ! -f "$base/$version/saved_model.pb" ]; then echo "no saved_model.pb in $base/$version"; exit; fi
echo "serves version $version of $name: $(cat "$base/$version/saved_model.pb" "$base/$version/variables/variables.index")"
`;

const MODELS: Readonly<Record<string, readonly Entry[]>> = {
  "at-root": savedModel(".", "only"),
  numbered: [
    directory("."),
    ...["2", "10", "next"].flatMap((version) => savedModel(version, version)),
  ],
};

const ENGINES_OF: Readonly<Record<string, Engine>> = { "at-root": "direct", numbered: "kaniko" };

interface Case {
  readonly title: string;
  readonly model: string;
  readonly mountPath: string;
  readonly servable?: string;
  readonly serves: string;
}

const CASES: readonly Case[] = [
  {
    title: "a SavedModel at /models/model/1",
    model: "at-root",
    mountPath: "/models/model/1",
    serves: "serves version 1 of model: graph only, variables only\n",
  },
  {
    title: "the highest number at /models/model",
    model: "numbered",
    mountPath: "/models/model",
    serves: "serves version 10 of model: graph 10, variables 10\n",
  },
  {
    title: "a SavedModel at /models/digits/1",
    model: "at-root",
    mountPath: "/models/digits/1",
    servable: "digits",
    serves: "serves version 1 of digits: graph only, variables only\n",
  },
  {
    title: "nothing at /models/model, unnumbered",
    model: "at-root",
    mountPath: "/models/model",
    serves: "no versions of servable model found under base path /models/model\n",
  },
];

describe("a stand-in for TensorFlow Serving, which only looks for its model as that does, started as its image does,", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
    const programs = { tensorflow_model_server: STAND_IN, "tf_serving_entrypoint.sh": ENTRYPOINT };
    await apply(node, NAMESPACE, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "programs" },
      data: programs,
    });
    for (const [name, entries] of Object.entries(MODELS)) {
      const path = `/models/${NAMESPACE}/${name}`;
      await writeEntries(await onHost(node, path), entries);
      await apply(node, NAMESPACE, modelVersion(node, name, path, name, ENGINES_OF[name]));
    }
    for (const name of Object.keys(MODELS)) await whenBuilt(node, NAMESPACE, name);
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test.each([
    ["at-root", "SavedModel"],
    ["numbered", "VersionedSavedModel"],
  ])("can be told by the status of %s how it is arranged", async (name, layout) => {
    const version = await read<ModelVersion>(node, NAMESPACE, "modelversion", name);
    expect(version?.status?.layout).toBe(layout);
  });

  describe.each(["copy", "image-volume"])("by %s", (delivery) => {
    test.concurrent.for(CASES)("finds $title", async (each) => {
      const servable = each.servable ?? "model";
      const name = `${each.mountPath.slice(1).replaceAll("/", "-")}-${each.model}-${delivery}`;
      const container: Partial<Container> = {
        command: ["/usr/bin/tf_serving_entrypoint.sh"],
        env: [
          { name: "MODEL_NAME", value: servable },
          { name: "MODEL_BASE_PATH", value: "/models" },
          { name: "PATH", value: "/usr/bin:/bin" },
        ],
        volumeMounts: [{ name: "programs", mountPath: "/usr/bin" }],
      };
      const volumes = [{ name: "programs", configMap: { name: "programs", defaultMode: 0o755 } }];
      const wants = { "model-version": each.model, "mount-path": each.mountPath, delivery };
      const pod = scriptPod(node, { name, wants, script: "", container, spec: { volumes } });
      await apply(node, NAMESPACE, pod);
      await whenSucceeded(node, NAMESPACE, name);
      expect(await printedBy(node, NAMESPACE, name)).toBe(each.serves);
    });
  });
});

function savedModel(at: string, name: string): readonly Entry[] {
  return [
    directory(at),
    file(join(at, "saved_model.pb"), `graph ${name}, `),
    directory(join(at, "variables")),
    file(join(at, "variables/variables.index"), `variables ${name}`),
  ];
}
