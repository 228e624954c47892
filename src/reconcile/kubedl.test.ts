import { describe, expect, test } from "vitest";
import { NOW } from "../../test/make/attempt.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import {
  makeDefinition,
  makeDefinitionOfKubeDl,
  makeKubeDl,
  makeKubeDlObserved,
} from "../../test/make/kubedl.ts";
import type { Deployment } from "../api/kube-types.ts";
import { formatTime } from "../api/time.ts";
import {
  definitionsWithoutStatus,
  findKubeDl,
  identityOf,
  managerImage,
  runningManagers,
} from "./kubedl.ts";

const MINUTE_MS = 60_000;

/** Gives the only container another name and image. */
function running(name: string, image?: string): Tweak<Deployment> {
  return ({ spec }) => {
    if (spec?.template.spec !== undefined) {
      spec.template.spec.containers = [{ name, ...(image === undefined ? {} : { image }) }];
    }
  };
}

/** No replica is ready, and that was seen so many minutes ago; by default as many are wanted as the manifest says. */
function unready(minutes: number, replicas: number | undefined = 1): Tweak<Deployment> {
  const lastTransitionTime = formatTime(NOW - minutes * MINUTE_MS);
  return (deployment) => {
    if (deployment.spec !== undefined) {
      if (replicas === undefined) delete deployment.spec.replicas;
      else deployment.spec.replicas = replicas;
    }
    deployment.status = {
      conditions: [
        { type: "Progressing", status: "True", lastTransitionTime: formatTime(NOW) },
        { type: "Available", status: "False", lastTransitionTime },
      ],
    };
  };
}

function madeAgo(minutes: number): Tweak<Deployment> {
  return (deployment) => {
    deployment.metadata = {
      ...deployment.metadata,
      creationTimestamp: formatTime(NOW - minutes * MINUTE_MS),
    };
    delete deployment.status;
  };
}

function named(name: string): Deployment {
  return makeKubeDl((each) => void (each.metadata = { ...each.metadata, name, uid: name }));
}

const ROWS: readonly (readonly [what: string, tweak: Tweak<Deployment>, live: boolean])[] = [
  ["the manifest's Deployment with a ready replica", () => {}, true],
  ["the chart's Deployment", running("kubedl", "kubedl/kubedl:0.4.0"), true],
  ["a mirrored image under another name", running("main", "mirror.test:5000/k/kubedl:1"), true],
  ["an image by digest", running("main", `kubedl/kubedl@sha256:${"a".repeat(64)}`), true],
  ["an image of its own in the manifest's container", running("kubedl-manager", "own:1"), true],
  ["the dashboard", running("kubedl-dashboard", "kubedl/dashboard:daily"), false],
  ["somebody else's Deployment", running("web", "registry.test/web:1"), false],
  ["a container without an image", running("web"), false],
  [
    "a replica that is available only",
    (each) => void (each.status = { availableReplicas: 1 }),
    true,
  ],
  [
    "a ready replica that is not wanted any more",
    (each) => {
      if (each.spec !== undefined) each.spec.replicas = 0;
    },
    true,
  ],
  ["no ready replica since a minute", unready(1), true],
  ["no ready replica since nine minutes", unready(9), true],
  ["no ready replica since eleven minutes", unready(11), false],
  ["no ready replica, and no number that is wanted, which is one", unready(1, undefined), true],
  ["no replica that is wanted", unready(1, 0), false],
  ["a Deployment made a minute ago", madeAgo(1), true],
  ["a Deployment made an hour ago whose state nobody writes", madeAgo(60), false],
  [
    "no ready replica and a deletion",
    (each) => {
      unready(1)(each);
      each.metadata = { ...each.metadata, deletionTimestamp: formatTime(NOW) };
    },
    false,
  ],
];

describe.each([
  ["modelhook's", makeDefinition()],
  ["KubeDL's, with all of its marks,", makeDefinitionOfKubeDl()],
])("where the definition is %s", (_whose, definition) => {
  test.each(ROWS)("%s: live is %s", (_what, tweak, live) => {
    const observed = makeKubeDlObserved([makeKubeDl(tweak)], [definition]);
    expect(findKubeDl(observed) !== undefined).toBe(live);
  });

  test.each(ROWS)("%s, which may not write ModelVersions: live is never", (_what, tweak) => {
    const observed = makeKubeDlObserved([makeKubeDl(tweak)], [definition], ["another"]);
    expect(findKubeDl(observed)).toBeUndefined();
  });

  test.each(ROWS)("%s: whether it may write is asked is %s", (_what, tweak, live) => {
    const observed = makeKubeDlObserved([makeKubeDl(tweak)], [definition], []);
    expect(runningManagers(observed)).toHaveLength(live ? 1 : 0);
  });

  test("one that may write is found among forged ones", () => {
    const [first, real, last] = [named("first"), named("real"), named("last")];
    const observed = makeKubeDlObserved([first, real, last], [definition], ["real"]);
    expect(findKubeDl(observed)).toBe(real);
  });

  test("no Deployment at all is no KubeDL", () => {
    expect(findKubeDl(makeKubeDlObserved([], [definition]))).toBeUndefined();
  });

  test("the live one of several is found", () => {
    const live = named("second");
    const observed = makeKubeDlObserved([makeKubeDl(unready(1, 0)), live], [definition]);
    expect(findKubeDl(observed)).toBe(live);
  });
});

test("the image is the manager's, not that of what stands beside it", () => {
  const deployment = makeKubeDl(({ spec }) => {
    spec?.template.spec?.containers.unshift({ name: "proxy", image: "proxy:1" });
  });
  expect(managerImage(deployment)).toBe("docker.io/kubedl/kubedl:0.4.2");
});

test.each<[what: string, image: string, shown: string | undefined]>([
  [
    "is cut when it is long",
    `registry.test/${"a".repeat(200)}/kubedl:1`,
    `registry.test/${"a".repeat(86)}…`,
  ],
  ["is not shown when it is none", "kubedl\nbuilds nothing, pay here", undefined],
])("an image that anybody may have written %s", (_what, image, shown) => {
  expect(managerImage(makeKubeDl(running("kubedl", image)))).toBe(shown);
});

describe("pods of a Deployment are to the API server", () => {
  const groups = [
    "system:serviceaccounts",
    "system:serviceaccounts:kubedl-system",
    "system:authenticated",
  ];

  test("the ServiceAccount that it names", () => {
    const user = "system:serviceaccount:kubedl-system:kubedl-manager";
    expect(identityOf(makeKubeDl())).toEqual({ user, groups });
  });

  test("the default one of its namespace when it names none", () => {
    const user = "system:serviceaccount:kubedl-system:default";
    const deployment = makeKubeDl(
      ({ spec }) => void delete spec?.template.spec?.serviceAccountName,
    );
    expect(identityOf(deployment)).toEqual({ user, groups });
  });
});

test.each([
  ["modelhook's", makeDefinition(), []],
  ["KubeDL's", makeDefinitionOfKubeDl(), ["modelversions.model.kubedl.io"]],
])("a definition that is %s has its status told from its spec or not", (_, definition, names) => {
  expect(definitionsWithoutStatus(makeKubeDlObserved([], [definition]))).toEqual(names);
});
