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
import { makePod, type MadePod } from "../../test/make/pod.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import {
  LOADER,
  copyQuantity,
  hasLoader,
  hasLoaderOfKubeDl,
  loaderContainer,
  loaderVolumes,
  modelMount,
} from "./init-container.ts";

const IMAGE = "registry.example/models/mnist@sha256:0";
const DEFAULTS = { requests: { cpu: "50m" }, limits: { memory: "256Mi" } };

function resourcesOf(tweak: Tweak<MadePod>, storage?: string) {
  return loaderContainer(makePod(tweak), IMAGE, undefined, DEFAULTS, storage).resources;
}

describe("the loader's resources", () => {
  test("are the administrator's", () => {
    expect(resourcesOf(() => {})).toEqual(DEFAULTS);
  });

  test("are those that the pod asks for", () => {
    const wanted = { requests: { cpu: "1" } };
    expect(loaderContainer(makePod(), IMAGE, wanted, DEFAULTS, undefined).resources).toBe(wanted);
  });

  test("are the largest of a Guaranteed pod, which stays one", () => {
    const limits = { cpu: "2", memory: "1Gi" };
    expect(
      resourcesOf((pod) => {
        pod.spec.containers[0].resources = { limits };
      }),
    ).toEqual({ requests: limits, limits });
  });

  test.each([
    [{ cpu: "2" }, { cpu: "50m" }, { cpu: "2", memory: "256Mi" }],
    [{ cpu: "20m" }, { cpu: "20m" }, { cpu: "20m", memory: "256Mi" }],
    [{ memory: "64Mi" }, { cpu: "50m" }, { memory: "64Mi" }],
  ])("have the limits %j of containers that all have them", (given, requests, limits) => {
    expect(
      resourcesOf((pod) => {
        pod.spec.containers[0].resources = { requests: { cpu: "1m" }, limits: given };
      }),
    ).toEqual({ requests, limits });
  });

  test("have no limit that a container does without", () => {
    expect(
      resourcesOf((pod) => {
        pod.spec.containers[0].resources = { limits: { cpu: "2" } };
        pod.spec.containers.push({ name: "sidecar" });
      }),
    ).toEqual(DEFAULTS);
  });

  test.each(["limits", "requests"] as const)("are none below %s of the whole pod", (list) => {
    expect(
      resourcesOf((pod) => {
        pod.spec.resources = { [list]: { memory: "128Mi" } };
      }),
    ).toEqual({});
  });

  test("request room for the copy", () => {
    expect(resourcesOf(() => {}, "110Mi")).toEqual({
      requests: { cpu: "50m", "ephemeral-storage": "110Mi" },
      limits: { memory: "256Mi" },
    });
  });

  test("limit the pod to its own storage and the copy, where its containers have a limit", () => {
    const limits = { "ephemeral-storage": "10Mi" };
    const resources = resourcesOf(
      (pod) => void (pod.spec.containers[0].resources = { limits }),
      "110Mi",
    );
    expect(resources?.limits).toEqual({ memory: "256Mi", "ephemeral-storage": "120Mi" });
    expect(resources?.requests).toEqual({ cpu: "50m", "ephemeral-storage": "110Mi" });
  });

  test("keep the limit that the pod asks for", () => {
    const wanted = { limits: { "ephemeral-storage": "1Gi" } };
    const pod = makePod((each) => void (each.spec.containers[0].resources = wanted));
    expect(loaderContainer(pod, IMAGE, wanted, DEFAULTS, "110Mi").resources).toEqual(wanted);
  });

  test("keep the room that the pod asks for", () => {
    const wanted = { requests: { "ephemeral-storage": "1Gi" } };
    expect(loaderContainer(makePod(), IMAGE, wanted, DEFAULTS, "110Mi").resources).toEqual(wanted);
  });
});

