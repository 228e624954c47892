import { describe, expect, test } from "vitest";
import { makeNode, type MadeNode } from "../../test/make/node.ts";
import { makePod, type MadePod } from "../../test/make/pod.ts";
import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  Taint,
  Toleration,
} from "../api/kube-types.ts";
import { canGoTo, conditionsOn } from "./node-fit.ts";

/** A pod whose required node affinity has these terms. */
function podFor(...nodeSelectorTerms: readonly NodeSelectorTerm[]): Pod {
  return podWithAffinity({ nodeSelectorTerms });
}

/** A pod whose required node affinity is this, as a request may have it. */
function podWithAffinity(required: object | null): Pod {
  return makePod((pod) => {
    Object.assign(pod.spec, {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
    });
  });
}

/** A pod for nodes whose label `serial` is above the value. */
function podAbove(value: string): Pod {
  return podFor({ matchExpressions: [{ key: "serial", operator: "Gt", values: [value] }] });
}

function named(name: string, operator = "In"): NodeSelectorRequirement {
  return { key: "metadata.name", operator, values: [name] };
}

const podThatTolerates = (...tolerations: Toleration[]): Pod =>
  makePod((pod) => void (pod.spec.tolerations = tolerations));
const labelled = (labels: Readonly<Record<string, string>>): MadeNode =>
  makeNode((node) => void Object.assign(node.metadata.labels, labels));
const tainted = (...taints: Taint[]): MadeNode =>
  makeNode((node) => void (node.spec.taints = taints));

const GPU = labelled({ gpu: "a100", count: "8" });

test("a pod that asks for nothing can go to any node", () => {
  expect(canGoTo(makePod(), makeNode())).toBe(true);
});

describe("spec.nodeName", () => {
  test.each<[string, string, boolean]>([
    ["of this node takes it", "node-1", true],
    ["of another node leaves it", "node-2", false],
    ["that is empty names none", "", true],
  ])("%s", (_, nodeName, expected) => {
    expect(
      canGoTo(
        makePod((pod) => void (pod.spec.nodeName = nodeName)),
        makeNode(),
      ),
    ).toBe(expected);
  });

  test("takes a node whose taints and labels the scheduler would mind", () => {
    const pod = makePod((each) => {
      each.spec.nodeName = "node-1";
      each.spec.nodeSelector = { gpu: "a100" };
    });
    expect(canGoTo(pod, tainted({ key: "own", effect: "NoSchedule" }))).toBe(true);
  });
});

describe("spec.nodeSelector", () => {
  test.each<[string, Readonly<Record<string, string>>, boolean]>([
    ["that is empty fits", {}, true],
    ["of labels that the node has fits", { gpu: "a100", count: "8" }, true],
    ["of another value does not fit", { gpu: "h100" }, false],
    ["does not fit when one of its labels is missing", { gpu: "a100", zone: "a" }, false],
    ["of an empty value does not fit an absent label", { zone: "" }, false],
    ["of a name that every object has does not fit", { constructor: "a100" }, false],
  ])("%s", (_, nodeSelector, expected) => {
    const pod = makePod((each) => void (each.spec.nodeSelector = { ...nodeSelector }));
    expect(canGoTo(pod, GPU)).toBe(expected);
  });
});

