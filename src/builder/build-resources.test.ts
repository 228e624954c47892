import { describe, expect, test } from "vitest";
import { makeBuildRequest } from "../../test/make/build.ts";
import type { ResourceRequirements } from "../api/kube-types.ts";
import { buildResources, kanikoNeeds } from "./build-resources.ts";

type Quantities = Readonly<Record<string, string>>;
type Case = [
  when: string,
  asked: { requests?: Quantities; limits?: Quantities } | undefined,
  ceiling: Quantities,
  expected: ResourceRequirements,
];

describe("the containers of a build", () => {
  test.each<Case>([
    [
      "have no limit where nobody names one",
      undefined,
      {},
      { requests: { cpu: "250m", memory: "256Mi" } },
    ],
    [
      "have the ceiling as limit where the version names none, and do not request it",
      undefined,
      { cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi" },
      {
        requests: { cpu: "250m", memory: "256Mi", "ephemeral-storage": "0" },
        limits: { cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi" },
      },
    ],
    [
      "request no more than a low ceiling",
      undefined,
      { memory: "128Mi" },
      { requests: { cpu: "250m", memory: "128Mi" }, limits: { memory: "128Mi" } },
    ],
    [
      "have the version's limits, which are requests where it names none",
      { limits: { memory: "2Gi" } },
      { cpu: "4", memory: "8Gi" },
      { requests: { cpu: "250m", memory: "2Gi" }, limits: { cpu: "4", memory: "2Gi" } },
    ],
    [
      "have the version's requests below the ceiling",
      { requests: { memory: "4Gi" } },
      { memory: "8Gi" },
      { requests: { cpu: "250m", memory: "4Gi" }, limits: { memory: "8Gi" } },
    ],
    [
      "get no more than a ceiling that came after the version",
      { requests: { cpu: "8", memory: "16Gi" }, limits: { memory: "32Gi" } },
      { memory: "8Gi" },
      { requests: { cpu: "8", memory: "8Gi" }, limits: { memory: "8Gi" } },
    ],
    [
      "request less than they do by default where the version's limit is lower",
      { requests: { memory: "64Mi" }, limits: { memory: "128Mi", cpu: "100m" } },
      {},
      { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi", cpu: "100m" } },
    ],
    [
      "never get a GPU because there is a ceiling for them",
      undefined,
      { "nvidia.com/gpu": "1" },
      { requests: { cpu: "250m", memory: "256Mi" } },
    ],
    [
      "get GPUs that the version names, up to the ceiling",
      { limits: { "nvidia.com/gpu": "4" } },
      { "nvidia.com/gpu": "1" },
      {
        requests: { cpu: "250m", memory: "256Mi", "nvidia.com/gpu": "1" },
        limits: { "nvidia.com/gpu": "1" },
      },
    ],
  ])("%s", (_, asked, ceiling, expected) => {
    const request = makeBuildRequest((draft) => {
      const builder = asked === undefined ? {} : { resources: asked };
      draft.version = { ...draft.version, spec: { ...draft.version.spec, builder } };
      draft.settings = { ...draft.settings, maxResources: ceiling };
    });
    expect(buildResources(request)).toEqual(expected);
  });
});

describe("kaniko", () => {
  test.each<[when: string, setting: string, asked: Case[1], ceiling: Quantities, disk?: string]>([
    ["requests the disk that the administrator set", "20Gi", undefined, {}, "20Gi"],
    ["requests none where he set 0", "0", undefined, {}],
    [
      "requests what the version asks for instead, more or less",
      "20Gi",
      { requests: { "ephemeral-storage": "5Gi" } },
      {},
      "5Gi",
    ],
    [
      "requests what the version limits it to",
      "20Gi",
      { limits: { "ephemeral-storage": "50Gi" } },
      {},
      "50Gi",
    ],
    [
      "requests no more than the ceiling",
      "20Gi",
      undefined,
      { "ephemeral-storage": "10Gi" },
      "10Gi",
    ],
  ])("%s", (_, ephemeralStorage, asked, maxResources, disk) => {
    const request = makeBuildRequest((draft) => {
      const builder = asked === undefined ? {} : { resources: asked };
      draft.version = { ...draft.version, spec: { ...draft.version.spec, builder } };
      draft.settings = { ...draft.settings, maxResources, ephemeralStorage };
    });
    const { requests } = buildResources(request, kanikoNeeds(request.settings));
    expect(requests?.["ephemeral-storage"]).toBe(disk);
  });
});
