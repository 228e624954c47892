import { describe, expect, test } from "vitest";
import {
  makeDefinition,
  makeDefinitionOfKubeDl,
  makeKubeDl,
  makeKubeDlObserved,
} from "../../test/make/kubedl.ts";
import { decideStandby } from "./standby.ts";

const LIVE = makeKubeDlObserved([makeKubeDl()]);
const ABSENT = makeKubeDlObserved();

describe("the leader", () => {
  test.each<
    [
      what: string,
      observed: typeof LIVE,
      takeover: boolean,
      before: boolean | undefined,
      standsBy: boolean,
      tells: string | undefined,
    ]
  >([
    ["stands by at its first look", LIVE, false, undefined, true, "KubeDLPresent"],
    ["begins to stand by", LIVE, false, false, true, "KubeDLPresent"],
    ["stands by on", LIVE, false, true, true, "KubeDLPresent"],
    ["takes over at its first look", LIVE, true, undefined, false, undefined],
    ["takes over on", LIVE, true, false, false, undefined],
    ["builds at its first look", ABSENT, false, undefined, false, undefined],
    ["builds on", ABSENT, false, false, false, undefined],
    ["builds again", ABSENT, false, true, false, "KubeDLGone"],
    ["builds on after it took over", ABSENT, true, false, false, undefined],
  ])("%s", (_what, observed, takeover, before, standsBy, tells) => {
    const stance = decideStandby(observed, { takeover, before });
    expect(stance.standsBy).toBe(standsBy);
    expect(stance.kubeDl !== undefined).toBe(observed === LIVE);
    expect(stance.actions.map((action) => action.type === "event" && action.reason)).toEqual(
      tells === undefined ? [] : [tells],
    );
  });
});

const WHO = "KubeDL (Deployment kubedl-system/kubedl, image docker.io/kubedl/kubedl:0.4.2)";
const WAYS =
  "runs, so modelhook puts models into pods and builds none; to have it build, stop it (kubectl scale --namespace kubedl-system --replicas 0 deployment kubedl) or start modelhook with serve --takeover";

describe("the definition is told", () => {
  const ref = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    name: "modelversions.model.kubedl.io",
    uid: "definition",
  };

  test.each([
    [
      "under modelhook's definitions",
      makeDefinition(),
      "; under modelhook's definitions KubeDL can not record how its builds end",
    ],
    [
      "under KubeDL's definitions",
      makeDefinitionOfKubeDl(),
      "; before that, replace KubeDL's definitions modelversions.model.kubedl.io by modelhook's",
    ],
  ])("who runs and what to do, %s", (_what, definition, then) => {
    const observed = makeKubeDlObserved([makeKubeDl()], [definition]);
    const { kubeDl, actions } = decideStandby(observed, { takeover: false, before: undefined });
    expect(kubeDl).toBe(WHO);
    const message = `${WHO} ${WAYS}${then}`;
    expect(actions).toEqual([
      { type: "event", ref, kind: "Warning", reason: "KubeDLPresent", message },
    ]);
  });

  test("that it has ended", () => {
    const { actions } = decideStandby(ABSENT, { takeover: false, before: true });
    const message = "KubeDL runs no more; modelhook builds ModelVersions again";
    expect(actions).toEqual([
      { type: "event", ref, kind: "Normal", reason: "KubeDLGone", message },
    ]);
  });

  test("nothing when there is none", () => {
    const observed = makeKubeDlObserved([makeKubeDl()], []);
    expect(decideStandby(observed, { takeover: false, before: undefined })).toMatchObject({
      standsBy: true,
      actions: [],
    });
  });
});