describe("a requirement of a node's label", () => {
  test.each<[string, NodeSelectorRequirement, boolean]>([
    ["In, with its value", { key: "gpu", operator: "In", values: ["h100", "a100"] }, true],
    ["In, without its value", { key: "gpu", operator: "In", values: ["h100"] }, false],
    ["In, of an absent label", { key: "zone", operator: "In", values: ["a"] }, false],
    ["In, without values", { key: "gpu", operator: "In" }, false],
    ["NotIn, with its value", { key: "gpu", operator: "NotIn", values: ["a100"] }, false],
    ["NotIn, without its value", { key: "gpu", operator: "NotIn", values: ["h100"] }, true],
    ["NotIn, of an absent label", { key: "zone", operator: "NotIn", values: ["a"] }, true],
    ["Exists, of a label it has", { key: "gpu", operator: "Exists" }, true],
    ["Exists, of an absent label", { key: "zone", operator: "Exists" }, false],
    ["Exists, of a name that every object has", { key: "toString", operator: "Exists" }, false],
    ["DoesNotExist, of a label it has", { key: "gpu", operator: "DoesNotExist" }, false],
    ["DoesNotExist, of an absent label", { key: "zone", operator: "DoesNotExist" }, true],
    ["Gt, of less", { key: "count", operator: "Gt", values: ["7"] }, true],
    ["Gt, of less, though it sorts after", { key: "count", operator: "Gt", values: ["07"] }, true],
    ["Gt, of less, with a sign", { key: "count", operator: "Gt", values: ["+7"] }, true],
    ["Gt, of less than nothing", { key: "count", operator: "Gt", values: ["-9"] }, true],
    ["Gt, of the same", { key: "count", operator: "Gt", values: ["8"] }, false],
    [
      "Gt, of more, though it sorts before",
      { key: "count", operator: "Gt", values: ["10"] },
      false,
    ],
    ["Gt, of a fraction", { key: "count", operator: "Gt", values: ["7.5"] }, false],
    ["Gt, without a value", { key: "count", operator: "Gt" }, false],
    ["Gt, of a label that is no number", { key: "gpu", operator: "Gt", values: ["1"] }, false],
    ["Gt, of an absent label", { key: "zone", operator: "Gt", values: ["1"] }, false],
    ["Lt, of more", { key: "count", operator: "Lt", values: ["10"] }, true],
    ["Lt, of the largest", { key: "count", operator: "Lt", values: ["9223372036854775807"] }, true],
    [
      "Lt, of more than 64 bits",
      { key: "count", operator: "Lt", values: ["9223372036854775808"] },
      false,
    ],
    ["Lt, of a million digits", { key: "count", operator: "Lt", values: ["9".repeat(1e6)] }, false],
    ["Lt, of the same", { key: "count", operator: "Lt", values: ["8"] }, false],
    ["Lt, of an absent label", { key: "zone", operator: "Lt", values: ["1"] }, false],
    ["by an unknown operator, which may hold", { key: "gpu", operator: "Like" }, true],
  ])("%s", (_, requirement, expected) => {
    expect(canGoTo(podFor({ matchExpressions: [requirement] }), GPU)).toBe(expected);
  });

  test("tells integers apart that a number of JavaScript does not", () => {
    const node = labelled({ serial: "9007199254740993" });
    expect(canGoTo(podAbove("9007199254740992"), node)).toBe(true);
    expect(canGoTo(podAbove("9007199254740993"), node)).toBe(false);
  });
});

describe("required node affinity", () => {
  const gpu: NodeSelectorRequirement = { key: "gpu", operator: "Exists" };
  const zone: NodeSelectorRequirement = { key: "zone", operator: "Exists" };

  test.each<[string, readonly NodeSelectorTerm[], boolean]>([
    [
      "fits by one term of several",
      [{ matchExpressions: [zone] }, { matchExpressions: [gpu] }],
      true,
    ],
    ["does not fit when each term asks for more", [{ matchExpressions: [gpu, zone] }], false],
    ["fits by the node's name", [{ matchFields: [named("node-1")] }], true],
    ["does not fit another name", [{ matchFields: [named("node-2")] }], false],
    ["fits when another name is excluded", [{ matchFields: [named("node-2", "NotIn")] }], true],
    [
      "does not fit when the name is excluded",
      [{ matchFields: [named("node-1", "NotIn")] }],
      false,
    ],
    [
      "does not fit by name alone when labels are asked for, too",
      [{ matchFields: [named("node-1")], matchExpressions: [zone] }],
      false,
    ],
    [
      "fits by a field that is unknown, which may hold",
      [{ matchFields: [{ ...gpu, key: "x" }] }],
      true,
    ],
    ["without terms fits no node", [], false],
    ["of an empty term fits no node", [{}], false],
    ["of a term with empty lists fits no node", [{ matchExpressions: [], matchFields: [] }], false],
    ["fits by a term beside an empty one", [{}, { matchExpressions: [gpu] }], true],
  ])("%s", (_, terms, expected) => {
    expect(canGoTo(podFor(...terms), GPU)).toBe(expected);
  });

  test("is asked for besides the node selector", () => {
    const pod = makePod((each) => {
      each.spec.nodeSelector = { zone: "a" };
      Object.assign(each.spec, { affinity: podFor({ matchExpressions: [gpu] }).spec?.affinity });
    });
    expect(canGoTo(pod, GPU)).toBe(false);
  });

  test("that is only preferred excludes no node", () => {
    const pod = makePod((each) => {
      each.spec.affinity = {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, preference: { matchExpressions: [zone] } },
          ],
        },
      };
    });
    expect(canGoTo(pod, GPU)).toBe(true);
  });
});

