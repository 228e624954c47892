import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { ConfigError, loadConfig } from "./config.ts";

const directory = mkdtempSync(join(tmpdir(), "modelhook-config-"));
const path = join(directory, "config.yaml");
afterAll(() => rmSync(directory, { recursive: true }));

const BUILD = { kanikoImage: "registry.example/kaniko:1", baseImage: "busybox:1" };
const ENVIRONMENT = {
  POD_NAMESPACE: "modelhook-system",
  POD_NAME: "modelhook-1",
  MODELHOOK_IMAGE: "registry.example/modelhook:1",
};

function load(file: unknown, environment: Readonly<Record<string, string>> = {}) {
  writeFileSync(path, typeof file === "string" ? file : stringify(file));
  return loadConfig(path, { ...ENVIRONMENT, ...environment });
}

/** The problems of a configuration that can not be loaded. */
function problemsOf(file: unknown, environment?: Readonly<Record<string, string>>) {
  try {
    load(file, environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(path, "config.yaml").split("\n");
  }
}

describe("a configuration", () => {
  test("may name a directory of certificates", () => {
    const file = { build: BUILD, certificates: { directory: "/etc/modelhook-tls/" } };
    expect(load(file).certificateDirectory).toBe("/etc/modelhook-tls/");
  });

  test("needs two images, and has defaults for all else", () => {
    expect(load({ build: BUILD })).toEqual({
      namespace: "modelhook-system",
      instance: "modelhook-1",
      logLevel: "info",
      policy: {
        systemNamespace: "modelhook-system",
        controllerUser: "system:serviceaccount:modelhook-system:modelhook",
        localPrefixes: {},
        nfsServers: [],
        efsFileSystems: [],
        efsAttributes: ["encryptInTransit"],
        registries: { "*": ["*"] },
        engines: ["kaniko"],
        maxResources: {},
        baseImages: [BUILD.baseImage],
        loaderResources: {
          requests: { cpu: "50m", memory: "32Mi" },
          limits: { memory: "256Mi" },
        },
      },
      build: {
        ...BUILD,
        modelhookImage: "registry.example/modelhook:1",
        allowedBaseImages: [],
        allowedRegistries: { "*": ["*"] },
        allowedEngines: ["kaniko"],
        maxResources: {},
        insecureRegistries: [],
        deadlineSeconds: 3600,
        maxAttempts: 5,
      },
      certificateDirectory: undefined,
      failPoint: undefined,
      kubeconfigPath: undefined,
      inClusterServer: undefined,
    });
  });

  test("has what the file says, directories cleaned", () => {
    const config = load({
      localStorage: { allowedPrefixes: { "team-a": ["/models//a/"], "*": ["/models/shared"] } },
      nfs: { allowedServers: ["nfs.example", "10.0.0.1"] },
      AWSEfs: { allowedFileSystems: ["fs-0123"] },
      loader: { resources: { limits: { cpu: 1, memory: "1Gi" } } },
      build: {
        ...BUILD,
        allowedBaseImages: ["registry.example/cuda:12"],
        insecureRegistries: ["10.0.0.1:5000", "registry.example"],
        deadlineSeconds: 60,
        maxAttempts: 1,
      },
    });
    expect(config.policy.localPrefixes).toEqual({
      "team-a": ["/models/a"],
      "*": ["/models/shared"],
    });
    expect(config.policy).toMatchObject({
      nfsServers: ["nfs.example", "10.0.0.1"],
      efsFileSystems: ["fs-0123"],
      baseImages: [BUILD.baseImage, "registry.example/cuda:12"],
    });
    expect(config.policy.loaderResources).toEqual({ limits: { cpu: "1", memory: "1Gi" } });
    expect(config.build).toMatchObject({
      allowedBaseImages: ["registry.example/cuda:12"],
      insecureRegistries: ["10.0.0.1:5000", "registry.example"],
      deadlineSeconds: 60,
      maxAttempts: 1,
    });
  });

  test("has what the environment says", () => {
    const config = load(
      { build: BUILD },
      {
        SERVICE_ACCOUNT: "other",
        LOG_LEVEL: "debug",
        MODELHOOK_FAIL_POINT: "after:3",
        KUBECONFIG: "/etc/kubeconfig",
        KUBERNETES_SERVICE_HOST: "10.96.0.1",
        KUBERNETES_SERVICE_PORT: "6443",
      },
    );
    expect(config).toMatchObject({
      policy: { controllerUser: "system:serviceaccount:modelhook-system:other" },
      logLevel: "debug",
      failPoint: { when: "after", write: 3 },
      kubeconfigPath: "/etc/kubeconfig",
      inClusterServer: "https://10.96.0.1:6443",
    });
  });

  test("names an API server of IPv6 in brackets", () => {
    const environment = { KUBERNETES_SERVICE_HOST: "fd00::1" };
    expect(load({ build: BUILD }, environment).inClusterServer).toBe("https://[fd00::1]:443");
  });

  test("takes an empty variable for one that is not set", () => {
    const config = load(
      { build: BUILD },
      { KUBECONFIG: "", MODELHOOK_FAIL_POINT: "", LOG_LEVEL: "", KUBERNETES_SERVICE_HOST: "" },
    );
    expect(config).toMatchObject({
      kubeconfigPath: undefined,
      failPoint: undefined,
      logLevel: "info",
      inClusterServer: undefined,
    });
  });

  test("can not be changed", () => {
    const { build } = load({ build: BUILD });
    expect(Object.isFrozen(build.insecureRegistries)).toBe(true);
  });
});

describe("a configuration is refused", () => {
  test.each<[string, unknown, string]>([
    ["nothing", "", "config.yaml: null must be an object"],
    ["no build", {}, "config.yaml: build: is required"],
    [
      "an image that is none",
      { build: { ...BUILD, kanikoImage: "Kaniko" } },
      'config.yaml: build.kanikoImage: "Kaniko" must be an image: lower case registry/path:tag',
    ],
    [
      "an empty image",
      { build: { ...BUILD, baseImage: "" } },
      'config.yaml: build.baseImage: "" must be an image: lower case registry/path:tag',
    ],
    [
      "the URL of a registry",
      { build: { ...BUILD, insecureRegistries: ["http://10.0.0.1:5000"] } },
      'config.yaml: build.insecureRegistries[0]: "http://10.0.0.1:5000" must be host:port as images name it, without http://',
    ],
    [
      "no attempts",
      { build: { ...BUILD, maxAttempts: 0 } },
      "config.yaml: build.maxAttempts: 0 must be at least 1",
    ],
    [
      "the root of nodes",
      { build: BUILD, localStorage: { allowedPrefixes: { "*": ["/"] } } },
      'config.yaml: localStorage.allowedPrefixes.*[0]: "/" must be an absolute directory other than /, without ".."',
    ],
    [
      "a directory that climbs",
      { build: BUILD, localStorage: { allowedPrefixes: { "*": ["/models/../etc"] } } },
      'config.yaml: localStorage.allowedPrefixes.*[0]: "/models/../etc" must be an absolute directory other than /, without ".."',
    ],
    [
      "a namespace that can not be",
      { build: BUILD, localStorage: { allowedPrefixes: { Team_A: ["/models"] } } },
      'config.yaml: localStorage.allowedPrefixes.Team_A: "Team_A" must be the name of a namespace, or *',
    ],
    [
      "the export of an NFS server",
      { build: BUILD, nfs: { allowedServers: ["nfs.example/models"] } },
      'config.yaml: nfs.allowedServers[0]: "nfs.example/models" must be a host name or an address, or *',
    ],
    [
      "a file system that can not be",
      { build: BUILD, AWSEfs: { allowedFileSystems: ["models"] } },
      'config.yaml: AWSEfs.allowedFileSystems[0]: "models" must be a file system, such as fs-0123, or *',
    ],
    [
      "a quantity that is none",
      { build: BUILD, loader: { resources: { limits: { memory: "lots" } } } },
      'config.yaml: loader.resources.limits.memory: "lots" must be a quantity, such as 100m or 64Mi',
    ],
    ["an unknown key", { build: BUILD, bulid: {} }, 'config.yaml: Unrecognized key: "bulid"'],
  ])("with %s", (_, file, problem) => {
    expect(problemsOf(file)).toEqual([problem]);
  });

  test.each([
    [{ POD_NAME: "" }, "environment: POD_NAME: is required"],
    [
      { MODELHOOK_IMAGE: "not an image" },
      'environment: MODELHOOK_IMAGE: "not an image" must be an image: lower case registry/path:tag',
    ],
    [
      { LOG_LEVEL: "loud" },
      'environment: LOG_LEVEL: "loud" is not allowed; allowed: debug, info, warn, error, silent',
    ],
    [
      { MODELHOOK_FAIL_POINT: "3" },
      "environment: MODELHOOK_FAIL_POINT: must be before:N or after:N",
    ],
  ])("with the environment %j", (environment, problem) => {
    expect(problemsOf({ build: BUILD }, environment)).toEqual([problem]);
  });

  test("with every problem at once, of file and environment", () => {
    expect(
      problemsOf({ build: { baseImage: "A" } }, { LOG_LEVEL: "x", POD_NAMESPACE: "" }),
    ).toHaveLength(4);
  });

  test("when it is no YAML, saying where", () => {
    expect(problemsOf("a: b: c")[0]).toMatch(
      /^config.yaml: can not be read: .* at line 1, column 4/,
    );
  });

  test("when there is no file", () => {
    expect(() => loadConfig(join(directory, "absent.yaml"), ENVIRONMENT)).toThrow(/ENOENT/);
  });
});
