import { describe, expect, test } from "vitest";
import {
  makePreflight,
  makePreflightRequest,
  type PreflightTweak,
} from "../../test/make/preflight.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import { printReport } from "../api/build-report.ts";
import type { Container, PodSpec } from "../api/kube-types.ts";
import type { Reason } from "../api/reasons.ts";
import {
  preflightJob,
  preflightOutcome,
  preflightRefusal,
  type PreflightOutcome,
  type PreflightRequest,
} from "./preflight.ts";

const UID = "0123abcd-4567-89ef-0123-456789abcdef";
const MARKS = { "app.kubernetes.io/managed-by": "modelhook", "model.kubedl.io/preflight": UID };

describe("a preflight's Job", () => {
  test("is named from the exporting job, which owns it and does not control it", () => {
    expect(preflightJob(makePreflightRequest()).metadata).toEqual({
      name: "mh-preflight-0123abcd456789ef",
      namespace: "team-a",
      labels: MARKS,
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "train", uid: UID }],
    });
  });

  test("runs once, ends soon and is gone soon after", () => {
    expect(preflightJob(makePreflightRequest()).spec).toMatchObject({
      backoffLimit: 0,
      activeDeadlineSeconds: 60,
      ttlSecondsAfterFinished: 60,
    });
  });

  test("bears none of the marks of jobs that export and pods that serve", () => {
    const { metadata, spec } = preflightJob(makePreflightRequest());
    expect(metadata?.annotations).toBeUndefined();
    expect(spec?.template.metadata).toEqual({ labels: MARKS });
    const marks = new Set(Object.keys(metadata?.labels ?? {}));
    const others = [...Object.values(LABELS), ...Object.values(ANNOTATIONS)];
    expect(others.filter((each) => marks.has(each))).toEqual([LABELS.preflight]);
  });

  test("has a pod of level restricted, without a token", () => {
    expect(podOf(makePreflightRequest())).toMatchObject({
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        seccompProfile: { type: "RuntimeDefault" },
      },
    });
    expect(containerOf(makePreflightRequest()).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  test("asks for little, with the limits that a quota may want", () => {
    expect(containerOf(makePreflightRequest()).resources).toEqual({
      requests: { cpu: "10m", memory: "96Mi" },
      limits: { cpu: "500m", memory: "256Mi" },
    });
  });

  test("has our image ask, and answer by its termination message", () => {
    expect(containerOf(makePreflightRequest())).toMatchObject({
      image: "registry.example/modelhook:1",
      args: [
        "check-push",
        "--image=registry.example/models/mnist:v1",
        "--credentials=/credentials/config.json",
      ],
      terminationMessagePolicy: "FallbackToLogsOnError",
      volumeMounts: [{ name: "credentials", mountPath: "/credentials", readOnly: true }],
    });
  });

  test("names no tag where the job names none", () => {
    const request = makePreflightRequest((draft) => void (draft.imageTag = undefined));
    expect(containerOf(request).args).toContain("--image=registry.example/models/mnist");
  });

  test("asks with the Secret that is named, which may be missing so that we can say so", () => {
    const request = makePreflightRequest((draft) => void (draft.pushSecret = "push"));
    expect(podOf(request).volumes).toEqual([
      {
        name: "credentials",
        secret: {
          secretName: "push",
          optional: true,
          items: [{ key: ".dockerconfigjson", path: "config.json" }],
        },
      },
    ]);
    expect(containerOf(request).args).toContain("--credentials-secret=push");
  });

  test("asks with regcred, where there is one, when no Secret is named", () => {
    const request = makePreflightRequest();
    expect(podOf(request).volumes?.[0]?.secret?.secretName).toBe("regcred");
    expect(containerOf(request).args?.join(" ")).not.toContain("--credentials-secret");
  });

  test("gives arguments as they are, though the kubelet reads `$`", () => {
    const request = makePreflightRequest((draft) => void (draft.pushSecret = "$(HOSTNAME)$$"));
    expect(containerOf(request).args).toContain("--credentials-secret=$$(HOSTNAME)$$$$");
  });

  test("may speak plain HTTP to the image's registry where it is listed, and to no other", () => {
    const request = withRegistry("10.0.0.5:5000", ["10.0.0.5:5000", "10.0.0.6:5000"]);
    expect(containerOf(request).args?.filter((each) => each.includes("insecure"))).toEqual([
      "--insecure-registry=10.0.0.5:5000",
    ]);
  });
});

test("a preflight trusts the administrator's certificates of registries, which come with its pod", () => {
  const request = makePreflightRequest((draft) => {
    draft.settings = { ...draft.settings, registryCertificates: "PEM" };
  });
  const annotations = { "build.model.kubedl.io/registry-certificates": "PEM" };
  expect(preflightJob(request).spec?.template.metadata).toEqual({ labels: MARKS, annotations });
  expect(podOf(request).volumes?.at(-1)).toMatchObject({
    name: "registry-certificates",
    downwardAPI: { items: [{ path: "ca.pem" }] },
  });
  expect(containerOf(request)).toMatchObject({
    env: [{ name: "NODE_EXTRA_CA_CERTS", value: "/registry-certificates/ca.pem" }],
    volumeMounts: [
      { name: "credentials" },
      { name: "registry-certificates", mountPath: "/registry-certificates", readOnly: true },
    ],
  });
});

