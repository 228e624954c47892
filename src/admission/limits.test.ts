import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { describe, expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import type { ConfigMap } from "../api/kube-types.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import { limitsFrom, parseLimits, type Limits } from "./limits.ts";

const BUILD = { kanikoImage: "registry.example/kaniko:1", baseImage: "busybox:1" };
const IDENTITY = {
  systemNamespace: "modelhook-system",
  controllerUser: "system:serviceaccount:modelhook-system:modelhook",
  modelhookImage: "registry.example/modelhook:1",
};

function limitsOf(written: unknown): Limits {
  const parsed = parseLimits(typeof written === "string" ? written : stringify(written));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return limitsFrom(parsed.file, IDENTITY);
}

/** Each fault as one text. */
function faultsOf(written: unknown): readonly string[] {
  const parsed = parseLimits(typeof written === "string" ? written : stringify(written));
  return parsed.ok ? [] : parsed.faults.map(({ field, message }) => `${field}: ${message}`);
}

describe("limits", () => {
  const defaults: Limits = {
    policy: {
      systemNamespace: "modelhook-system",
      controllerUser: "system:serviceaccount:modelhook-system:modelhook",
      localPrefixes: {},
      nfsServers: [],
      efsFileSystems: [],
      efsAttributes: ["encryptInTransit"],
      registries: { "*": ["*"] },
      engines: ["kaniko", "direct"],
      maxResources: {},
      baseImages: [BUILD.baseImage],
      jobKinds: JOB_KINDS,
      loaderResources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "256Mi" } },
    },
    build: {
      ...BUILD,
      modelhookImage: "registry.example/modelhook:1",
      allowedBaseImages: [],
      allowedRegistries: { "*": ["*"] },
      engine: "kaniko",
      allowedEngines: ["kaniko", "direct"],
      maxResources: {},
      ephemeralStorage: "1Gi",
      insecureRegistries: [],
      registryCertificates: "",
      imagePullSecrets: [],
      deadlineSeconds: 3600,
      maxAttempts: 5,
    },
    certificateDirectory: undefined,
  };

  test("need two images, and have safe defaults for all else", () => {
    expect(limitsOf({ build: BUILD })).toEqual(defaults);
  });

  test("as deploy/install.yaml shows them are the defaults, each of them written out", () => {
    const file = readFileSync(join(import.meta.dirname, "../../deploy/install.yaml"), "utf8");
    const shown = parseAllDocuments(file)
      .map((document) => document.toJS() as ConfigMap)
      .find(({ kind }) => kind === "ConfigMap")?.data?.["config.yaml"];
    const images = {
      kanikoImage: "modelhook.example/kaniko",
      baseImage: "modelhook.example/busybox",
    };
    expect(limitsOf(shown)).toEqual(limitsOf({ build: images }));
    const parsed = parseLimits(shown ?? "");
    const { certificates: _, ...every } = parsed.ok ? parsed.file : {};
    expect(parseAllDocuments(shown ?? "")[0]?.toJS()).toEqual(every);
  });

  test("have what the file says, directories cleaned", () => {
    const limits = limitsOf({
      localStorage: { allowedPrefixes: { "team-a": ["/models//a/"], "*": ["/models/shared"] } },
      nfs: { allowedServers: ["nfs.example", "10.0.0.1"] },
      AWSEfs: { allowedFileSystems: ["fs-0123"] },
      certificates: { directory: "/etc/modelhook-tls/" },
      loader: { resources: { limits: { cpu: 1, memory: "1Gi" } } },
      build: {
        ...BUILD,
        allowedBaseImages: ["registry.example/cuda:12"],
        allowedRegistries: { "team-a": ["registry.example/a"] },
        insecureRegistries: ["10.0.0.1:5000", "registry.example"],
        imagePullSecrets: ["pull.modelhook"],
        maxResources: { cpu: 4, "nvidia.com/gpu": 0 },
        ephemeralStorage: 0,
        deadlineSeconds: 60,
        maxAttempts: 1,
      },
    });
    expect(limits.policy).toMatchObject({
      localPrefixes: { "team-a": ["/models/a"], "*": ["/models/shared"] },
      nfsServers: ["nfs.example", "10.0.0.1"],
      efsFileSystems: ["fs-0123"],
      registries: { "team-a": ["registry.example/a"] },
      maxResources: { cpu: "4", "nvidia.com/gpu": "0" },
      baseImages: [BUILD.baseImage, "registry.example/cuda:12"],
      loaderResources: { limits: { cpu: "1", memory: "1Gi" } },
    });
    expect(limits.build).toMatchObject({
      allowedBaseImages: ["registry.example/cuda:12"],
      insecureRegistries: ["10.0.0.1:5000", "registry.example"],
      imagePullSecrets: ["pull.modelhook"],
      maxResources: { cpu: "4", "nvidia.com/gpu": "0" },
      ephemeralStorage: "0",
      deadlineSeconds: 60,
      maxAttempts: 1,
    });
    expect(limits.certificateDirectory).toBe("/etc/modelhook-tls/");
  });
});