test.each([
  [undefined, 0, undefined],
  [0, 0, "1Mi"],
  [1, 1, "1Mi"],
  [2 ** 20, 1, "2Mi"],
  [100 * 2 ** 20, 0, "110Mi"],
  [100 * 2 ** 20, 256_000, "1110Mi"],
  [2 ** 40, 1, "1153434Mi"],
])("a copy of %s bytes in %s files takes %s", (bytes, files, quantity) => {
  expect(copyQuantity(bytes, files)).toBe(quantity);
});

test("the volume is limited to the copy, when its size is known", () => {
  expect(loaderVolumes("110Mi")[0]).toEqual({
    name: "kubedl-model",
    emptyDir: { sizeLimit: "110Mi" },
  });
  expect(loaderVolumes(undefined)[0]).toEqual({ name: "kubedl-model", emptyDir: {} });
});

test("an empty volume hides the pod's API token from the loader", () => {
  const { volumeMounts } = loaderContainer(makePod(), IMAGE, undefined, DEFAULTS, undefined);
  expect(volumeMounts).toContainEqual({
    name: "kubedl-no-token",
    mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
    readOnly: true,
  });
  expect(loaderVolumes(undefined)).toContainEqual({ name: "kubedl-no-token", emptyDir: {} });
});

describe("a pod has a loader", () => {
  test.each([
    [LOADER, "kubedl-model", "/kubedl-volume", true],
    ["other", "kubedl-model", "/kubedl-volume", false],
    [LOADER, "other", "/kubedl-volume", false],
    [LOADER, "kubedl-model", "/elsewhere", false],
  ])("%s that mounts %s at %s: %s", (name, volume, mountPath, expected) => {
    expect(hasLoader(podWith(name, volume, mountPath))).toBe(expected);
  });

  test("of KubeDL when it copies into KubeDL's volume", () => {
    const pod = podWith(LOADER, "kubedl-model-loader", "/mnt/kubedl-model/");
    expect(hasLoaderOfKubeDl(pod)).toBe(true);
    expect(hasLoader(pod)).toBe(false);
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

  function run(env: Readonly<Record<string, string>> = {}): void {
    const [shell = "", ...args] =
      loaderContainer(makePod(), IMAGE, undefined, DEFAULTS, undefined).command ?? [];
    const here = args.map((arg) =>
      arg
        .replaceAll("/kubedl-model", join(root, "image"))
        .replaceAll("/kubedl-volume", join(root, "volume")),
    );
    execFileSync(shell, here, { stdio: "pipe", env: { ...process.env, ...env } });
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
    symlinkSync("../nowhere", image("link"));
    run();
    const at = (...path: string[]) => copied("model", ...path);
    expect(readFileSync(at(".hidden"), "utf8")).toBe("dot");
    expect(lstatSync(at("run")).mode & 0o777).toBe(0o555);
    expect(lstatSync(at("empty")).isDirectory()).toBe(true);
    expect(lstatSync(at("shut")).mode & 0o777).toBe(0o555);
    expect(readFileSync(at("shut", "in"), "utf8")).toBe("in");
    expect(readlinkSync(at("link"))).toBe("../nowhere");
    expect(existsSync(copied(".partial"))).toBe(false);
    expect(modelMount("/m").subPath).toBe("model");
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
    mkdirSync(copied(".partial", "shut"), { recursive: true });
    writeFileSync(copied(".partial", "shut", "rest"), "rest");
    chmodSync(copied(".partial", "shut"), 0o555);
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
    expect(() => run({ PATH: `${tools}:${process.env["PATH"]}` })).toThrow(/Command failed/);
    expect(existsSync(copied(".done"))).toBe(false);
  });

  test("says that an image without a model is none", () => {
    rmSync(image(), { recursive: true });
    expect(run).toThrow(/the image holds no .*: it is no model image/);
  });
});

function podWith(name: string, volume: string, mountPath: string) {
  return makePod((pod) => {
    pod.spec.initContainers = [{ name, volumeMounts: [{ name: volume, mountPath }] }];
  });
}