describe("a pod that tolerates nothing", () => {
  test.each<[string, Taint, boolean]>([
    ["can not go where NoSchedule is", { key: "own", effect: "NoSchedule" }, false],
    ["can not go where NoExecute is", { key: "own", value: "x", effect: "NoExecute" }, false],
    ["can go where PreferNoSchedule is", { key: "own", effect: "PreferNoSchedule" }, true],
    ["can go where an unknown effect is", { key: "own", effect: "NoVisit" }, true],
    [
      "can go to a node that is not ready yet",
      { key: "node.kubernetes.io/not-ready", effect: "NoExecute" },
      true,
    ],
    [
      "can go to a cordoned node",
      { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" },
      true,
    ],
    [
      "can go to a node that its cloud provider has not seen yet",
      {
        key: "node.cloudprovider.kubernetes.io/uninitialized",
        value: "true",
        effect: "NoSchedule",
      },
      true,
    ],
    [
      "can not go to one that another taint of the provider holds",
      { key: "node.cloudprovider.kubernetes.io/shutdown", effect: "NoSchedule" },
      false,
    ],
    [
      "can not go to the control plane",
      { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
      false,
    ],
  ])("%s", (_, taint, expected) => {
    expect(canGoTo(makePod(), tainted(taint))).toBe(expected);
  });
});

describe("a toleration of", () => {
  const taint: Taint = { key: "own", value: "a", effect: "NoSchedule" };

  test.each<[string, Toleration, boolean]>([
    ["the same key and value", { key: "own", operator: "Equal", value: "a" }, true],
    ["the same key and value, without an operator", { key: "own", value: "a" }, true],
    ["another value", { key: "own", value: "b" }, false],
    ["no value", { key: "own" }, false],
    ["the key, with any value", { key: "own", operator: "Exists" }, true],
    ["another key", { key: "other", operator: "Exists" }, false],
    ["everything", { operator: "Exists" }, true],
    ["everything, with an empty key", { key: "", operator: "Exists", effect: "" }, true],
    ["everything of that effect", { operator: "Exists", effect: "NoSchedule" }, true],
    ["everything of another effect", { operator: "Exists", effect: "NoExecute" }, false],
    [
      "the key by an unknown operator, which may hold",
      { key: "own", operator: "Gt", value: "1" },
      true,
    ],
    ["another key by an unknown operator", { key: "other", operator: "Gt", value: "1" }, false],
    ["a taint for a while", { key: "own", operator: "Exists", tolerationSeconds: 30 }, true],
  ])("%s", (_, toleration, expected) => {
    expect(canGoTo(podThatTolerates(toleration), tainted(taint))).toBe(expected);
  });

  test("an absent value is one of an empty value", () => {
    const node = tainted({ key: "own", effect: "NoSchedule" });
    expect(canGoTo(podThatTolerates({ key: "own", value: "" }), node)).toBe(true);
  });

  test("one of two taints is not enough", () => {
    const node = tainted(taint, { key: "more", effect: "NoExecute" });
    expect(canGoTo(podThatTolerates({ key: "own", value: "a" }), node)).toBe(false);
    const both = podThatTolerates({ key: "own", value: "a" }, { key: "more" });
    expect(canGoTo(both, node)).toBe(true);
  });
});

test("a cordoned node counts: the cordon may be lifted before the pod is scheduled", () => {
  expect(
    canGoTo(
      makePod(),
      makeNode((node) => void (node.spec.unschedulable = true)),
    ),
  ).toBe(true);
});

describe("a node that runs", () => {
  test.each<[string, string | null, string | undefined, boolean]>([
    ["Linux", "linux", "linux", true],
    ["Windows", "windows", "windows", false],
    ["Windows, whatever its label says", "windows", "linux", false],
    ["Windows, as only its label says", "", "windows", false],
    ["Windows, as only its label says, with a null", null, "windows", false],
    ["what is not said, which is Linux", "", undefined, true],
  ])("%s", (_, operatingSystem, label, expected) => {
    const node = makeNode((each) => {
      Object.assign(each.status.nodeInfo, { operatingSystem });
      if (label === undefined) delete each.metadata.labels["kubernetes.io/os"];
      else each.metadata.labels["kubernetes.io/os"] = label;
    });
    expect(canGoTo(makePod(), node)).toBe(expected);
    const bound = makePod((pod) => void (pod.spec.nodeName = "node-1"));
    expect(canGoTo(bound, node)).toBe(expected);
  });
});

describe("what is null or not there", () => {
  const nulls = { nodeName: null, nodeSelector: null, affinity: null, tolerations: null };

  test.each<[string, object, boolean]>([
    ["an empty object", {}, true],
    ["a null spec", { spec: null }, true],
    ["null fields", { spec: nulls }, true],
    ["a null node affinity", { spec: { affinity: { nodeAffinity: null } } }, true],
    ["no requirement", podWithAffinity(null), true],
    ["no terms", podWithAffinity({}), false],
    ["null terms", podWithAffinity({ nodeSelectorTerms: null }), false],
    [
      "null lists in a term",
      podWithAffinity({ nodeSelectorTerms: [{ matchExpressions: null, matchFields: null }] }),
      false,
    ],
    [
      "null values",
      podWithAffinity({
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "zone", operator: "NotIn", values: null }] },
        ],
      }),
      true,
    ],
  ])("in a pod: %s", (_, pod, expected) => {
    expect(canGoTo(pod as Pod, makeNode())).toBe(expected);
    expect(conditionsOn(pod as Pod)).toBeLessThan(3);
  });

  test.each<[string, object]>([
    ["an empty object", {}],
    ["null parts", { metadata: null, spec: null, status: null }],
    [
      "null fields",
      {
        metadata: { name: null, labels: null },
        spec: { taints: null },
        status: { nodeInfo: null },
      },
    ],
  ])("in a node: %s", (_, node) => {
    expect(canGoTo(makePod(), node as Node)).toBe(true);
    expect(
      canGoTo(
        makePod((pod) => void (pod.spec.nodeSelector = { a: "b" })),
        node as Node,
      ),
    ).toBe(false);
  });

  test.each<[string, object, object, boolean]>([
    ["a toleration of nothing said", {}, { key: "own", value: null, effect: "NoSchedule" }, true],
    [
      "a toleration of nulls",
      { key: null, operator: null, value: null, effect: null },
      { key: "own", effect: "NoSchedule" },
      true,
    ],
    [
      "a taint without a key",
      { key: "own", operator: "Exists" },
      { key: null, effect: "NoSchedule" },
      false,
    ],
  ])("in taints: %s", (_, toleration, taint, expected) => {
    expect(canGoTo(podThatTolerates(toleration), tainted(taint as Taint))).toBe(expected);
  });
});

describe("the conditions of a pod on nodes are", () => {
  test.each<[string, (pod: MadePod) => void, number]>([
    ["none, when it has none", () => {}, 0],
    ["its selected labels", (pod) => void (pod.spec.nodeSelector = { a: "b", c: "d" }), 2],
    ["its tolerations", (pod) => void (pod.spec.tolerations = [{ operator: "Exists" }]), 1],
    [
      "its terms, what they require, and the values, many of which count as one",
      (pod) => {
        const key = "a";
        const { affinity } =
          podFor(
            {},
            {
              matchExpressions: [
                { key, operator: "In", values: Array.from({ length: 33 }, () => "b") },
                { key, operator: "Exists" },
              ],
              matchFields: [{ key: "metadata.name", operator: "In", values: ["d"] }],
            },
          ).spec ?? {};
        Object.assign(pod.spec, { affinity });
      },
      9,
    ],
  ])("%s", (_, tweak, count) => {
    expect(conditionsOn(makePod(tweak))).toBe(count);
  });
});