test("a preflight pulls our image with the administrator's Secrets, where there are any", () => {
  expect(podOf(makePreflightRequest())).not.toHaveProperty("imagePullSecrets");
  const request = makePreflightRequest((draft) => {
    draft.settings = { ...draft.settings, imagePullSecrets: ["pull"] };
  });
  expect(podOf(request).imagePullSecrets).toEqual([{ name: "pull" }]);
});

describe("an image", () => {
  test("of a private address that is not listed is refused without asking, as its build will be", () => {
    expect(preflightRefusal(withRegistry("10.0.0.5:5000", []))).toEqual({
      fault: "PushDenied",
      message:
        "kaniko would reach the registry 10.0.0.5:5000 by plain HTTP, because its address is private; an administrator can allow that by listing it in insecureRegistries",
    });
  });

  test.each([
    ["a private address that is listed", "10.0.0.5:5000", ["10.0.0.5:5000"]],
    ["a public name", "registry.example", []],
  ])("of %s is asked for", (_, host, listed) => {
    expect(preflightRefusal(withRegistry(host, listed))).toBeUndefined();
  });
});

describe("a preflight", () => {
  test.each<[what: string, seen: PreflightTweak, outcome: PreflightOutcome]>([
    ["has no pod yet", {}, "running"],
    ["has a pod that waits", { phase: "Pending" }, "running"],
    ["has a pod that asks", { phase: "Running" }, "running"],
    ["ended well", { phase: "Succeeded", terminated: ended(0) }, "passed"],
    ["ended well, beside a container that does not end", running(ended(0)), "passed"],
    ["is complete and its pod is gone", { job: ["Complete", "CompletionsReached"] }, "passed"],
    [
      "was refused a pod until its deadline, as by a quota",
      { job: ["Failed", "DeadlineExceeded"] },
      "unknown",
    ],
    [
      "waited for our image until its deadline",
      { job: ["FailureTarget", "DeadlineExceeded"], phase: "Pending" },
      "unknown",
    ],
    ["was killed", { phase: "Failed", terminated: ended(137) }, "unknown"],
    ["was evicted before it began", { phase: "Failed" }, "unknown"],
    [
      "crashed",
      { phase: "Failed", terminated: ended(1, "TypeError: x is not a function") },
      "unknown",
    ],
    [
      "does not know what the registry means",
      { phase: "Failed", terminated: ended(1, report("Unknown", "odd")) },
      "unknown",
    ],
    [
      "can not read what image it is",
      { phase: "Failed", terminated: ended(1, report("InvalidObject", "odd")) },
      "unknown",
    ],
    [
      "failed, and its pod is gone before it was read",
      { job: ["Failed", "BackoffLimitExceeded"] },
      "unknown",
    ],
    [
      "failed before its pod is seen to have ended",
      { job: ["Failed", "BackoffLimitExceeded"], phase: "Running" },
      "running",
    ],
    [
      "was told by a container of somebody else's",
      { ...running(ended(1, report("TagTaken", "no"))), container: "sidecar" },
      "running",
    ],
  ])("that %s", (_what, seen, outcome) => {
    expect(outcomeOf(seen)).toEqual(outcome);
  });

  test.each<Reason>(["PushDenied", "RegistryUnreachable", "TagTaken"])(
    "that reports %s says so",
    (reason) => {
      const terminated = ended(1, report(reason, "said so"));
      expect(outcomeOf({ phase: "Failed", terminated })).toEqual({
        fault: reason,
        message: "said so",
      });
    },
  );

  test("that answered counts, though it was stopped afterwards", () => {
    const seen = running(ended(1, report("TagTaken", "it is there already")));
    expect(outcomeOf({ ...seen, job: ["Failed", "DeadlineExceeded"] })).toMatchObject({
      fault: "TagTaken",
    });
  });

  test("shows no credentials that a registry repeats", () => {
    const message = "registry.example takes no push (status 403): Basic YnVpbGRlcjpwYXNz is wrong";
    const seen = { phase: "Failed", terminated: ended(1, report("PushDenied", message)) } as const;
    expect(outcomeOf(seen)).toEqual({
      fault: "PushDenied",
      message: "registry.example takes no push (status 403): Basic *** is wrong",
    });
  });
});

function ended(exitCode: number, message?: string): NonNullable<PreflightTweak["terminated"]> {
  const reason = exitCode === 0 ? "Completed" : "Error";
  return { exitCode, reason, ...(message === undefined ? {} : { message }) };
}

function running(terminated: NonNullable<PreflightTweak["terminated"]>): PreflightTweak {
  return { phase: "Running", terminated };
}

function report(reason: Reason, message: string): string {
  return printReport({ state: "failed", reason, message });
}

function outcomeOf(seen: PreflightTweak): PreflightOutcome {
  const { job, pods } = makePreflight(seen);
  return preflightOutcome(job, pods);
}

function withRegistry(host: string, insecureRegistries: string[]): PreflightRequest {
  return makePreflightRequest((draft) => {
    draft.imageRepo = `${host}/models/mnist`;
    draft.settings = { ...draft.settings, insecureRegistries };
  });
}

function podOf(request: PreflightRequest): PodSpec {
  const pod = preflightJob(request).spec?.template.spec;
  if (pod === undefined) throw new Error("the Job has no pod");
  return pod;
}

function containerOf(request: PreflightRequest): Container {
  const [container] = podOf(request).containers;
  if (container === undefined) throw new Error("the pod has no container");
  return container;
}
