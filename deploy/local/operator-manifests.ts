import { parse } from "yaml";

/** What is applied first, and what after it; both YAML. */
export interface Manifests {
  /** The CustomResourceDefinitions. */
  readonly kinds: string;
  readonly others: string;
}

/** What an installation here has instead of what a project's manifests say. */
export interface OperatorEdits {
  /** Names of the CustomResourceDefinitions that are wanted. */
  readonly kinds: readonly string[];
  readonly image: string;
  readonly arguments: readonly string[];
}

/** A Deployment as far as it is changed. */
interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly [Container, ...Container[]] };
    };
  };
}

interface Container {
  args?: readonly string[];
  image: string;
  readinessProbe?: object;
  resources?: object;
}

/** Takes what `kubectl kustomize` printed apart and lets its Deployment run our image. */
export function splitManifests(text: string, edits: OperatorEdits): Manifests {
  const documents = text.split(/^---$/m);
  return {
    kinds: documents
      .filter((document) => isOfKind(document, "CustomResourceDefinition"))
      .filter((document) => edits.kinds.some((name) => document.includes(`\n  name: ${name}\n`)))
      .join("---\n"),
    others: documents
      .filter((document) => !isOfKind(document, "CustomResourceDefinition"))
      .map((document) =>
        isOfKind(document, "Deployment") ? editDeployment(document, edits) : document,
      )
      .join("---\n"),
  };
}

/** Nothing else stands at the start of a line: kustomize indents whatever is not of the object itself. */
function isOfKind(document: string, kind: string): boolean {
  return document.includes(`\nkind: ${kind}\n`);
}

function editDeployment(document: string, edits: OperatorEdits): string {
  const deployment = parse(document) as Deployment;
  const [container] = deployment.spec.template.spec.containers;
  container.image = edits.image;
  container.args = [...(container.args ?? []), ...edits.arguments];
  // Theirs asks after ten seconds, and then every ten or fifteen.
  container.readinessProbe = {
    ...container.readinessProbe,
    initialDelaySeconds: 0,
    periodSeconds: 1,
  };
  // JobSet reserves half a processor, of a node that may have two, for a process that idles.
  container.resources = {};
  return `${JSON.stringify(deployment)}\n`;
}
