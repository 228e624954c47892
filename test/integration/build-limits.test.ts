import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Policy } from "../../src/admission/policy.ts";
import type { Job } from "../../src/api/kube-types.ts";
import type { BuildSettings } from "../../src/builder/builder.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { eventsOn, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const SOON = { timeout: 20_000 };

/** What the administrator allows, once modelhook runs. */
const LIMITS = {
  localPrefixes: { "*": ["/models"] },
  nfsServers: ["nfs.test"],
  efsFileSystems: ["fs-1"],
  registries: { "*": ["registry.test"] },
} as const;

function specOf(name: string, more: object): object {
  const storage = { persistentVolumeClaim: { claimName: "models", subPath: name } };
  return { modelName: "digits", imageRepo: `registry.test/${name}`, storage, ...more };
}

/** Versions that break one limit each. */
const BREAKING: readonly (readonly [name: string, more: object, because: string])[] = [
  [
    "path",
    { storage: { localStorage: { path: "/etc", nodeName: "node-1" } } },
    'PathNotAllowed: spec.storage.localStorage.path: "/etc" is not allowed: allowed are directories below /models',
  ],
  [
    "nfs-server",
    { storage: { nfs: { server: "10.0.0.9", path: "/" } } },
    'InvalidObject: spec.storage.nfs.server: "10.0.0.9" is not allowed: the administrator allows nfs.test (nfs.allowedServers)',
  ],
  [
    "efs-file-system",
    { storage: { AWSEfs: { volumeHandle: "fs-9" } } },
    'InvalidObject: spec.storage.AWSEfs.volumeHandle: "fs-9" is not allowed: the administrator allows fs-1 (AWSEfs.allowedFileSystems)',
  ],
  [
    "efs-attribute",
    { storage: { AWSEfs: { volumeHandle: "fs-1", attributes: { mounttargetip: "10.0.0.9" } } } },
    'InvalidObject: spec.storage.AWSEfs.attributes.mounttargetip: "mounttargetip" is not allowed: the administrator allows encryptInTransit (AWSEfs.allowedAttributes)',
  ],
  [
    "registry",
    { imageRepo: "evil.test/digits" },
    'InvalidObject: spec.imageRepo: "evil.test/digits" is not allowed: the administrator allows this namespace registry.test (build.allowedRegistries)',
  ],
  [
    "base-image",
    { builder: { baseImage: "evil.test/base:1" } },
    'InvalidObject: spec.builder.baseImage: "evil.test/base:1" is not allowed: the administrator allows registry.test/busybox:1 (build.allowedBaseImages)',
  ],
];

let plane: ControlPlane;
let modelhook: RunningModelhook;
beforeAll(async () => {
  plane = await startPlane();
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "models" },
    spec: {
      accessModes: ["ReadWriteMany"],
      storageClassName: "",
      resources: { requests: { storage: "1Gi" } },
    },
  };
  await create(claim);
  for (const [name, more] of BREAKING) await makeVersion(name, specOf(name, more));
  await makeVersion("allowed", specOf("allowed", {}));
  modelhook = await startModelhook(plane, { limits: LIMITS });
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("what was stored while no webhook ran", () => {
  test.each(BREAKING)(
    "is not built when its %s is not allowed, and says why",
    async (name, _, because) => {
      await expect
        .poll(async () => statusOf(name), SOON)
        .toMatchObject({ imageBuildPhase: "ImageBuildFailed", message: because });
      await expect.poll(async () => eventsOn(plane, name), SOON).toContain(because);
    },
  );

  test("and is allowed is built, and nothing else is", async () => {
    await expect.poll(jobOwners, SOON).toEqual(["allowed"]);
  });
});

describe("when the limits have changed", () => {
  test("a version that they refused is built after a retry", async () => {
    await changeLimits({ registries: { "*": ["*"] } });
    expect(await statusOf("registry")).toMatchObject({ imageBuildPhase: "ImageBuildFailed" });
    await plane.kubectl(["annotate", "modelversion", "registry", "model.kubedl.io/retry=1"]);
    await expect.poll(jobOwners, SOON).toEqual(["allowed", "registry"]);
  });

  test("the next build has the certificates, the pull Secrets and the disk that they name", async () => {
    const [authority = ""] = rootCertificates;
    const registries = { "*": ["*"] };
    const build = {
      registryCertificates: authority,
      imagePullSecrets: ["pull"],
      ephemeralStorage: "5Gi",
    };
    await changeLimits({ registries }, build);
    await makeVersion("trusting", specOf("trusting", {}));
    await expect.poll(async () => jobOf("trusting"), SOON).toBeDefined();
    const { metadata, spec } = (await jobOf("trusting"))?.spec?.template ?? {};
    expect(metadata?.annotations).toEqual({
      "build.model.kubedl.io/registry-certificates": authority,
    });
    expect(spec?.imagePullSecrets).toEqual([{ name: "pull" }]);
    expect(spec?.volumes?.find(({ downwardAPI }) => downwardAPI !== undefined)).toMatchObject({
      name: "registry-certificates",
      downwardAPI: {
        items: [
          {
            path: "ca.pem",
            fieldRef: {
              fieldPath: "metadata.annotations['build.model.kubedl.io/registry-certificates']",
            },
          },
        ],
      },
    });
    const [, kaniko] = spec?.initContainers ?? [];
    expect(kaniko?.resources?.requests).toMatchObject({ "ephemeral-storage": "5Gi" });
  });

  test("one whose engine no namespace may use any more is not", async () => {
    await changeLimits({ engines: [] });
    await makeVersion("late", specOf("late", {}));
    await expect
      .poll(async () => statusOf("late"), SOON)
      .toMatchObject({
        imageBuildPhase: "ImageBuildFailed",
        message:
          'InvalidObject: spec.builder.engine: "kaniko" is not allowed: the administrator allows none (build.allowedEngines)',
      });
  });
});

/** Changes them, and waits until they are followed. */
async function changeLimits(
  limits: Partial<Policy>,
  build: Partial<BuildSettings> = {},
): Promise<void> {
  const changes = (): number => modelhook.output().split("The limits are in force").length;
  const before = changes();
  await modelhook.setLimits({ limits: { ...LIMITS, ...limits }, build });
  await expect.poll(changes, SOON).toBeGreaterThan(before);
}

/** Names of the versions that are built. */
async function jobOwners(): Promise<readonly string[]> {
  const jobs = await list<Job>(plane, "jobs", "model.kubedl.io/modelversion-uid");
  return jobs.map(({ metadata }) => metadata?.ownerReferences?.[0]?.name ?? "").toSorted();
}

async function jobOf(version: string): Promise<Job | undefined> {
  const jobs = await list<Job>(plane, "jobs", "model.kubedl.io/modelversion-uid");
  return jobs.find(({ metadata }) => metadata?.ownerReferences?.[0]?.name === version);
}

async function statusOf(name: string): Promise<ModelVersion["status"]> {
  return (await read<ModelVersion>(plane, "modelversion", name))?.status;
}

async function makeVersion(name: string, spec: object): Promise<void> {
  const type = { apiVersion: "model.kubedl.io/v1alpha1", kind: "ModelVersion" };
  await create({ ...type, metadata: { name }, spec });
}

async function create(object: object): Promise<void> {
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(object));
}
