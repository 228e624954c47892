import { describe, expect, test } from "vitest";
import {
  BUILT,
  makeAttempt,
  makePodStatus,
  NOW,
  terminated,
  type AttemptTweak,
} from "../../test/make/attempt.ts";
import { printReport } from "../api/build-report.ts";
import type { Reason } from "../api/reasons.ts";
import type { Retry } from "./builder.ts";
import { FAILURES, type FailureReason } from "./failure.ts";
import { kanikoBuilder } from "./kaniko.ts";

/** Why an attempt failed, in the words of a status seen on Kubernetes 1.36. */
interface Case {
  readonly name: string;
  readonly seen: AttemptTweak;
  readonly reason: FailureReason;
  readonly message: string;
  /** When it differs from the table's. */
  readonly retry?: Retry;
}

const FORBIDDEN = `Error creating: pods "mh-build-1-mrtdg" is forbidden: `;

const CASES: readonly Case[] = [
  ...(
    [
      "SourceNotFound",
      "SourceUnreadable",
      "EmptyModel",
      "SourceChanged",
      "UnsupportedFile",
      "ImagePullFailed",
      "BaseImageTriggers",
      "TagTaken",
      "PushDenied",
      "RegistryUnreachable",
      "DiskFull",
      "Unknown",
    ] as const
  ).map((reason): Case => ({
    name: `source reports ${reason}`,
    seen: { source: terminated(1, printReport({ state: "failed", reason, message: "said so" })) },
    reason,
    message: "said so",
  })),
  {
    name: "verify reports TagTaken",
    seen: {
      source: terminated(0),
      kaniko: terminated(0),
      verify: terminated(1, printReport({ state: "failed", reason: "TagTaken", message: "moved" })),
    },
    reason: "TagTaken",
    message: "moved",
  },
  {
    name: "source reports a reason that is none of a build",
    seen: {
      source: terminated(
        1,
        printReport({ state: "failed", reason: "InvalidObject", message: "odd" }),
      ),
    },
    reason: "Unknown",
    message: "odd",
  },
  {
    name: "source crashes",
    seen: { source: terminated(1, "TypeError: x is not a function\n    at run") },
    reason: "Unknown",
    message: "source: TypeError: x is not a function\n    at run",
  },
  {
    name: "source says nothing at all",
    seen: { source: terminated(2) },
    reason: "Unknown",
    message: "container source ended with exit code 2 (Error)",
  },
  ...kanikoCases(),
  {
    name: "kaniko runs out of memory",
    seen: { source: terminated(0), kaniko: { exitCode: 137, reason: "OOMKilled" } },
    reason: "OutOfMemory",
    message:
      "container kaniko was killed for want of memory; spec.builder.resources.limits.memory can allow more",
  },
  {
    name: "the emptyDir exceeds its limit",
    seen: {
      source: terminated(0),
      kaniko: { exitCode: 137, reason: "Error" },
      pod: {
        phase: "Failed",
        reason: "Evicted",
        message: 'Usage of EmptyDir volume "staged" exceeds the limit "10Mi". ',
      },
    },
    reason: "DiskFull",
    message: 'Usage of EmptyDir volume "staged" exceeds the limit "10Mi".',
  },
  {
    name: "the node is short of disk",
    seen: {
      pod: {
        phase: "Failed",
        reason: "Evicted",
        message:
          "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi.",
      },
    },
    reason: "DiskFull",
    message:
      "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi.",
  },
  {
    name: "the node is short of memory",
    seen: {
      pod: { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." },
    },
    reason: "OutOfMemory",
    message: "The node was low on resource: memory.",
    retry: "few",
  },
  {
    name: "the node is drained, while kaniko ends by the signal",
    seen: {
      source: terminated(0),
      kaniko: terminated(2, "signal: terminated"),
      pod: {
        conditions: [
          {
            type: "DisruptionTarget",
            status: "True",
            reason: "EvictionByEvictionAPI",
            message: "Eviction API: evicting",
          },
        ],
      },
      jobCondition: "BackoffLimitExceeded",
    },
    reason: "NodeLost",
    message: "Eviction API: evicting",
  },
  {
    name: "the node shuts down",
    seen: {
      pod: {
        phase: "Failed",
        reason: "Terminated",
        message: "Pod was terminated in response to imminent node shutdown.",
      },
    },
    reason: "NodeLost",
    message: "Pod was terminated in response to imminent node shutdown.",
  },
  {
    name: "the node does not answer",
    seen: { pod: { phase: "Unknown" } },
    reason: "NodeLost",
    message: "node node-1 does not answer",
  },
  {
    name: "the pod is gone when the Job has failed",
    seen: { noPod: true, jobCondition: "BackoffLimitExceeded", conditionAge: 60_000 },
    reason: "NodeLost",
    message: "the build's pod is gone, and its result with it",
  },
  {
    name: "the deadline passes while kaniko runs",
    seen: { source: terminated(0), kaniko: { running: true }, jobCondition: "DeadlineExceeded" },
    reason: "DeadlineExceeded",
    message: "the attempt took longer than 3600 seconds",
  },
  {
    name: "the deadline has passed, and the pod is gone",
    seen: { noPod: true, jobCondition: "DeadlineExceeded" },
    reason: "DeadlineExceeded",
    message: "the attempt took longer than 3600 seconds",
  },
  {
    name: "the deadline passes while the pod waits for a node",
    seen: { unschedulable: "0/1 nodes are available", jobCondition: "DeadlineExceeded" },
    reason: "DeadlineExceeded",
    message:
      "the attempt took longer than 3600 seconds; the pod waits for a node: 0/1 nodes are available",
    retry: "endless",
  },
  {
    name: "an image can not be pulled for two minutes",
    seen: {
      source: { waiting: "ImagePullBackOff", message: 'Back-off pulling image "x": not found' },
      age: 121_000,
    },
    reason: "ImagePullFailed",
    message: 'container source: Back-off pulling image "x": not found',
    retry: "endless",
  },
  {
    name: "a container can not be made for two minutes",
    seen: {
      source: { waiting: "CreateContainerConfigError", message: "no such user" },
      age: 121_000,
    },
    reason: "Unknown",
    message: "container source: no such user",
  },
  {
    name: "the namespace is at level restricted",
    seen: {
      noPod: true,
      events: [
        {
          reason: "FailedCreate",
          message: `${FORBIDDEN}violates PodSecurity "restricted:latest": runAsNonRoot != true`,
        },
      ],
    },
    reason: "PodSecurityDenied",
    message:
      'kaniko runs as root, which needs a namespace at level baseline: set spec.builder.engine to direct, which does not, label the namespace pod-security.kubernetes.io/enforce=baseline, or make the ModelVersion in another one (pods "mh-build-1-mrtdg" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true)',
  },
  ...[
    "exceeded quota: q, requested: requests.cpu=100m, used: requests.cpu=0, limited: requests.cpu=10m",
    "failed quota: q: must specify requests.cpu for: c",
    "maximum memory usage per Container is 1Gi, but limit is 2Gi",
    "[minimum cpu usage per Container is 1, but request is 250m]",
  ].map((text): Case => ({
    name: `a quota or limit range says: ${text}`,
    seen: { noPod: true, events: [{ reason: "FailedCreate", message: FORBIDDEN + text }] },
    reason: "QuotaDenied",
    message: `pods "mh-build-1-mrtdg" is forbidden: ${text}; spec.builder.resources sets what the build asks for`,
  })),
  {
    name: "the Job is complete, but nobody reported an image",
    seen: {
      source: terminated(0),
      kaniko: terminated(0),
      verify: terminated(0),
      pod: { phase: "Succeeded" },
      jobCondition: "Complete",
      conditionAge: 60_000,
    },
    reason: "Unknown",
    message: "the build ended without a result: Complete",
  },
  {
    name: "a container is killed, and nobody knows by whom",
    seen: {
      source: { exitCode: 137, reason: "Error" },
      pod: { phase: "Failed" },
      jobCondition: "BackoffLimitExceeded",
      conditionAge: 60_000,
    },
    reason: "Unknown",
    message: "container source was killed",
  },
];

/** Ends of kaniko's log as they were seen, or as its source says. */
function kanikoCases(): readonly Case[] {
  const check =
    "error checking push permissions -- make sure you entered the correct tag name, and that you are authenticated correctly, and try again: checking push permission for";
  const logs: readonly (readonly [string, string, FailureReason])[] = [
    [
      "the registry is down before the build",
      `${check} "h/m:1": creating push check transport for h failed: Get "https://h/v2/": dial tcp h: connect: connection refused`,
      "RegistryUnreachable",
    ],
    [
      "the registry dies during the push",
      'error pushing image: failed to push to destination h/m:1: Get "https://h/v2/": dial tcp h: connect: connection refused',
      "RegistryUnreachable",
    ],
    [
      "the registry's name is unknown",
      "dial tcp: lookup nowhere.invalid: i/o timeout",
      "RegistryUnreachable",
    ],
    [
      "the registry's certificate is unknown",
      "tls: failed to verify certificate: x509: certificate signed by unknown authority",
      "RegistryUnreachable",
    ],
    [
      "the registry is busy",
      "error pushing image: unexpected status code 503 Service Unavailable",
      "RegistryUnreachable",
    ],
    [
      "the login is wrong",
      `${check} "h/m:1": POST https://h/v2/m/blobs/uploads/: UNAUTHORIZED: authentication required`,
      "PushDenied",
    ],
    [
      "the push is forbidden",
      "error pushing image: failed to push to destination h/m:1: POST https://h/v2/m/blobs/uploads/: DENIED: requested access to the resource is denied",
      "PushDenied",
    ],
    [
      "the base image is unknown",
      "error building image: unable to complete operation after 3 attempts, last error: GET http://h/v2/nothing/manifests/1: MANIFEST_UNKNOWN: manifest unknown; unknown tag=1",
      "ImagePullFailed",
    ],
    [
      "the base image is forbidden",
      "error building image: GET https://h/v2/base/manifests/1: UNAUTHORIZED: authentication required",
      "ImagePullFailed",
    ],
    [
      "the tag may not move",
      "error pushing image: TAG_INVALID: The image tag '1' already exists in the 'm' repository and cannot be overwritten because the repository is immutable.",
      "TagTaken",
    ],
    [
      "the disk is full",
      "error building image: error building stage: failed to take snapshot: write /kaniko/1: no space left on device",
      "DiskFull",
    ],
    [
      "something else happens",
      "error building image: parsing dockerfile: unknown instruction",
      "Unknown",
    ],
  ];
  return logs.map(([name, log, reason]) => ({
    name: `kaniko's log ends when ${name}`,
    seen: {
      source: terminated(0),
      kaniko: terminated(1, `[0000] INFO Retrieving image\n${log}\n`),
    },
    reason,
    message: `kaniko: ${log}\nThe log before that:\n[0000] INFO Retrieving image`,
  }));
}

describe("an attempt fails", () => {
  test.each(CASES)("with $reason when $name", ({ seen, reason, message, retry }) => {
    expect(kanikoBuilder.outcome(makeAttempt(seen))).toEqual({
      state: "failed",
      reason,
      message,
      retry: retry ?? FAILURES[reason].retry,
    });
  });

  test("for every reason of the table in some case", () => {
    const missing = (Object.keys(FAILURES) as Reason[]).filter(
      (reason) => !CASES.some((each) => each.reason === reason),
    );
    expect(missing).toEqual([]);
  });

  test("when it is kaniko that claims to have verified an image", () => {
    const claim = printReport({ state: "built", image: BUILT });
    const attempt = makeAttempt({ source: terminated(0), kaniko: terminated(1, claim) });
    expect(kanikoBuilder.outcome(attempt)).toMatchObject({ state: "failed", reason: "Unknown" });
  });

  test("without showing the credentials that its log shows", () => {
    const log =
      "error pushing image: POST https://builder:hunter2@h/v2/: Authorization: Bearer abc.def.ghi password=hunter2";
    const outcome = kanikoBuilder.outcome(
      makeAttempt({ source: terminated(0), kaniko: terminated(1, log) }),
    );
    expect(outcome).toMatchObject({
      message:
        "kaniko: error pushing image: POST https://builder:***@h/v2/: Authorization: Bearer *** password=***",
    });
  });
});

describe("an attempt succeeds", () => {
  test.each<[string, AttemptTweak]>([
    [
      "verify reports the image",
      {
        source: terminated(0),
        kaniko: terminated(0),
        verify: terminated(0, printReport({ state: "built", image: BUILT })),
      },
    ],
    [
      "source adopts the image of an earlier attempt, though it fails",
      {
        source: terminated(1, printReport({ state: "adopted", image: BUILT })),
        pod: { phase: "Failed" },
        jobCondition: "BackoffLimitExceeded",
      },
    ],
    [
      "the deadline passes after verify has reported",
      {
        verify: terminated(0, printReport({ state: "built", image: BUILT })),
        jobCondition: "DeadlineExceeded",
      },
    ],
  ])("when %s", (_, seen) => {
    expect(kanikoBuilder.outcome(makeAttempt(seen))).toEqual({ state: "succeeded", image: BUILT });
  });
});

describe("an attempt goes on", () => {
  test.each<[string, AttemptTweak, string | undefined]>([
    ["before it has a pod", { noPod: true }, undefined],
    ["while kaniko runs", { source: terminated(0), kaniko: { running: true } }, undefined],
    [
      "while the pod waits for a node",
      { unschedulable: "0/1 nodes are available" },
      "the pod waits for a node: 0/1 nodes are available",
    ],
    [
      "in the first two minutes of a failing pull",
      { source: { waiting: "ErrImagePull", message: "not found" }, age: 119_000 },
      "container source: not found",
    ],
    [
      "in the first two minutes of a failing pull after a long staging",
      {
        source: { ...terminated(0), finishedAt: new Date(NOW - 60_000).toISOString() },
        kaniko: { waiting: "ErrImagePull", message: "not found" },
        age: 3_000_000,
      },
      "container kaniko: not found",
    ],
    [
      "while a volume can not be mounted",
      {
        source: { waiting: "PodInitializing" },
        events: [{ reason: "FailedMount", message: 'configmap "x" not found' }],
      },
      'the pod does not start: configmap "x" not found',
    ],
    [
      "when another webhook refuses the pod",
      {
        noPod: true,
        events: [
          {
            reason: "FailedCreate",
            message: 'Error creating: admission webhook "w" denied the request',
          },
        ],
      },
      'the pod is refused: admission webhook "w" denied the request',
    ],
    [
      "when the Job has failed, but the pod's end has not been seen yet",
      { kaniko: { running: true }, jobCondition: "BackoffLimitExceeded", conditionAge: 5_000 },
      undefined,
    ],
    [
      "when the Job has failed, but its pod has not been seen yet",
      { noPod: true, jobCondition: "BackoffLimitExceeded", conditionAge: 5_000 },
      undefined,
    ],
    [
      "when the pod has ended, but its Job not yet",
      {
        source: terminated(0),
        kaniko: terminated(0),
        verify: terminated(0),
        pod: { phase: "Succeeded" },
      },
      undefined,
    ],
  ])("%s", (_, seen, message) => {
    expect(kanikoBuilder.outcome(makeAttempt(seen))).toEqual({
      state: "running",
      ...(message === undefined ? {} : { message }),
    });
  });

  test("and reads the newest pod only", () => {
    const attempt = makeAttempt({ source: { running: true } });
    const older = { ...attempt.pods[0], status: makePodStatus({ source: terminated(1, "old") }) };
    const pods = [...attempt.pods, older];
    expect(kanikoBuilder.outcome({ ...attempt, pods })).toEqual({ state: "running" });
  });
});
