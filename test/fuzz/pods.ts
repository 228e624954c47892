import { GATES, LABELS } from "../../src/api/annotations.ts";
import { annotationKey, annotationValue } from "./annotation-values.ts";
import { HOSTILE_KEYS, HOSTILE_TEXTS } from "./hostile.ts";
import {
  anyAffinity,
  anyInitContainer,
  anyMount,
  anyName,
  anyOwner,
  anyResources,
  anyVariable,
  anyVolume,
} from "./pod-parts.ts";
import type { Random } from "./random.ts";
import { fieldsOf, listOf, withField, type Fields } from "./tree.ts";

type Edit = (value: unknown, random: Random) => unknown;

const GATE_NAMES = Object.values(GATES);
const LABEL_KEYS = [...Object.values(LABELS), "app", "app", ...HOSTILE_KEYS];
const LABEL_VALUES = ["true", "false", "web", "train", ...HOSTILE_TEXTS];
const TOLERATIONS = [
  { operator: "Exists" },
  { key: "gpu", effect: "NoSchedule" },
  { key: "__proto__" },
];

/** Changes a pod, or the template of some, in a way that means something. */
export const POD_EDITS: Readonly<Record<string, Edit>> = {
  "an annotation": metadata("annotations", annotate),
  "another annotation": metadata("annotations", annotate),
  "one more annotation": metadata("annotations", annotate),
  "a hostile annotation": metadata("annotations", (annotations, random) =>
    withField(annotations, random.pick(HOSTILE_KEYS), random.pick(HOSTILE_TEXTS)),
  ),
  "a label": metadata("labels", (labels, random) =>
    withField(labels, random.pick(LABEL_KEYS), random.pick(LABEL_VALUES)),
  ),
  "an owner": metadata("ownerReferences", (owners, random) => [
    ...listOf(owners).slice(0, random.below(2)),
    anyOwner(random),
  ]),
  "a container's name": container("name", (_, random) => anyName(random)),
  "a mount": container("volumeMounts", added(anyMount)),
  "a variable": container("env", added(anyVariable)),
  quantities: container("resources", (_, random) => anyResources(random)),
  "quantities of the pod": spec("resources", (_, random) => anyResources(random)),
  "a container more": spec(
    "containers",
    added((random) => ({ name: anyName(random) })),
  ),
  "an init container more": spec("initContainers", added(anyInitContainer)),
  "a volume": spec("volumes", added(anyVolume)),
  "a gate": spec(
    "schedulingGates",
    added((random) => ({ name: random.pick(GATE_NAMES) })),
  ),
  "a pull secret": spec(
    "imagePullSecrets",
    added((random) => ({ name: random.pick(["regcred", "push", "a"]) })),
  ),
  "a node": spec("nodeName", (_, random) => random.pick(["node-1", "node-2", "", null])),
  "an operating system": spec("os", (_, random) => ({ name: random.pick(["linux", "windows"]) })),
  "a node selector": spec("nodeSelector", (_, random) => ({
    "kubernetes.io/os": random.pick(["linux", "windows", "__proto__"]),
  })),
  "an affinity": spec("affinity", (_, random) => anyAffinity(random)),
  "a toleration": spec(
    "tolerations",
    added((random) => random.pick(TOLERATIONS)),
  ),
};

/** Sets one of our annotations. */
export function annotate(annotations: unknown, random: Random): Fields {
  const key = annotationKey(random);
  return withField(annotations, key, annotationValue(random, key));
}

function metadata(field: string, edit: Edit): Edit {
  return within("metadata", field, edit);
}

function spec(field: string, edit: Edit): Edit {
  return within("spec", field, edit);
}

function within(part: string, field: string, edit: Edit): Edit {
  return (pod, random) => {
    const fields = fieldsOf(fieldsOf(pod)[part]);
    return withField(pod, part, withField(fields, field, edit(fields[field], random)));
  };
}

/** Edits a field of one of the containers, of either list. */
function container(field: string, edit: Edit): Edit {
  return (pod, random) => {
    const isInit = random.chance(0.3);
    const ofOne: Edit = (list) => {
      const items = listOf(list);
      const index = random.below(items.length);
      const one = items.length === 0 ? anyInitContainer(random) : fieldsOf(items[index]);
      const edited = withField(one, field, edit(one[field], random));
      return items.length === 0 ? [edited] : items.with(index, edited);
    };
    return spec(isInit ? "initContainers" : "containers", ofOne)(pod, random);
  };
}

/** One more in the list, at its beginning or its end. */
function added(item: (random: Random) => unknown): Edit {
  return (list, random) => {
    const items = listOf(list);
    return random.chance(0.5) ? [item(random), ...items] : [...items, item(random)];
  };
}
