import { describe, expect, test } from "vitest";
import { makeBuildRequest } from "../../test/make/build.ts";
import type { Container, Job, PodSpec } from "../api/kube-types.ts";
import type { BuildPlan, BuildRequest } from "./builder.ts";
import { directBuilder } from "./direct.ts";

const UID = "0123abcd-4567-89ef-0123-456789abcdef";
const PREVIOUS = `registry.example/models/mnist@sha256:${"c".repeat(64)}`;

describe("a build's Job", () => {
  test("is one attempt of the version that owns it, in one container of ours", () => {
    expect(jobOf(makeBuildRequest())).toEqual({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name: "mh-build-0123abcd4567-3",
        namespace: "team-a",
        labels: { "model.kubedl.io/modelversion-uid": UID },
        ownerReferences: [
          {
            apiVersion: "model.kubedl.io/v1alpha1",
            kind: "ModelVersion",
            name: "mnist-v1",
            uid: UID,
            controller: true,
            blockOwnerDeletion: false,
          },
        ],
      },
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: 3600,
        template: {
          metadata: { labels: { "model.kubedl.io/modelversion-uid": UID } },
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            terminationGracePeriodSeconds: 1,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65_532,
              runAsGroup: 65_532,
              seccompProfile: { type: "RuntimeDefault" },
            },
            containers: [
              {
                name: "build-image",
                image: "registry.example/modelhook:1",
                args: [
                  "build-image",
                  "--source=/source",
                  "--directory=",
                  "--image=registry.example/models/mnist:v1",
                  `--version-uid=${UID}`,
                  "--credentials=/credentials/config.json",
                  "--base-image=registry.example/busybox:1",
                  `--label=model.kubedl.io/modelversion-uid=${UID}`,
                  "--label=model.kubedl.io/modelversion=team-a/mnist-v1",
                  "--label=model.kubedl.io/model-name=mnist",
                  "--again",
                ],
                resources: { requests: { cpu: "250m", memory: "256Mi" } },
                terminationMessagePolicy: "FallbackToLogsOnError",
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                volumeMounts: [
                  { name: "model", mountPath: "/source", readOnly: true },
                  { name: "credentials", mountPath: "/credentials", readOnly: true },
                ],
              },
            ],
            volumes: [
              {
                name: "model",
                persistentVolumeClaim: { claimName: "models", readOnly: true },
              },
              {
                name: "credentials",
                secret: {
                  secretName: "regcred",
                  optional: true,
                  items: [{ key: ".dockerconfigjson", path: "config.json" }],
                },
              },
            ],
          },
        },
      },
    });
  });

  test("says of which image the model before it is, and on the first attempt that nothing was pushed", () => {
    const request = makeBuildRequest((draft) => {
      draft.attempt = 1;
      draft.previous = PREVIOUS;
    });
    expect(argumentsOf(request)).toContain(`--previous=${PREVIOUS}`);
    expect(argumentsOf(request)).not.toContain("--again");
  });

  test.each([2, 3, 40])(
    "says on attempt %i that one before it may have pushed a part",
    (attempt) => {
      expect(argumentsOf({ ...makeBuildRequest(), attempt })).toContain("--again");
    },
  );

  test("gives arguments as they are, though the kubelet reads `$`", () => {
    const request = makeBuildRequest((draft) => {
      draft.volume = { claimName: "models", subPath: "a$$b/$(PATH)" };
      draft.version = {
        ...draft.version,
        spec: { ...draft.version.spec, createdBy: "$(HOSTNAME) for $5" },
      };
    });
    expect(argumentsOf(request)).toContain("--directory=a$$$$b/$$(PATH)");
    expect(argumentsOf(request)).toContain(
      "--label=model.kubedl.io/created-by=$$(HOSTNAME) for $$5",
    );
  });

  test("mounts the root of the volume, since a directory that is missing would be made", () => {
    const request = makeBuildRequest((draft) => {
      draft.volume = { claimName: "models", subPath: "runs/1" };
    });
    expect(argumentsOf(request)).toContain("--directory=runs/1");
    expect(JSON.stringify(podOf(request))).not.toContain("subPath");
  });

  test("pushes with the version's Secret, which may be missing so that we can say so", () => {
    const request = withBuilder({ pushSecret: { name: "push" } });
    expect(podOf(request).volumes?.at(-1)?.secret).toMatchObject({
      secretName: "push",
      optional: true,
    });
    expect(argumentsOf(request)).toContain("--credentials-secret=push");
  });

  test("may reach the registries that it uses by plain HTTP where they are listed, and no others", () => {
    const { settings } = makeBuildRequest();
    const request = {
      ...makeBuildRequest(),
      imageRepo: "10.0.0.5:5000/models/mnist",
      settings: {
        ...settings,
        baseImage: "10.0.0.6:5000/busybox:1",
        insecureRegistries: ["10.0.0.5:5000", "10.0.0.6:5000", "10.0.0.7:5000"],
      },
    };
    expect(argumentsOf(request).filter((each) => each.includes("insecure"))).toEqual([
      "--insecure-registry=10.0.0.5:5000",
      "--insecure-registry=10.0.0.6:5000",
    ]);
  });

  test("has the version's resources", () => {
    const request = withBuilder({ resources: { limits: { cpu: "2", memory: "64Mi" } } });
    expect(containerOf(request).resources).toEqual({
      requests: { cpu: "2", memory: "64Mi" },
      limits: { cpu: "2", memory: "64Mi" },
    });
  });

  test("tolerates what keeps others from the one node that has the data", () => {
    const request = { ...makeBuildRequest(), nodeName: "gpu-1" };
    expect(podOf(request).tolerations).toEqual([{ operator: "Exists", effect: "NoSchedule" }]);
  });
});