describe("limits are refused", () => {
  const build = (more: object): object => ({ build: { ...BUILD, ...more } });
  const local = (allowedPrefixes: object): object => ({
    build: BUILD,
    localStorage: { allowedPrefixes },
  });
  test.each<[string, unknown, string]>([
    ["with nothing", "", ": null must be an object"],
    ["with no build", {}, "build: is required"],
    [
      "with an image that is none",
      build({ kanikoImage: "Kaniko" }),
      'build.kanikoImage: "Kaniko" must be an image: lower case registry/path:tag',
    ],
    [
      "with an empty image",
      build({ baseImage: "" }),
      'build.baseImage: "" must be an image: lower case registry/path:tag',
    ],
    [
      "with the URL of a registry",
      build({ insecureRegistries: ["http://10.0.0.1:5000"] }),
      'build.insecureRegistries[0]: "http://10.0.0.1:5000" must be host:port as images name it, without http://',
    ],
    [
      "with what is no name of a Secret",
      build({ imagePullSecrets: ["team/pull"] }),
      'build.imagePullSecrets[0]: "team/pull" must be the name of a Secret',
    ],
    [
      "with what are no certificates",
      build({ registryCertificates: "registry.example" }),
      "build.registryCertificates: holds no certificate (PEM, -----BEGIN CERTIFICATE-----)",
    ],
    [
      "with what is no registry to push to",
      build({ allowedRegistries: { "*": ["library"] } }),
      'build.allowedRegistries.*[0]: "library" must be a registry or a repository in one, such as registry.example/team, or *',
    ],
    [
      "with an engine that there is not",
      build({ allowedEngines: ["docker"] }),
      'build.allowedEngines[0]: "docker" is not allowed; allowed: kaniko, direct',
    ],
    [
      "with a ceiling of a misspelt resource, which would be none",
      build({ maxResources: { cpus: "1" } }),
      'build.maxResources.cpus: "cpus" is no resource; allowed: cpu, memory, ephemeral-storage, and those of devices, such as nvidia.com/gpu',
    ],
    [
      "with a ceiling below nothing",
      build({ maxResources: { cpu: "-1" } }),
      'build.maxResources.cpu: "-1" must be a quantity, such as 100m or 64Mi',
    ],
    [
      "with a disk that is no quantity",
      build({ ephemeralStorage: "big" }),
      'build.ephemeralStorage: "big" must be a quantity, such as 100m or 64Mi',
    ],
    ["with no attempts", build({ maxAttempts: 0 }), "build.maxAttempts: 0 must be at least 1"],
    [
      "with the root of nodes",
      local({ "*": ["/"] }),
      'localStorage.allowedPrefixes.*[0]: "/" must be an absolute directory other than /, without ".."',
    ],
    [
      "with a directory that climbs",
      local({ "*": ["/models/../etc"] }),
      'localStorage.allowedPrefixes.*[0]: "/models/../etc" must be an absolute directory other than /, without ".."',
    ],
    [
      "with a namespace that can not be",
      local({ Team_A: ["/models"] }),
      'localStorage.allowedPrefixes.Team_A: "Team_A" must be the name of a namespace, or *',
    ],
    [
      "with the export of an NFS server",
      { build: BUILD, nfs: { allowedServers: ["nfs.example/models"] } },
      'nfs.allowedServers[0]: "nfs.example/models" must be a host name or an address, or *',
    ],
    [
      "with a file system that can not be",
      { build: BUILD, AWSEfs: { allowedFileSystems: ["models"] } },
      'AWSEfs.allowedFileSystems[0]: "models" must be a file system, such as fs-0123, or *',
    ],
    [
      "with a quantity that is none",
      { build: BUILD, loader: { resources: { limits: { memory: "lots" } } } },
      'loader.resources.limits.memory: "lots" must be a quantity, such as 100m or 64Mi',
    ],
    [
      "with a loader that no pod could have",
      {
        build: BUILD,
        loader: { resources: { requests: { memory: "2Gi" }, limits: { memory: "1Gi" } } },
      },
      'loader.resources.requests.memory: "2Gi" must be no more than the limit, 1Gi',
    ],
    [
      "with a misspelt section",
      { build: BUILD, bulid: {} },
      "bulid: is unknown; allowed: localStorage, nfs, AWSEfs, certificates, jobKinds, loader, build; did you mean build?",
    ],
    [
      "with a misspelt limit",
      { build: BUILD, localStorage: { allowedPrefix: {} } },
      "localStorage.allowedPrefix: is unknown; allowed: allowedPrefixes; did you mean allowedPrefixes?",
    ],
    [
      "when they are no YAML",
      "a: b: c",
      ": is no YAML: Nested mappings are not allowed in compact mappings at line 1, column 4",
    ],
    [
      "when a key comes twice",
      "build: {}\nbuild: {}",
      ": is no YAML: Map keys must be unique at line 2, column 1",
    ],
    [
      "when a key is no text, of which many in each other would take minutes to print",
      "? [a]\n: b",
      ": is no YAML: all keys must be strings at line 1, column 3",
    ],
    [
      "when they unfold for ever",
      `a: &a [1,1,1,1,1,1,1,1,1,1]\n${"bcdefgh".replaceAll(/./g, (name) => {
        const before = String.fromCodePoint(name.charCodeAt(0) - 1);
        return `${name}: &${name} [${Array(10).fill(`*${before}`).join()}]\n`;
      })}`,
      ": is no YAML: Excessive alias count indicates a resource exhaustion attack",
    ],
  ])("%s", (_, written, fault) => {
    expect(faultsOf(written)).toEqual([fault]);
  });

  test("with every fault at once", () => {
    const written = { nfs: { allowedServer: [] }, build: { baseImage: "A", maxAttempts: 0 } };
    expect(faultsOf(written).map((fault) => fault.split(":")[0])).toEqual([
      "build.kanikoImage",
      "build.baseImage",
      "build.maxAttempts",
      "nfs.allowedServer",
    ]);
  });
});

describe("certificates of registries", () => {
  const [authority = ""] = rootCertificates;

  test("are kept as they are, without what is around them", () => {
    const limits = limitsOf({ build: { ...BUILD, registryCertificates: `\n${authority}\n` } });
    expect(limits.build.registryCertificates).toBe(authority);
  });

  test("are refused with a key, which is not repeated", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const faults = faultsOf({ build: { ...BUILD, registryCertificates: authority + pem } });
    expect(faults).toEqual([
      expect.stringMatching(/^build.registryCertificates: holds a private key/),
    ]);
    for (const line of pem.split("\n").filter((each) => /^[^-]/.test(each))) {
      expect(faults[0]).not.toContain(line.slice(0, 16));
    }
  });
});

test("settings that are like none are ignored, and named: another release may know them", () => {
  const parsed = parseLimits(stringify({ build: { ...BUILD, cache: {} }, page: {} }));
  expect(parsed).toMatchObject({ ok: true, file: { build: BUILD } });
  const ignored = parsed.ok ? parsed.ignored.map(({ field }) => field) : [];
  expect(ignored).toEqual(["build.cache", "page"]);
});
