import { describe, expect, test } from "vitest";
import { makeBuildRequest } from "../../test/make/build.ts";
import type { Container, Job } from "../api/kube-types.ts";
import type { BuildPlan, BuildRequest } from "./builder.ts";
import { kanikoBuilder } from "./kaniko.ts";

describe("a build's Job", () => {
  test("is one attempt of the version that owns it", () => {
    const { metadata, spec } = jobOf(makeBuildRequest());
    expect(metadata).toEqual({
      name: "mh-build-0123abcd4567-3",
      namespace: "team-a",
      labels: { "model.kubedl.io/modelversion-uid": "0123abcd-4567-89ef-0123-456789abcdef" },
      ownerReferences: [
        {
          apiVersion: "model.kubedl.io/v1alpha1",
          kind: "ModelVersion",
          name: "mnist-v1",
          uid: "0123abcd-4567-89ef-0123-456789abcdef",
          controller: true,
          blockOwnerDeletion: false,
        },
      ],
    });
    expect(spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 3600 });
    expect(spec?.template).toMatchObject({
      metadata: { labels: metadata?.labels },
      spec: { restartPolicy: "Never", automountServiceAccountToken: false },
    });
  });

  test("answers by the termination message of each container, or the end of its log", () => {
    const policies = containersOf(makeBuildRequest()).map((each) => [
      each.name,
      each.terminationMessagePolicy,
    ]);
    expect(policies).toEqual([
      ["source", "FallbackToLogsOnError"],
      ["kaniko", "FallbackToLogsOnError"],
      ["verify", "FallbackToLogsOnError"],
    ]);
  });

  test("asks for no more than level baseline allows, and each container for as little as it can", () => {
    expect(containersOf(makeBuildRequest()).map(({ securityContext }) => securityContext)).toEqual([
      {
        runAsUser: 0,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"], add: ["DAC_OVERRIDE"] },
      },
      {
        runAsUser: 0,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"], add: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"] },
      },
      {
        runAsUser: 0,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"], add: ["DAC_OVERRIDE"] },
      },
    ]);
  });

  test("never gets write access to the model", () => {
    const request = makeBuildRequest();
    const mounts = containersOf(request).flatMap(({ volumeMounts = [] }) => volumeMounts);
    expect(mounts.filter(({ name }) => name === "model").map(({ readOnly }) => readOnly)).toEqual([
      true,
      true,
      true,
    ]);
    expect(podOf(request).volumes?.[0]).toEqual({
      name: "model",
      persistentVolumeClaim: { claimName: "models", readOnly: true },
    });
  });

  test("mounts the model's directory only where it was seen to exist before", () => {
    const request = makeBuildRequest((draft) => {
      draft.volume = { claimName: "models", subPath: "runs/1" };
    });
    const [source, kaniko, verify] = containersOf(request);
    expect(subPathOf(source)).toBeUndefined();
    expect(subPathOf(kaniko)).toBe("runs/1");
    expect(subPathOf(verify)).toBeUndefined();
    expect(source?.args).toContain("--directory=runs/1");
    expect(verify?.args).toContain("--directory=runs/1");
  });

  test("gives arguments as they are, though the kubelet reads `$`", () => {
    const request = makeBuildRequest((draft) => {
      draft.volume = { claimName: "models", subPath: "a$$b/$(PATH)" };
    });
    expect(containersOf(request)[0]?.args).toContain("--directory=a$$$$b/$$(PATH)");
  });

  test("pushes with the version's Secret, which may be missing so that we can say so", () => {
    const request = makeBuildRequest((draft) => {
      draft.version = {
        ...draft.version,
        spec: { ...draft.version.spec, builder: { pushSecret: { name: "push" } } },
      };
    });
    expect(podOf(request).volumes?.at(-1)).toEqual({
      name: "credentials",
      secret: {
        secretName: "push",
        optional: true,
        items: [{ key: ".dockerconfigjson", path: "config.json" }],
      },
    });
    expect(containersOf(request)[0]?.args).toContain("--credentials-secret=push");
  });

  test("pushes with regcred, where there is one, when the version names no Secret", () => {
    const request = makeBuildRequest();
    expect(podOf(request).volumes?.at(-1)?.secret?.secretName).toBe("regcred");
    expect(containersOf(request)[0]?.args?.join(" ")).not.toContain("--credentials-secret");
  });

  test("labels the image with where it comes from", () => {
    const request = makeBuildRequest((draft) => {
      draft.version = {
        ...draft.version,
        metadata: {
          ...draft.version.metadata,
          annotations: {
            "model.kubedl.io/job-kind": "Job",
            "model.kubedl.io/job-name": "train",
            "model.kubedl.io/job-uid": "j1",
            "model.kubedl.io/pod": "train-0",
            "model.kubedl.io/node": "gpu-1",
            "model.kubedl.io/training-image": "registry.example/train:2",
            "model.kubedl.io/started-at": "2026-11-23T08:00:00Z",
            "model.kubedl.io/completed-at": "2026-11-23T09:00:00Z",
            "model.kubedl.io/requested-by": "ann",
          },
        },
        spec: { ...draft.version.spec, createdBy: "Ann, = of team-a" },
      };
    });
    expect(containersOf(request)[1]?.args?.filter((each) => each.startsWith("--label="))).toEqual([
      "--label=model.kubedl.io/modelversion-uid=0123abcd-4567-89ef-0123-456789abcdef",
      "--label=model.kubedl.io/modelversion=team-a/mnist-v1",
      "--label=model.kubedl.io/model-name=mnist",
      "--label=model.kubedl.io/created-by=Ann, = of team-a",
      "--label=model.kubedl.io/job=Job/train",
      "--label=model.kubedl.io/job-uid=j1",
      "--label=model.kubedl.io/pod=train-0",
      "--label=model.kubedl.io/node=gpu-1",
      "--label=model.kubedl.io/training-image=registry.example/train:2",
      "--label=model.kubedl.io/started-at=2026-11-23T08:00:00Z",
      "--label=model.kubedl.io/completed-at=2026-11-23T09:00:00Z",
      "--label=org.opencontainers.image.created=2026-11-23T09:00:00Z",
    ]);
  });

  test("labels the image of a version that no job made with nothing of a job, and no time", () => {
    expect(
      containersOf(makeBuildRequest())[1]?.args?.filter((each) => each.startsWith("--label=")),
    ).toEqual([
      "--label=model.kubedl.io/modelversion-uid=0123abcd-4567-89ef-0123-456789abcdef",
      "--label=model.kubedl.io/modelversion=team-a/mnist-v1",
      "--label=model.kubedl.io/model-name=mnist",
    ]);
  });

  test("tolerates what keeps others from the one node that has the data", () => {
    const request = makeBuildRequest((draft) => {
      draft.nodeName = "gpu-1";
    });
    expect(podOf(request).tolerations).toEqual([{ operator: "Exists", effect: "NoSchedule" }]);
    expect(podOf(makeBuildRequest()).tolerations).toBeUndefined();
  });

  test.each([
    ["none", undefined, { requests: { cpu: "250m", memory: "256Mi" } }],
    [
      "limits only",
      { limits: { memory: "128Mi" } },
      { requests: { cpu: "250m", memory: "128Mi" }, limits: { memory: "128Mi" } },
    ],
    [
      "both",
      { requests: { "ephemeral-storage": "20Gi" }, limits: { cpu: "2" } },
      {
        requests: { cpu: "2", memory: "256Mi", "ephemeral-storage": "20Gi" },
        limits: { cpu: "2" },
      },
    ],
  ])(
    "has the version's resources when it names %s, in each container",
    (_, resources, expected) => {
      const request = makeBuildRequest((draft) => {
        const builder = resources === undefined ? {} : { resources };
        draft.version = { ...draft.version, spec: { ...draft.version.spec, builder } };
        draft.settings = { ...draft.settings, ephemeralStorage: "0" };
      });
      expect(containersOf(request).map((each) => each.resources)).toEqual([
        expected,
        expected,
        expected,
      ]);
    },
  );

  test("has room for what kaniko writes on the disk of its node, and for nothing else", () => {
    const disks = containersOf(makeBuildRequest()).map(
      ({ resources }) => resources?.requests?.["ephemeral-storage"],
    );
    expect(disks).toEqual([undefined, "1Gi", undefined]);
  });
});

