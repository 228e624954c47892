import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { splitManifests } from "./operator-manifests.ts";

const KIND = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {}\n";
const SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: certificates\n";
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - args:
        - --config=/config.yaml
        image: registry.invalid/operator:v1
        name: manager
        readinessProbe:
          httpGet:
            path: /readyz
          initialDelaySeconds: 10
        resources:
          requests:
            cpu: 500m
`;
const EDITS = { image: "local/operator@sha256:00", arguments: ["--leader-elect=false"] };

describe("an operator's manifests", () => {
  it("come apart into its kinds and all else, in their order", () => {
    const { kinds, others } = splitManifests([SECRET, KIND, DEPLOYMENT].join("---\n"), EDITS);
    expect(parse(kinds)).toMatchObject({ kind: "CustomResourceDefinition" });
    expect(kindsOf(others)).toEqual(["Secret", "Deployment"]);
  });

  it("run our image with arguments of ours behind theirs, and are asked at once whether they are ready", () => {
    const { others } = splitManifests(DEPLOYMENT, EDITS);
    const { spec } = parse(others) as {
      spec: { template: { spec: { containers: readonly object[] } } };
    };
    expect(spec.template.spec.containers).toEqual([
      {
        name: "manager",
        image: EDITS.image,
        args: ["--config=/config.yaml", "--leader-elect=false"],
        readinessProbe: { httpGet: { path: "/readyz" }, initialDelaySeconds: 0, periodSeconds: 1 },
        resources: {},
      },
    ]);
  });
});

function kindsOf(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => document.get("kind"));
}
