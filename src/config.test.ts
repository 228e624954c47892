import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { limitsFrom, parseLimits } from "./admission/limits.ts";
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
  test("has the limits of the file and the identity of the environment", () => {
    const identity = {
      systemNamespace: "modelhook-system",
      controllerUser: "system:serviceaccount:modelhook-system:modelhook",
      modelhookImage: "registry.example/modelhook:1",
    };
    const text = stringify({ build: BUILD });
    const limits = parseLimits(text);
    expect(load(text)).toEqual({
      limitsPath: path,
      limits: limits.ok ? limitsFrom(limits.file, identity) : undefined,
      identity,
      instance: "modelhook-1",
      logLevel: "info",
      failPoint: undefined,
      kubeconfigPath: undefined,
      inClusterServer: undefined,
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
      identity: { controllerUser: "system:serviceaccount:modelhook-system:other" },
      limits: { policy: { controllerUser: "system:serviceaccount:modelhook-system:other" } },
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
    const { limits } = load({ build: BUILD });
    expect(Object.isFrozen(limits.build.insecureRegistries)).toBe(true);
  });
});

describe("a configuration is refused", () => {
  test.each<[string, unknown, string]>([
    ["no build", {}, "config.yaml: build: is required"],
    ["nothing", "", "config.yaml: null must be an object"],
    [
      "what is no YAML, saying where",
      "a: b: c",
      "config.yaml: is no YAML: Nested mappings are not allowed in compact mappings at line 1, column 4",
    ],
    [
      "an unknown key",
      { build: BUILD, bulid: {} },
      "config.yaml: bulid: is unknown; allowed: localStorage, nfs, AWSEfs, certificates, jobKinds, loader, build; did you mean build?",
    ],
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

  test("when there is no file", () => {
    expect(() => loadConfig(join(directory, "absent.yaml"), ENVIRONMENT)).toThrow(/ENOENT/);
  });
});
