import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Wanted } from "../api/wanted.ts";
import { resolve } from "../inject/resolution.ts";
import { gateWarning } from "./gate-warning.ts";
import type { Snapshot } from "./snapshot.ts";

const GATE = "the pod waits behind the scheduling gate model.kubedl.io/build";

/** Names of the namespace, and a Model mnist with these aliases, where there are any. */
function names(
  given: Partial<Pick<Snapshot, "versionNames" | "modelNames">>,
  aliases?: Readonly<Record<string, string>>,
  versions: readonly ModelVersion[] = [],
): Snapshot {
  return makeSnapshot(versions, (snapshot) => {
    Object.assign(snapshot, given);
    if (aliases === undefined) return;
    snapshot.models = {
      mnist: makeModel((model) => void (model.spec = { aliases: { ...aliases } })),
    };
  });
}

function warn(wanted: Wanted, snapshot: Snapshot) {
  const resolved = resolve(wanted, snapshot);
  if (resolved.state !== "waiting") throw new Error("nothing is waited for");
  const { reason, message } = gateWarning(wanted, resolved, snapshot);
  return `${reason}: ${message}`;
}

describe("a pod that waits is told", () => {
  test.each<[string, Wanted, Snapshot, string]>([
    [
      "that the version is not there",
      { modelVersion: "mnist-v1" },
      names({}),
      `ModelNotFound: ModelVersion mnist-v1 does not exist; ${GATE}`,
    ],
    [
      "which version may be meant",
      { modelVersion: "mnist-v1" },
      names({ versionNames: ["resnet", "mnist-v10"], modelNames: ["mnist-v2"] }),
      `ModelNotFound: ModelVersion mnist-v1 does not exist; ${GATE}; did you mean mnist-v10?`,
    ],
    [
      "which Model may be meant",
      { model: "mnits" },
      names({ modelNames: ["resnet", "mnist"], versionNames: ["mnits-1"] }),
      `ModelNotFound: Model mnits does not exist; ${GATE}; did you mean mnist?`,
    ],
    [
      "which Model may be meant, when an alias is asked for",
      { model: "mnits", alias: "production" },
      names({ modelNames: ["mnist"] }),
      `ModelNotFound: Model mnits does not exist; ${GATE}; did you mean mnist?`,
    ],
    [
      "which alias may be meant",
      { model: "mnist", alias: "prodution" },
      names({ modelNames: ["prodution"] }, { production: "mnist-v1", canary: "mnist-v2" }),
      `AliasPending: Model mnist has no alias prodution; ${GATE}; did you mean production?`,
    ],
    [
      "that the Model has no such alias, where it has none",
      { model: "mnist", alias: "production" },
      names({}, {}),
      `AliasPending: Model mnist has no alias production; ${GATE}`,
    ],
    [
      "that the version of an alias is not there",
      { model: "mnist", alias: "production" },
      names({ versionNames: ["mnist-v1"] }, { production: "mnist-v2" }),
      `ModelNotFound: alias production of Model mnist is ModelVersion mnist-v2, which does not exist; ${GATE}; did you mean mnist-v1?`,
    ],
    [
      "that nothing is built yet, which is no misspelling",
      { model: "mnist" },
      names({ modelNames: ["mnits"], versionNames: ["mnist"] }, {}),
      `ModelNotBuilt: Model mnist has no built version yet; ${GATE}`,
    ],
    [
      "that the version is not built, which is no misspelling",
      { modelVersion: "mnist-v1" },
      names({ versionNames: ["mnist-v2"] }, undefined, [makeModelVersion()]),
      `ModelNotBuilt: ModelVersion mnist-v1 is not built yet; ${GATE}`,
    ],
    [
      "no other name, when none is near",
      { modelVersion: "mnist-v1" },
      names({ versionNames: ["resnet-v1", "a"] }),
      `ModelNotFound: ModelVersion mnist-v1 does not exist; ${GATE}`,
    ],
    [
      "no other name of a few letters, to which all are near",
      { model: "ab" },
      names({ modelNames: ["xy"] }),
      `ModelNotFound: Model ab does not exist; ${GATE}`,
    ],
    [
      "about a name that every object inherits like any other",
      { model: "constructor", alias: "toString" },
      names({ modelNames: ["constructors"] }),
      `ModelNotFound: Model constructor does not exist; ${GATE}; did you mean constructors?`,
    ],
  ])("%s", (_, wanted, snapshot, warning) => {
    expect(warn(wanted, snapshot)).toBe(warning);
  });
});
