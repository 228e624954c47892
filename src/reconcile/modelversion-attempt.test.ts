import { expect, test } from "vitest";
import { BuildWorld, type PodEnd } from "../../test/make/build-world.ts";
import { makeSettings } from "../../test/make/build.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { VERSION_ANNOTATIONS } from "../api/annotations.ts";
import { findCondition } from "../api/conditions.ts";
import { kanikoBuilder } from "../builder/kaniko.ts";
import { reconcileModelVersion } from "./modelversion.ts";

const HOUR_MS = 3_600_000;

test("a build outlives its registry by hours, says since when, and completes when that is back", () => {
  const world = worldWithVersion();
  const began = world.now;
  live(world, 4 * HOUR_MS, "loses the registry");
  const { status } = world.version() ?? {};
  expect(status?.imageBuildPhase).toBe("ImageBuilding");
  expect(status?.attempts).toBe(1);
  expect(status?.startedAttempts).toBeGreaterThan(makeSettings().maxAttempts);
  const retrying = findCondition(status?.conditions, "Retrying");
  expect(retrying?.reason).toBe("RegistryUnreachable");
  expect(Date.parse(retrying?.lastTransitionTime ?? "") - began).toBeLessThan(300_000);
  // The pause is ten minutes at most.
  expect(status?.startedAttempts).toBeGreaterThan(20);
  expect(world.objects().filter(({ kind }) => kind === "Job").length).toBeLessThan(3);
  live(world, HOUR_MS, "succeeds");
  expect(world.version()?.status?.imageBuildPhase).toBe("ImageBuildSucceeded");
  expect(findCondition(world.version()?.status?.conditions, "Retrying")).toBeUndefined();
});

test("attempts without a registry leave all attempts to the causes in the build", () => {
  const world = worldWithVersion();
  live(world, HOUR_MS, "loses the registry");
  live(world, HOUR_MS, "fills the disk");
  const { status } = world.version() ?? {};
  expect(status?.imageBuildPhase).toBe("ImageBuildFailed");
  expect(status?.attempts).toBe(makeSettings().maxAttempts);
  expect(findCondition(status?.conditions, "Retrying")).toBeUndefined();
});

test("who asks for another build while one fails gets it, once", () => {
  const world = worldWithVersion();
  live(world, HOUR_MS, "loses the registry");
  const before = world.version()?.status?.startedAttempts ?? 0;
  world.annotate(VERSION_ANNOTATIONS.retry, "once more");
  live(world, HOUR_MS, "finds nothing");
  expect(world.version()?.status).toMatchObject({
    imageBuildPhase: "ImageBuildFailed",
    retry: "once more",
    startedAttempts: before + 2,
  });
});

function worldWithVersion(): BuildWorld {
  const world = new BuildWorld();
  world.add(
    makeModelVersion((version) => {
      version.spec.storage = {
        localStorage: { path: "/models/digits/run-1", nodeName: "node-1" },
      };
    }),
  );
  return world;
}

/** Lets so much time pass, while every attempt ends that way. */
function live(world: BuildWorld, ms: number, end: PodEnd): void {
  for (const until = world.now + ms; world.now < until; world.now += 30_000) {
    const observed = world.observe();
    if (observed !== undefined) world.apply(reconcileModelVersion(observed, kanikoBuilder));
    world.settle();
    world.collect();
    world.endPods(end);
  }
}
