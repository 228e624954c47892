import { describe, expect, test } from "vitest";
import { makeHeldJob, type MadeJob } from "../../test/make/job.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import { BARE_POD, BATCH_JOB } from "../jobs/kinds.ts";
import { resources } from "../kube/resources.ts";
import { planUninstall, type UninstallObserved } from "./uninstall-plan.ts";
import { nameOf, stepText } from "./uninstall-text.ts";

const NOTHING: UninstallObserved = {
  installation: { namespace: "modelhook-system", replicas: 0, pods: [] },
  configurations: [],
  jobs: [],
  pods: [],
  versions: [],
  builds: [],
  claims: [],
  volumes: [],
  unread: [],
};

/** The plan of what differs from an empty cluster, as texts. */
function planned(observed: Partial<UninstallObserved>) {
  const plan = planUninstall({ ...NOTHING, ...observed });
  return {
    steps: [...plan.stopping, ...plan.clearing].map((step) => stepText(step, true)),
    lost: plan.lost.map((each) => `${nameOf(each)} ${each.outcome}`),
    waiting: plan.waiting.map(({ metadata }) => metadata?.name),
  };
}

function jobThat(tweak: (job: MadeJob) => void): UninstallObserved["jobs"][number] {
  return { resource: resources.jobs, object: makeHeldJob(tweak), kind: BATCH_JOB };
}

function ended(type: string): (job: MadeJob) => void {
  return (job) => {
    job.status = { conditions: [{ type, status: "True" }] };
  };
}

function versionOf(name: string, finalizer: string): KubeObject {
  return { metadata: { name, namespace: "team-a", finalizers: [finalizer] } };
}

const NAME = "mh-0123456789abcdef";

function podThat(about: { metadata?: KubeObject["metadata"]; spec?: object; phase?: string }): Pod {
  const { metadata, spec, phase } = about;
  return {
    metadata: { name: "pod", namespace: "team-a", uid: "pod", ...metadata },
    spec: { containers: [], ...spec },
    ...(phase === undefined ? {} : { status: { phase } }),
  };
}

function podsThat(about: Parameters<typeof podThat>[0]): Partial<UninstallObserved> {
  return { pods: [podThat(about)] };
}

test("nothing is done where nothing is", () => {
  expect(planned({})).toEqual({ steps: [], lost: [], waiting: [] });
});

test.each<[what: string, replicas: number, pods: readonly string[]]>([
  ["that is to run", 2, []],
  ["whose pods are still there", 0, ["modelhook-1"]],
])("a Deployment %s is stopped first", (_, replicas, pods) => {
  const installation = { namespace: "ml", replicas, pods };
  const resource = resources.mutatingwebhookconfigurations;
  const configurations = [{ resource, object: { metadata: { name: "modelhook" } } }];
  expect(planned({ installation, configurations }).steps).toEqual([
    "would scale Deployment ml/modelhook to 0 and wait until its pods are gone",
    "would delete mutatingwebhookconfigurations.admissionregistration.k8s.io modelhook",
  ]);
});

describe("a held job", () => {
  const RELEASED = ["would take the finalizer model.kubedl.io/export off jobs.batch team-a/train"];

  test.each<[what: string, tweak: (job: MadeJob) => void, lost: readonly string[]]>([
    ["that runs loses its model", () => {}, ["jobs.batch team-a/train running"]],
    [
      "that has succeeded loses its model",
      ended("Complete"),
      ["jobs.batch team-a/train succeeded"],
    ],
    ["that has failed loses nothing", ended("Failed"), []],
    [
      "that is deleted unfinished loses nothing",
      (job) => {
        job.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
      },
      [],
    ],
    [
      "that is deleted when it has succeeded loses its model",
      (job) => {
        ended("Complete")(job);
        job.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
      },
      ["jobs.batch team-a/train succeeded"],
    ],
  ])("%s", (_, tweak, lost) => {
    expect(planned({ jobs: [jobThat(tweak)] })).toMatchObject({ steps: RELEASED, lost });
  });

  test("whose version is there loses nothing", () => {
    const { uid = "" } = makeHeldJob().metadata;
    const versions = [{ metadata: { name: "v", labels: { "model.kubedl.io/job-uid": uid } } }];
    const jobs = [jobThat(ended("Complete"))];
    expect(planned({ jobs, versions })).toMatchObject({ steps: RELEASED, lost: [] });
  });

  test("that was let go already is left alone", () => {
    const jobs = [jobThat((job) => void (job.metadata.finalizers = ["example.com/other"]))];
    expect(planned({ jobs })).toMatchObject({ steps: [], lost: [] });
  });

  test("is one object with those of other kinds in one step", () => {
    const pod = podThat({ metadata: { finalizers: ["model.kubedl.io/export"] } });
    const jobs = [jobThat(() => {}), { resource: resources.pods, object: pod, kind: BARE_POD }];
    expect(planned({ jobs, pods: [pod] }).steps).toEqual([`${RELEASED[0]}, pods team-a/pod`]);
  });
});