/** The controls of the Pod Security Standards, level restricted, with those of baseline that it includes. */
describe("at level restricted, a build's pod", () => {
  const request = makeBuildRequest((draft) => {
    draft.nodeName = "gpu-1";
    draft.volume = { claimName: "models", subPath: "runs/1" };
    draft.previous = PREVIOUS;
  });
  const pod = podOf(request);
  const containers = [...(pod.initContainers ?? []), ...pod.containers];

  test("uses volumes of allowed kinds only", () => {
    const allowed = new Set([
      "configMap",
      "csi",
      "downwardAPI",
      "emptyDir",
      "ephemeral",
      "persistentVolumeClaim",
      "projected",
      "secret",
      "name",
    ]);
    const kinds = (pod.volumes ?? []).flatMap((volume) => Object.keys(volume));
    expect(kinds.filter((each) => !allowed.has(each))).toEqual([]);
  });

  test("lets no container gain privileges or keep capabilities", () => {
    for (const { securityContext } of containers) {
      expect(securityContext?.allowPrivilegeEscalation).toBe(false);
      expect(securityContext?.capabilities).toEqual({ drop: ["ALL"] });
      expect(securityContext?.privileged).toBeUndefined();
      expect(securityContext?.procMount).toBeUndefined();
    }
  });

  test("runs as somebody who is not root, and no container overrules that", () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532 });
    for (const { securityContext } of containers) {
      expect(securityContext).not.toHaveProperty("runAsUser");
      expect(securityContext).not.toHaveProperty("runAsNonRoot");
    }
  });

  test("has the runtime's seccomp profile, and nothing of SELinux, AppArmor or sysctls", () => {
    expect(pod.securityContext?.seccompProfile).toEqual({ type: "RuntimeDefault" });
    for (const context of [
      pod.securityContext,
      ...containers.map((each) => each.securityContext),
    ]) {
      for (const field of ["seLinuxOptions", "appArmorProfile", "sysctls", "windowsOptions"]) {
        expect(context).not.toHaveProperty(field);
      }
    }
  });

  test("shares nothing with its node", () => {
    for (const field of ["hostNetwork", "hostPID", "hostIPC", "hostUsers"]) {
      expect(pod).not.toHaveProperty(field);
    }
    expect(containers.flatMap(({ ports = [] }) => ports)).toEqual([]);
  });
});

describe("a base image", () => {
  test("may be none: the model alone is the image", () => {
    const { settings } = makeBuildRequest();
    const request = {
      ...withBuilder({ baseImage: "scratch" }),
      settings: { ...settings, allowedBaseImages: ["scratch"] },
    };
    expect(argumentsOf(request)).toContain("--base-image=scratch");
  });

  test.each([
    ["python:3.13", "not allowed: the administrator allows registry.example/busybox:1"],
    ["--help", "not an image reference"],
    ["", "not an image reference"],
  ])("of %j is refused", (baseImage, message) => {
    expect(directBuilder.plan(withBuilder({ baseImage }))).toEqual({
      state: "refused",
      reason: "InvalidObject",
      message: expect.stringContaining(message) as string,
    });
  });
});

test("a registry at a private address is not refused: this engine never falls back to plain HTTP", () => {
  const plan: BuildPlan = directBuilder.plan({ ...makeBuildRequest(), imageRepo: "10.1.2.3/m" });
  expect(plan.state).toBe("ready");
});

function withBuilder(
  builder: NonNullable<BuildRequest["version"]["spec"]["builder"]>,
): BuildRequest {
  const { version } = makeBuildRequest();
  return {
    ...makeBuildRequest(),
    version: { ...version, spec: { ...version.spec, builder } },
  };
}

function argumentsOf(request: BuildRequest): readonly string[] {
  return containerOf(request).args ?? [];
}

function containerOf(request: BuildRequest): Container {
  const [container] = podOf(request).containers;
  if (container === undefined) throw new Error("the pod has no container");
  return container;
}

function podOf(request: BuildRequest): PodSpec {
  const pod = jobOf(request).spec?.template.spec;
  if (pod === undefined) throw new Error("the Job has no pod");
  return pod;
}

function jobOf(request: BuildRequest): Job {
  const plan = directBuilder.plan(request);
  if (plan.state === "refused") throw new Error(plan.message);
  const [job, ...others] = plan.objects;
  expect(others).toEqual([]);
  return job as Job;
}
