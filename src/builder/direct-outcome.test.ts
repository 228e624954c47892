import { describe, expect, test } from "vitest";
import { BUILT, makeAttempt, terminated, type AttemptTweak } from "../../test/make/attempt.ts";
import { printReport } from "../api/build-report.ts";
import { directBuilder } from "./direct.ts";
import { FAILURES, type FailureReason } from "./failure.ts";

/** A container that has not begun, in a pod that has. */
const STARTING = { waiting: "ContainerCreating" };

describe("an attempt of the engine direct succeeds", () => {
  test.each<[string, AttemptTweak]>([
    [
      "its container has built the image",
      { direct: terminated(0, printReport({ state: "built", image: BUILT })) },
    ],
    [
      "its container has found the image of an earlier attempt",
      { direct: terminated(0, printReport({ state: "adopted", image: BUILT })) },
    ],
    [
      "the deadline passes after that",
      {
        direct: terminated(0, printReport({ state: "built", image: BUILT })),
        jobCondition: "DeadlineExceeded",
      },
    ],
    [
      "the pod is taken away after that",
      {
        direct: terminated(0, printReport({ state: "built", image: BUILT })),
        pod: { phase: "Failed", reason: "Evicted", message: "The node was low on resource: disk." },
      },
    ],
  ])("when %s", (_, seen) => {
    expect(directBuilder.outcome(makeAttempt(seen))).toEqual({ state: "succeeded", image: BUILT });
  });
});

describe("an attempt of the engine direct fails", () => {
  test.each<[string, AttemptTweak, FailureReason, string]>([
    ...(
      [
        "SourceNotFound",
        "EmptyModel",
        "SourceChanged",
        "UnsupportedFile",
        "ImagePullFailed",
        "TagTaken",
        "PushDenied",
        "RegistryUnreachable",
        "Unknown",
      ] as const
    ).map((reason): [string, AttemptTweak, FailureReason, string] => [
      `its container reports ${reason}`,
      { direct: terminated(1, printReport({ state: "failed", reason, message: "said so" })) },
      reason,
      "said so",
    ]),
    [
      "its container reports a base that fits below no model",
      {
        direct: terminated(
          1,
          printReport({ state: "failed", reason: "InvalidObject", message: "odd" }),
        ),
      },
      "Unknown",
      "odd",
    ],
    [
      "its container crashes",
      { direct: terminated(1, "TypeError: x is not a function\n    at run\n") },
      "Unknown",
      "build-image: TypeError: x is not a function\n    at run",
    ],
    [
      "its container runs out of memory",
      { direct: { exitCode: 137, reason: "OOMKilled" } },
      "OutOfMemory",
      "container build-image was killed for want of memory; spec.builder.resources.limits.memory can allow more",
    ],
    [
      "its container ends well, but says nothing",
      {
        direct: terminated(0),
        pod: { phase: "Succeeded" },
        jobCondition: "Complete",
        conditionAge: 60_000,
      },
      "Unknown",
      "the build ended without a result: Complete",
    ],
    [
      "its container claims half an image",
      {
        direct: terminated(0, printReport({ state: "built", image: BUILT }).slice(0, 100)),
        pod: { phase: "Succeeded" },
        jobCondition: "Complete",
        conditionAge: 60_000,
      },
      "Unknown",
      "the build ended without a result: Complete",
    ],
    [
      "the pod violates the level of its namespace all the same, of which kaniko is not the cause",
      {
        direct: STARTING,
        noPod: true,
        events: [
          {
            reason: "FailedCreate",
            message:
              'Error creating: pods "mh-build-1-x" is forbidden: violates PodSecurity "restricted:v9.99": something new',
          },
        ],
      },
      "PodSecurityDenied",
      'pods "mh-build-1-x" is forbidden: violates PodSecurity "restricted:v9.99": something new',
    ],
  ])("when %s", (_, seen, reason, message) => {
    expect(directBuilder.outcome(makeAttempt(seen))).toEqual({
      state: "failed",
      reason,
      message,
      retry: FAILURES[reason].retry,
    });
  });
});

describe("an attempt of the engine direct goes on", () => {
  test.each<[string, AttemptTweak]>([
    ["while its container starts", { direct: STARTING }],
    ["while its container runs", { direct: { running: true } }],
    [
      "when its container has ended, but its Job not yet",
      { direct: terminated(0), pod: { phase: "Succeeded" } },
    ],
  ])("%s", (_, seen) => {
    expect(directBuilder.outcome(makeAttempt(seen))).toEqual({ state: "running" });
  });
});

test("an image counts only when the container says so that can know of it", () => {
  const claim = terminated(0, printReport({ state: "built", image: BUILT }));
  const attempt = makeAttempt({ direct: claim });
  const [pod] = attempt.pods;
  const status = pod?.status?.containerStatuses?.[0];
  const renamed = {
    ...pod,
    status: { ...pod?.status, containerStatuses: [{ ...status, name: "kaniko" }] },
  } as NonNullable<typeof pod>;
  expect(directBuilder.outcome({ ...attempt, pods: [renamed] })).toEqual({ state: "running" });
});
