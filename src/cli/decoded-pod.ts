import { isFields } from "../api/fields.ts";
import type { Pod } from "../api/kube-types.ts";

type Change = (value: unknown) => unknown;

const asText: Change = (value) => (typeof value === "number" ? String(value) : value);
const resources = fields({ limits: values(asText), requests: values(asText) });
const containers = items(fields({ resources }));
const decode = fields({
  spec: fields({
    resources,
    containers,
    initContainers: containers,
    volumes: items(fields({ emptyDir: fields({ sizeLimit: asText }) })),
  }),
});

/** The pod with its quantities as texts, as the API server hands it on: in YAML they may be numbers. What is of another type stays. */
export function decodedPod(pod: Pod): Pod {
  return decode(pod) as Pod;
}

function fields(changes: Readonly<Record<string, Change>>): Change {
  return (value) => {
    if (!isFields(value)) return value;
    const changed = Object.entries(changes)
      .filter(([key]) => Object.hasOwn(value, key))
      .map(([key, change]) => [key, change(value[key])] as const);
    return { ...value, ...Object.fromEntries(changed) };
  };
}

function values(change: Change): Change {
  return (value) =>
    isFields(value)
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, change(each)]))
      : value;
}

function items(change: Change): Change {
  return (value) => (Array.isArray(value) ? value.map((item: unknown) => change(item)) : value);
}