describe("registries", () => {
  test("that are listed may be reached by plain HTTP, and only those that the build uses", () => {
    const request = makeBuildRequest((draft) => {
      draft.imageRepo = "10.0.0.5:5000/models/mnist";
      draft.settings = {
        ...draft.settings,
        insecureRegistries: ["10.0.0.5:5000", "10.0.0.6:5000"],
      };
    });
    const [source, kaniko] = containersOf(request);
    expect(source?.args?.filter((each) => each.includes("insecure"))).toEqual([
      "--insecure-registry=10.0.0.5:5000",
    ]);
    expect(kaniko?.args?.filter((each) => /insecure|tls/.test(each))).toEqual([
      "--insecure-registry=10.0.0.5:5000",
      "--skip-tls-verify-registry=10.0.0.5:5000",
    ]);
  });

  test("of the base image are asked by the container that looks at it, and by kaniko", () => {
    const { settings } = makeBuildRequest();
    const [source, kaniko, verify] = containersOf({
      ...makeBuildRequest(),
      settings: {
        ...settings,
        baseImage: "10.0.0.5:5000/busybox:1",
        insecureRegistries: ["10.0.0.5:5000"],
      },
    });
    const flag = "--insecure-registry=10.0.0.5:5000";
    expect([source, kaniko, verify].map((each) => each?.args?.includes(flag))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test.each([
    "10.1.2.3/m",
    "10.1.2.3:5000/m",
    "172.16.0.1/m",
    "172.31.0.1/m",
    "192.168.1.1:5000/m",
    "127.0.0.1:5000/m",
    "localhost:5000/m",
    "registry.local/m",
    "registry.localhost:5000/m",
    "[::1]:5000/m",
  ])(
    "such as that of %s are refused, since kaniko would fall back to plain HTTP by itself",
    (imageRepo) => {
      const host = imageRepo.split("/")[0];
      expect(planOf({ imageRepo })).toEqual({
        state: "refused",
        reason: "PushDenied",
        message: `kaniko would reach the registry ${host} by plain HTTP, because its address is private; an administrator can allow that by listing it in insecureRegistries`,
      });
    },
  );

  test.each([
    "172.32.0.1/m",
    "8.8.8.8/m",
    "registry.example/m",
    "library/m",
    "m",
    "local.example/m",
  ])("such as that of %s are not", (imageRepo) => {
    expect(planOf({ imageRepo }).state).toBe("ready");
  });

  test("of the base image count, too", () => {
    const { settings } = makeBuildRequest();
    expect(planOf({ settings: { ...settings, baseImage: "10.0.0.5:5000/base:1" } })).toMatchObject({
      state: "refused",
      message: expect.stringContaining("10.0.0.5:5000") as string,
    });
  });
});

describe("the administrator's certificates of registries", () => {
  const request = makeBuildRequest((draft) => {
    draft.imageRepo = "registry.example:5000/models/mnist";
    draft.settings = {
      ...draft.settings,
      baseImage: "base.example/busybox:1",
      registryCertificates: "PEM",
    };
  });
  const name = "registry-certificates";

  test("come with the pod, as a file that shows an annotation of it", () => {
    const annotation = "build.model.kubedl.io/registry-certificates";
    expect(jobOf(request).spec?.template.metadata?.annotations).toEqual({ [annotation]: "PEM" });
    const fieldRef = { fieldPath: `metadata.annotations['${annotation}']` };
    expect(podOf(request).volumes?.at(-1)).toEqual({
      name,
      downwardAPI: { items: [{ path: "ca.pem", fieldRef }] },
    });
  });

  test("are trusted by our containers", () => {
    const [source, , verify] = containersOf(request);
    for (const container of [source, verify]) {
      expect(container?.env).toEqual([
        { name: "NODE_EXTRA_CA_CERTS", value: "/registry-certificates/ca.pem" },
      ]);
      expect(container?.volumeMounts?.at(-1)).toEqual({
        name,
        mountPath: "/registry-certificates",
        readOnly: true,
      });
    }
  });

  test("are trusted by kaniko, for the registries that it reaches", () => {
    const kaniko = containersOf(request)[1];
    expect(kaniko?.args?.filter((each) => each.includes("certificate"))).toEqual([
      "--registry-certificate=registry.example:5000=/kaniko/registry-certificates/ca.pem",
      "--registry-certificate=base.example=/kaniko/registry-certificates/ca.pem",
    ]);
    expect(kaniko?.volumeMounts?.at(-1)).toEqual({
      name,
      mountPath: "/kaniko/registry-certificates",
      readOnly: true,
    });
  });

  test("leave no trace where there are none", () => {
    expect(JSON.stringify(jobOf(makeBuildRequest()))).not.toMatch(/certificate|NODE_EXTRA/i);
  });
});

test("the images of a build pod are pulled with the administrator's Secrets, where there are any", () => {
  expect(podOf(makeBuildRequest())).not.toHaveProperty("imagePullSecrets");
  const request = makeBuildRequest((draft) => {
    draft.settings = { ...draft.settings, imagePullSecrets: ["pull", "other"] };
  });
  expect(podOf(request).imagePullSecrets).toEqual([{ name: "pull" }, { name: "other" }]);
});

describe("a base image", () => {
  test.each(["busybox\nRUN wget evil", "busy box", "BUSYBOX", "busybox:1 AS x", ""])(
    "of %j is no line of a Dockerfile, and refused",
    (baseImage) => {
      const { version } = makeBuildRequest();
      const spec = { ...version.spec, builder: { baseImage } };
      expect(planOf({ version: { ...version, spec } })).toEqual({
        state: "refused",
        reason: "InvalidObject",
        message: `spec.builder.baseImage: ${JSON.stringify(baseImage)} is not an image reference`,
      });
    },
  );

  test("of the version comes before the administrator's", () => {
    const { version, settings } = makeBuildRequest();
    const spec = { ...version.spec, builder: { baseImage: "python:3.13" } };
    const request = {
      ...makeBuildRequest(),
      version: { ...version, spec },
      settings: { ...settings, allowedBaseImages: ["python:3.13"] },
    };
    expect(containersOf(request)[0]?.args).toContain("--base-image=python:3.13");
  });

  test("may be none: the model alone is the image", () => {
    const { version, settings } = makeBuildRequest();
    const spec = { ...version.spec, builder: { baseImage: "scratch" } };
    const request = {
      ...makeBuildRequest(),
      version: { ...version, spec },
      settings: { ...settings, allowedBaseImages: ["scratch"] },
    };
    expect(containersOf(request)[0]?.args).toContain("--base-image=scratch");
  });

  test("that the administrator has not listed is refused", () => {
    const { version, settings } = makeBuildRequest();
    const spec = { ...version.spec, builder: { baseImage: "python:3.13" } };
    const listed = { ...settings, allowedBaseImages: ["python:3.12"] };
    expect(planOf({ version: { ...version, spec }, settings: listed })).toEqual({
      state: "refused",
      reason: "InvalidObject",
      message:
        'spec.builder.baseImage: "python:3.13" is not allowed: the administrator allows registry.example/busybox:1, python:3.12 (build.allowedBaseImages)',
    });
  });
});

function planOf(more: Partial<BuildRequest>): BuildPlan {
  return kanikoBuilder.plan({ ...makeBuildRequest(), ...more });
}

function jobOf(request: BuildRequest): Job {
  const plan = kanikoBuilder.plan(request);
  if (plan.state === "refused") throw new Error(plan.message);
  return plan.objects.at(-1) as Job;
}

function podOf(request: BuildRequest): NonNullable<NonNullable<Job["spec"]>["template"]["spec"]> {
  const pod = jobOf(request).spec?.template.spec;
  if (pod === undefined) throw new Error("the Job has no pod");
  return pod;
}

function containersOf(request: BuildRequest): readonly Container[] {
  const { initContainers = [], containers } = podOf(request);
  return [...initContainers, ...containers];
}

function subPathOf(container: Container | undefined): string | undefined {
  return container?.volumeMounts?.find(({ name }) => name === "model")?.subPath;
}
