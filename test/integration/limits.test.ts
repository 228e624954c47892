import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { ConfigMap, Pod } from "../../src/api/kube-types.ts";
import { answer } from "./answer.ts";
import { addNode, eventually, list } from "./kubelet.ts";
import { readMetric } from "./metrics.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const SOON = { timeout: 15_000 };
const BUILD = "build: { kanikoImage: kaniko, baseImage: busybox }";
const OURS = ["--namespace", "modelhook-system"];

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  await addNode(plane, "node-1");
  modelhook = await startModelhook(plane);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

/** What the API server says of a version with this directory, without making it. */
async function asked(path: string): Promise<string> {
  const spec = {
    modelName: "digits",
    imageRepo: "registry.test/digits",
    storage: { localStorage: { path, nodeName: "node-1" } },
  };
  const kind = { apiVersion: "model.kubedl.io/v1alpha1", kind: "ModelVersion" };
  const version = { ...kind, metadata: { name: "asked" }, spec };
  return answer(plane, version, ["create", "--dry-run=server"]);
}

const ALLOWED = "modelversion.model.kubedl.io/asked created (server dry run)";

/** Events on the ConfigMap, by its UID as kubectl describe finds them. */
async function eventsOnLimits(): Promise<readonly string[]> {
  const text = await plane.kubectl([...OURS, "describe", "configmap", "modelhook"]);
  return text
    .slice(text.indexOf("Events:"))
    .split("\n")
    .map((line) => line.trim().replaceAll(/ {2,}/g, " "));
}

describe("limits that change", () => {
  const denied = `The ModelVersion "asked" is invalid: spec.storage.localStorage.path: "/other/a" is not allowed: allowed are directories below /models`;

  test("are in force without a restart", async () => {
    expect(await asked("/other/a")).toBe(denied);
    await modelhook.setLimits({ allowedPrefixes: { "*": ["/other"] } });
    await expect.poll(async () => asked("/other/a"), SOON).toBe(ALLOWED);
    expect(await asked("/models/a")).toContain("allowed are directories below /other");
    expect(modelhook.output()).toContain(`"msg":"The limits are in force"`);
    await modelhook.setLimits({});
    await expect.poll(async () => asked("/other/a"), SOON).toBe(denied);
  });

  test("and are invalid are refused, as metric, log and Event say, until they are mended", async () => {
    const valid = "modelhook_config_last_reload_successful";
    const since = "modelhook_config_last_reload_success_timestamp_seconds";
    const before = await readMetric(modelhook, since);
    expect(await readMetric(modelhook, valid)).toBe(1);
    await modelhook.setLimits(`${BUILD}\nlocalStorage: { allowedPrefix: { "*": [/other] } }\n`);
    await expect.poll(async () => readMetric(modelhook, valid), SOON).toBe(0);
    expect(await readMetric(modelhook, since)).toBe(before);
    expect(await asked("/models/a")).toBe(ALLOWED);
    expect(await asked("/other/a")).toBe(denied);
    const problem =
      "localStorage.allowedPrefix: is unknown; allowed: allowedPrefixes; did you mean allowedPrefixes?";
    await eventually("the Warning", async () => {
      const said = `config.yaml is invalid, the last valid limits stay in force: ${problem}`;
      return (await eventsOnLimits()).some(
        (line) => line.startsWith("Warning InvalidConfiguration") && line.endsWith(said),
      );
    });
    expect(modelhook.output()).toContain(`"problems":["${problem}"]`);

    await modelhook.setLimits({});
    await expect.poll(async () => readMetric(modelhook, valid), SOON).toBe(1);
    expect(await readMetric(modelhook, since)).toBeGreaterThan(before);
    await eventually("the Normal one", async () => {
      return (await eventsOnLimits()).some(
        (line) =>
          line.startsWith("Normal ConfigurationRead") &&
          line.endsWith("the limits of config.yaml are in force"),
      );
    });
  });

  test("stop a pod that waits for its volume, and let it go on", async () => {
    await answer(plane, exportingJob());
    const saying = async (reason: string): Promise<boolean> => {
      const selector = `--field-selector=reason=${reason},regarding.kind=Pod`;
      return (await plane.kubectl(["get", "events.v1.events.k8s.io", selector])).includes(reason);
    };
    await eventually("the pod waits for its node", async () => saying("StorageNotBound"));
    await modelhook.setLimits({ allowedPrefixes: { "*": ["/other"] } });
    await eventually("the pod waits for leave", async () => saying("PathNotAllowed"));
    await addNode(plane, "node-9");
    await modelhook.setLimits({});
    const gates = async (): Promise<readonly object[] | undefined> => {
      const [pod] = await list<Pod>(plane, "pods", "job-name=train");
      return pod?.spec?.schedulingGates ?? [];
    };
    await expect.poll(gates, SOON).toEqual([]);
  });
});

describe("the ConfigMap of limits", () => {
  test.each<[what: string, text: string, because: readonly string[]]>([
    [
      "every fault of it at once",
      `${BUILD}\nlocalStorage: { allowedPrefixes: { team-a: [/, models] } }\nnfs: { allowedServer: [] }\n`,
      [
        'data[config.yaml].localStorage.allowedPrefixes.team-a[0]: "/" must be an absolute directory other than /, without ".."',
        'data[config.yaml].localStorage.allowedPrefixes.team-a[1]: "models" must be an absolute directory other than /, without ".."',
        "data[config.yaml].nfs.allowedServer: is unknown; allowed: allowedServers; did you mean allowedServers?",
      ],
    ],
    [
      "what is no YAML",
      "build: [",
      [
        "data[config.yaml]: is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 9",
      ],
    ],
  ])("is denied with %s", async (_, text, because) => {
    const said = await answer(plane, configMap(text), [...OURS, "apply", "--server-side"]);
    expect(said).toBe(
      `Error from server (Forbidden): admission webhook "limits.modelhook.kubedl.io" denied the request: ${because.join("; ")}`,
    );
  });

  test("as it is installed is accepted, and so is any other there", async () => {
    const file = await readFile(join(import.meta.dirname, "../../deploy/install.yaml"), "utf8");
    const installed = parseAllDocuments(file)
      .map((document) => document.toJS() as ConfigMap)
      .find(({ kind }) => kind === "ConfigMap");
    const dry = [...OURS, "apply", "--server-side", "--force-conflicts", "--dry-run=server"];
    const changed = { ...installed, data: { ...installed?.data, note: "changed" } };
    expect(await answer(plane, changed, dry)).toBe(
      "configmap/modelhook serverside-applied (server dry run)",
    );
    const other = { ...configMap("build: ["), metadata: { name: "other" } };
    expect(await answer(plane, other, [...OURS, "create"])).toBe("configmap/other created");
  });
});

function configMap(text: string) {
  const metadata = { name: "modelhook" };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "config.yaml": text } };
}

function exportingJob(): object {
  const intent = {
    modelName: "trained",
    imageRepo: "registry.test/trained",
    storage: { localStorage: { path: "/models/trained", nodeName: "node-9" } },
  };
  const container = { name: "train", image: "registry.test/train:1" };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: "train",
      annotations: { "model.kubedl.io/export": JSON.stringify(intent) },
    },
    spec: { template: { spec: { restartPolicy: "Never", containers: [container] } } },
  };
}