test("versions lose the finalizer of their volume, those that have it", () => {
  const versions = [
    versionOf("one", "model.kubedl.io/volume"),
    versionOf("two", "example.com/other"),
  ];
  expect(planned({ versions }).steps).toEqual([
    "would take the finalizer model.kubedl.io/volume off modelversions.model.kubedl.io team-a/one",
  ]);
});

describe("a claim", () => {
  const { uid = "" } = makeHeldJob().metadata;
  const ofJob = { "model.kubedl.io/job-uid": uid };
  const ofPod = { "model.kubedl.io/job-uid": "" };
  const ofBuild = { "model.kubedl.io/modelversion-uid": "v" };
  const mounting = { volumes: [{ name: "m", persistentVolumeClaim: { claimName: NAME } }] };
  const gated = { ...mounting, schedulingGates: [{ name: "model.kubedl.io/export" }] };

  test.each<
    [
      what: string,
      labels: Readonly<Record<string, string>>,
      observed: Partial<UninstallObserved>,
      goes: boolean,
    ]
  >([
    ["of a job that is gone goes", ofJob, {}, true],
    ["of a job that runs stays", ofJob, { jobs: [jobThat(() => {})] }, false],
    ["of a job that has ended goes", ofJob, { jobs: [jobThat(ended("Complete"))] }, true],
    ["of a pod that runs stays", ofPod, podsThat({ spec: mounting, phase: "Running" }), false],
    ["of a pod that has ended goes", ofPod, podsThat({ spec: mounting, phase: "Failed" }), true],
    ["of a pod that never starts goes", ofPod, podsThat({ spec: gated }), true],
    ["of a build goes", ofBuild, {}, true],
  ])("%s, and the volume always", (_, labels, observed, goes) => {
    const metadata = { name: NAME, labels };
    const { steps } = planned({
      ...observed,
      claims: [{ metadata: { ...metadata, namespace: "team-a" } }],
      volumes: [{ metadata }],
    });
    const claim = goes ? `persistentvolumeclaims team-a/${NAME}, ` : "";
    expect(steps).toContain(`would delete ${claim}persistentvolumes ${NAME}; data stays`);
  });

  test("that goes already is left alone", () => {
    const metadata = { name: NAME, deletionTimestamp: "2026-01-01T00:00:00Z" };
    expect(planned({ claims: [{ metadata }], volumes: [{ metadata }] }).steps).toEqual([]);
  });
});

test.each<[what: string, pod: Pod, waiting: readonly string[]]>([
  [
    "for a model",
    podThat({ spec: { schedulingGates: [{ name: "model.kubedl.io/build" }] } }),
    ["pod"],
  ],
  [
    "for storage",
    podThat({ spec: { schedulingGates: [{ name: "model.kubedl.io/export" }] } }),
    ["pod"],
  ],
  ["for somebody else", podThat({ spec: { schedulingGates: [{ name: "example.com/x" }] } }), []],
  ["for nothing", podThat({ spec: {} }), []],
  [
    "no more, since it is deleted",
    podThat({
      metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" },
      spec: { schedulingGates: [{ name: "model.kubedl.io/build" }] },
    }),
    [],
  ],
])("a pod that waits %s", (_, pod, waiting) => {
  expect(planned({ pods: [pod] }).waiting).toEqual(waiting);
});

test("builds are deleted, since the kind of their owners goes", () => {
  const builds = [{ metadata: { name: "mh-build-0123456789ab-1", namespace: "team-a" } }];
  expect(planned({ builds }).steps).toEqual([
    "would delete jobs.batch team-a/mh-build-0123456789ab-1",
  ]);
});
