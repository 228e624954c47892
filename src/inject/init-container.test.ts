import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePod } from "../../test/make/pod.ts";
import {
  LOADER,
  copyMount,
  hasLoaderOfKubeDl,
  loaderContainer,
  loaderVolumes,
  loadersOf,
  modelImageOf,
  type Loader,
} from "./init-container.ts";

/** Where the loader's tools are; nothing else of the test's surroundings reaches it. */
const TOOLS = "/usr/local/bin:/usr/bin:/bin";
const IMAGE = "registry.example/models/mnist@sha256:0";

/** The first loader of a pod, or another. */
function loaderOf(tweak: Partial<Loader> = {}) {
  return loaderContainer({ name: LOADER, image: IMAGE, model: 0, ...tweak }, {});
}

describe("a loader", () => {
  test("runs the model's image, with the resources that it is given", () => {
    const resources = { requests: { cpu: "1" } };
    expect(
      loaderContainer({ name: "kubedl-model-loader-2", image: IMAGE, model: 1 }, resources),
    ).toMatchObject({
      name: "kubedl-model-loader-2",
      image: IMAGE,
      imagePullPolicy: "IfNotPresent",
      resources,
    });
  });

  test("passes the restricted level, and writes to the volume alone", () => {
    expect(loaderOf().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(loaderOf().volumeMounts?.filter(({ readOnly }) => readOnly !== true)).toEqual([
      { name: "kubedl-model", mountPath: "/kubedl-volume" },
    ]);
  });

  test.each([
    [0, "model"],
    [1, "model-2"],
    [15, "model-16"],
  ])("of model %s fills the directory %s, where its containers look", (model, directory) => {
    expect(loaderOf({ model }).command?.at(-1)).toBe(directory);
    expect(copyMount(model, "/m")).toEqual({
      name: "kubedl-model",
      mountPath: "/m",
      subPath: directory,
      readOnly: true,
    });
  });

  test("of an image without a shell sees the model in a volume", () => {
    expect(loaderOf({ source: "kubedl-model-image" }).volumeMounts).toContainEqual({
      name: "kubedl-model-image",
      mountPath: "/kubedl-model",
      subPath: "kubedl-model",
      readOnly: true,
    });
  });

  test("has an empty volume over the pod's API token", () => {
    expect(loaderOf().volumeMounts).toContainEqual({
      name: "kubedl-no-token",
      mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
      readOnly: true,
    });
    expect(loaderVolumes(undefined)).toContainEqual({ name: "kubedl-no-token", emptyDir: {} });
  });
});

test("the volume is limited to the copies, when their sizes are known", () => {
  expect(loaderVolumes(110 * 2 ** 20)[0]).toEqual({
    name: "kubedl-model",
    emptyDir: { sizeLimit: "110Mi" },
  });
  expect(loaderVolumes(undefined)[0]).toEqual({ name: "kubedl-model", emptyDir: {} });
});

describe("of a pod's init containers", () => {
  test.each([
    [LOADER, "kubedl-model", "/kubedl-volume", true],
    [`${LOADER}-2`, "kubedl-model", "/kubedl-volume", true],
    [`${LOADER}-2-x`, "kubedl-model", "/kubedl-volume", true],
    ["other", "kubedl-model", "/kubedl-volume", false],
    [LOADER, "other", "/kubedl-volume", false],
    [LOADER, "kubedl-model", "/elsewhere", false],
  ])("%s that mounts %s at %s is a loader: %s", (name, volume, mountPath, expected) => {
    expect(loadersOf(podWith(name, volume, mountPath))).toHaveLength(expected ? 1 : 0);
  });

  test("each loader is found where it is, with its model", () => {
    const pod = makePod((each) => {
      each.spec.initContainers = [
        { name: "early" },
        loaderOf(),
        { name: "between" },
        loaderOf({ name: `${LOADER}-2-x`, model: 1 }),
      ];
    });
    expect(loadersOf(pod).map(({ index, model }) => [index, model])).toEqual([
      [1, 0],
      [3, 1],
    ]);
  });

  test("a loader copies its own image, or that of the volume where it finds the model", () => {
    const pod = makePod((each) => {
      each.spec.volumes = [{ name: "source", image: { reference: IMAGE } }];
      each.spec.initContainers = [
        loaderOf(),
        loaderOf({ name: `${LOADER}-2`, image: "busybox", model: 1, source: "source" }),
        loaderOf({ name: `${LOADER}-3`, image: "busybox", model: 2, source: "gone" }),
      ];
    });
    expect(loadersOf(pod).map((loader) => modelImageOf(pod, loader))).toEqual([
      IMAGE,
      IMAGE,
      undefined,
    ]);
  });

  test("none is a loader where there are none", () => {
    expect(loadersOf(makePod())).toEqual([]);
    const empty = makePod((pod) => void Object.assign(pod.spec, { initContainers: null }));
    expect(loadersOf(empty)).toEqual([]);
    expect(hasLoaderOfKubeDl(empty)).toBe(false);
    expect(loadersOf({})).toEqual([]);
  });

  test("KubeDL's loader is the one that copies into KubeDL's volume", () => {
    const pod = podWith(LOADER, "kubedl-model-loader", "/mnt/kubedl-model/");
    expect(hasLoaderOfKubeDl(pod)).toBe(true);
    expect(loadersOf(pod)).toEqual([]);
    expect(hasLoaderOfKubeDl(makePod())).toBe(false);
  });
});

describe("the loader's script, run by sh", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "modelhook-loader-"));
    mkdirSync(join(root, "volume"));
    mkdirSync(join(root, "image"));
  });
  afterEach(() => {
    execFileSync("chmod", ["-R", "u+w", root]);
    rmSync(root, { recursive: true });
  });

  function run(model = 0, env: Readonly<Record<string, string>> = {}): void {
    const [shell = "", ...args] = loaderOf({ model }).command ?? [];
    const here = args.map((arg) =>
      arg
        .replaceAll("/kubedl-model", join(root, "image"))
        .replaceAll("/kubedl-volume", join(root, "volume")),
    );
    execFileSync(shell, here, { stdio: "pipe", env: { PATH: TOOLS, ...env } });
  }
  const image = (...path: string[]) => join(root, "image", ...path);
  const copied = (...path: string[]) => join(root, "volume", ...path);

  test("copies dotfiles, links, modes, empty and read-only directories", () => {
    writeFileSync(image(".hidden"), "dot");
    writeFileSync(image("run"), "x", { mode: 0o555 });
    mkdirSync(image("empty"));
    mkdirSync(image("shut"));
    writeFileSync(image("shut", "in"), "in");
    chmodSync(image("shut"), 0o555);
    mkdirSync(image("shared"));
    chmodSync(image("shared"), 0o777);
    writeFileSync(image("shared", "log"), "");
    chmodSync(image("shared", "log"), 0o666);
    symlinkSync("../nowhere", image("link"));
    run();
    const at = (...path: string[]) => copied("model", ...path);
    expect(readFileSync(at(".hidden"), "utf8")).toBe("dot");
    expect(lstatSync(at("run")).mode & 0o777).toBe(0o555);
    expect(lstatSync(at("empty")).isDirectory()).toBe(true);
    expect(lstatSync(at("shut")).mode & 0o777).toBe(0o555);
    expect(readFileSync(at("shut", "in"), "utf8")).toBe("in");
    expect(lstatSync(at("shared")).mode & 0o777).toBe(0o777);
    expect(lstatSync(at("shared", "log")).mode & 0o777).toBe(0o666);
    expect(readlinkSync(at("link"))).toBe("../nowhere");
    expect(existsSync(copied(".model.partial"))).toBe(false);
    expect(existsSync(copied(".model.done"))).toBe(true);
  });

  test("keeps a finished copy when it runs again", () => {
    writeFileSync(image("weights"), "first");
    run();
    writeFileSync(image("weights"), "second");
    run();
    expect(readFileSync(copied("model", "weights"), "utf8")).toBe("first");
  });

  test("starts anew after it was killed half-way", () => {
    writeFileSync(image("weights"), "whole");
    mkdirSync(copied(".model.partial", "shut"), { recursive: true });
    writeFileSync(copied(".model.partial", "shut", "rest"), "rest");
    chmodSync(copied(".model.partial", "shut"), 0o555);
    run();
    expect(readFileSync(copied("model", "weights"), "utf8")).toBe("whole");
    expect(existsSync(copied("model", "shut"))).toBe(false);
  });

  test("takes a directory that the kubelet made for a subPath for no copy", () => {
    writeFileSync(image("weights"), "whole");
    mkdirSync(copied("model"), { mode: 0o550 });
    run();
    expect(readFileSync(copied("model", "weights"), "utf8")).toBe("whole");
  });

  test("copies anew what it did not mark as finished", () => {
    writeFileSync(image("weights"), "whole");
    mkdirSync(copied("model", "shut"), { recursive: true });
    writeFileSync(copied("model", "shut", "rest"), "rest");
    chmodSync(copied("model", "shut"), 0o555);
    run();
    expect(readdirSync(copied("model"))).toEqual(["weights"]);
  });

  test("ends as failed when a directory in its place can not be removed", () => {
    mkdirSync(copied("model"), { recursive: true });
    const tools = join(root, "tools");
    mkdirSync(tools);
    for (const tool of ["rmdir", "rm"])
      writeFileSync(join(tools, tool), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    expect(() => run(0, { PATH: `${tools}:${TOOLS}` })).toThrow(/Command failed/);
    expect(existsSync(copied(".model.done"))).toBe(false);
  });

  test("copies a further model beside the first, which it leaves as it is", () => {
    writeFileSync(image("weights"), "first");
    run();
    writeFileSync(image("weights"), "second");
    run(1);
    run(0);
    expect(readFileSync(copied("model", "weights"), "utf8")).toBe("first");
    expect(readFileSync(copied("model-2", "weights"), "utf8")).toBe("second");
    expect(readdirSync(copied()).toSorted()).toEqual([
      ".model-2.done",
      ".model.done",
      "model",
      "model-2",
    ]);
  });

  test("says that an image without a model is none", () => {
    rmSync(image(), { recursive: true });
    expect(() => run()).toThrow(/the image holds no .*: it is no model image/);
  });
});

function podWith(name: string, volume: string, mountPath: string) {
  return makePod((pod) => {
    pod.spec.initContainers = [{ name, volumeMounts: [{ name: volume, mountPath }] }];
  });
}
