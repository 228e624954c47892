import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuildWorld, type PodEnd } from "../../test/make/build-world.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { VERSION_ANNOTATIONS } from "../api/annotations.ts";
import { kanikoBuilder } from "../builder/kaniko.ts";
import { reconcileModelVersion } from "./modelversion.ts";
import type { ModelVersionObserved } from "./observed.ts";

/** What happens next in the cluster. */
type Step =
  /** A pass that ends before its n-th step; the version, and all else, as seen up to so many passes ago: watches lag one by one. */
  | {
      readonly do: "pass";
      readonly until: number;
      readonly versionLag: number;
      readonly otherLag: number;
    }
  | { readonly do: "settle" | "collect" }
  | { readonly do: "end"; readonly how: PodEnd }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "delete the Jobs" }
  | { readonly do: "retry"; readonly value: string };

/** Mostly whole passes on fresh caches: otherwise few sequences would get as far as a Job. */
const until = fc.oneof(
  { weight: 4, arbitrary: fc.constant(99) },
  { weight: 1, arbitrary: fc.nat(5) },
);
const lag = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(4) });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      until,
      versionLag: lag,
      otherLag: lag,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("settle" as const, "collect" as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      how: fc.constantFrom<PodEnd>(
        "succeeds",
        "vanishes after its push",
        "loses the registry",
        "finds nothing",
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(5_000, 90_000) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "delete the Jobs" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("retry" as const), value: fc.constantFrom("a", "b") }),
  },
);

const sequences = fc.array(step, { minLength: 20, maxLength: 120, size: "max" });

describe("a build in a cluster where anything may die, lag behind or be deleted", () => {
  test("records one digest, which the tag has, and never runs two attempts at once", () => {
    fc.assert(
      fc.property(sequences, (sequence) => {
        const world = worldWithVersion();
        const digests = new Set<string>();
        run(world, sequence, digests);
        finish(world, digests);
        const { status } = world.version() ?? {};
        expect(status?.imageBuildPhase).toBe("ImageBuildSucceeded");
        expect(status?.digest).toBe(world.tag?.digest);
        expect([...digests]).toEqual([status?.digest]);
        expect(world.mostPods).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  test("leaves nothing but version and Model behind, and has nothing left to do", () => {
    fc.assert(
      fc.property(sequences, (sequence) => {
        const world = worldWithVersion();
        run(world, sequence, new Set());
        finish(world, new Set());
        expect(kindsIn(world)).toEqual(new Set(["ModelVersion", "Model"]));
        expect(pass(world)).toEqual([]);
      }),
    );
  });

  test("leaves nothing but the Model when the version is deleted", () => {
    fc.assert(
      fc.property(sequences, (sequence) => {
        const world = worldWithVersion();
        run(world, sequence, new Set());
        world.deleteVersion();
        for (let round = 0; round < 10; round++) {
          world.apply(pass(world));
          world.settle();
          world.collect();
        }
        expect([...kindsIn(world)].filter((kind) => kind !== "Model")).toEqual([]);
      }),
    );
  });
});

function worldWithVersion(): BuildWorld {
  const world = new BuildWorld();
  world.add(
    makeModelVersion((version) => {
      version.spec = {
        ...version.spec,
        storage: { localStorage: { path: "/models/digits/run-1", nodeName: "node-1" } },
      };
    }),
  );
  return world;
}

function run(world: BuildWorld, sequence: readonly Step[], digests: Set<string>): void {
  const seen: ModelVersionObserved[] = [];
  // A cache lags behind, but it never goes back.
  let [versionSeen, otherSeen] = [0, 0];
  for (const next of sequence) {
    switch (next.do) {
      case "pass": {
        const now = world.observe();
        if (now !== undefined) seen.push(now);
        versionSeen = Math.max(versionSeen, seen.length - 1 - next.versionLag);
        otherSeen = Math.max(otherSeen, seen.length - 1 - next.otherLag);
        const version = seen[versionSeen]?.version;
        const other = seen[otherSeen];
        if (other === undefined || version === undefined) break;
        const observed = { ...other, version, now: world.now };
        world.apply(reconcileModelVersion(observed, kanikoBuilder), next.until);
        break;
      }
      case "settle":
        world.settle();
        break;
      case "collect":
        world.collect();
        break;
      case "end":
        world.endPods(next.how);
        break;
      case "wait":
        world.now += next.ms;
        break;
      case "delete the Jobs": {
        // Nobody deletes a Job before our watch has told us that it was made.
        const now = world.observe();
        if (now !== undefined) otherSeen = seen.push(now) - 1;
        world.deleteJobs();
        break;
      }
      case "retry":
        world.annotate(VERSION_ANNOTATIONS.retry, next.value);
        break;
    }
    note(world, digests);
  }
}

/** Time goes on, nothing fails any more, and the user asks again if it had failed for good. */
function finish(world: BuildWorld, digests: Set<string>): void {
  for (let round = 0; round < 40; round++) {
    if (world.version()?.status?.imageBuildPhase === "ImageBuildFailed") {
      world.annotate(VERSION_ANNOTATIONS.retry, `finish ${round}`);
    }
    world.apply(pass(world));
    world.settle();
    world.collect();
    world.endPods("succeeds");
    world.now += 60_000;
    note(world, digests);
  }
}

function pass(world: BuildWorld): ReturnType<typeof reconcileModelVersion> {
  const observed = world.observe();
  return observed === undefined ? [] : reconcileModelVersion(observed, kanikoBuilder);
}

function kindsIn(world: BuildWorld): ReadonlySet<string | undefined> {
  return new Set(world.objects().map(({ kind }) => kind));
}

function note(world: BuildWorld, digests: Set<string>): void {
  const digest = world.version()?.status?.digest;
  if (digest !== undefined) digests.add(digest);
}
