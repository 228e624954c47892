import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { splitManifests } from "./operator-manifests.ts";

const KIND = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: jobs.example.org
spec: {}
`;
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
const EDITS = {
  kinds: ["jobs.example.org"],
  image: "local/operator@sha256:00",
  arguments: ["--leader-elect=false"],
};

describe("an operator's manifests", () => {
  it("come apart into the kinds that are wanted and all else, in their order", () => {
    const other = KIND.replace("jobs.", "otherjobs.");
    const text = [SECRET, other, KIND, DEPLOYMENT].join("---\n");
    const { kinds, others } = splitManifests(text, EDITS);
    expect(parse(kinds)).toEqual(parse(KIND));
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
