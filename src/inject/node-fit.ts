import { own } from "../api/fields.ts";
import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  Taint,
  Toleration,
} from "../api/kube-types.ts";

type Labels = Readonly<Record<string, string>>;

/** Taints that come and go with the state of a node: not-ready, unreachable, unschedulable, pressure of memory or disk. */
const STATE_TAINTS = "node.kubernetes.io/";
/** Taint of a node that its cloud provider has not seen yet. */
const UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized";
/** The one field of a node that a term may name. */
const NAME_FIELD = "metadata.name";
/** Longest text that is read as a number: values of labels are no longer. */
const MAX_NUMBER = 63;
/** Values of a list that are looked through in the time of one condition. */
const VALUES_AT_ONCE = 16;

/**
 * True when the pod may ever run on the node, by the node's labels and taints of now: what passes by itself, such as a cordon,
 * does not count, nor do resources. Where it is not known, the answer is yes.
 */
export function canGoTo(pod: Pod, node: Node): boolean {
  // What goes into pods is images for Linux.
  if (!isLinux(node)) return false;
  const name = node.metadata?.name ?? "";
  // Then the scheduler, with its taints and affinities, is not asked.
  if (pod.spec?.nodeName) return pod.spec.nodeName === name;
  const labels = node.metadata?.labels ?? {};
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const tolerations = pod.spec?.tolerations ?? [];
  const selector = pod.spec?.nodeSelector ?? {};
  return (
    Object.keys(selector).every((key) => own(labels, key) === selector[key]) &&
    (node.spec?.taints ?? []).every(
      (taint) => !isLasting(taint) || tolerations.some((each) => tolerates(each, taint)),
    ) &&
    (!required || (required.nodeSelectorTerms ?? []).some((term) => takes(term, { labels, name })))
  );
}

/** How many conditions `canGoTo` may have to look at for one node; a pod may list as many as it likes. */
export function conditionsOn(pod: Pod): number {
  const { nodeSelector, affinity, tolerations } = pod.spec ?? { containers: [] };
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  let count = Object.keys(nodeSelector ?? {}).length + (tolerations ?? []).length;
  for (const { matchExpressions, matchFields } of required?.nodeSelectorTerms ?? []) {
    count += 1;
    for (const list of [matchExpressions, matchFields]) {
      for (const { values } of list ?? []) {
        count += 1 + Math.ceil((values ?? []).length / VALUES_AT_ONCE);
      }
    }
  }
  return count;
}

function isLinux({ metadata, status }: Node): boolean {
  const labelled = own(metadata?.labels ?? {}, "kubernetes.io/os");
  return (status?.nodeInfo?.operatingSystem || labelled || "linux") === "linux";
}

/** An empty term takes no node. */
function takes(
  { matchExpressions, matchFields }: NodeSelectorTerm,
  { labels, name }: { readonly labels: Labels; readonly name: string },
): boolean {
  const expressions = matchExpressions ?? [];
  const fields = matchFields ?? [];
  return (
    expressions.length + fields.length > 0 &&
    expressions.every((each) => isKept(each, own(labels, each.key))) &&
    fields.every((each) => each.key !== NAME_FIELD || isKept(each, name))
  );
}

function isKept({ operator, values }: NodeSelectorRequirement, value: string | undefined): boolean {
  const listed = values ?? [];
  switch (operator) {
    case "In":
      return value !== undefined && listed.includes(value);
    case "NotIn":
      return value === undefined || !listed.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return isLess(listed[0], value);
    case "Lt":
      return isLess(value, listed[0]);
    default:
      return true;
  }
}

/** Compares integers of 64 bits; what is none is neither less nor more. */
function isLess(one: string | undefined, other: string | undefined): boolean {
  const [less, more] = [parseInteger(one), parseInteger(other)];
  return less !== undefined && more !== undefined && less < more;
}

function parseInteger(written: string | undefined): bigint | undefined {
  const text = written ?? "";
  if (text.length > MAX_NUMBER || !/^[-+]?\d+$/.test(text)) return undefined;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function isLasting({ effect, key }: Taint): boolean {
  if (effect !== "NoSchedule" && effect !== "NoExecute") return false;
  return key !== UNINITIALIZED && !key?.startsWith(STATE_TAINTS);
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return (operator || "Equal") !== "Equal" || (value ?? "") === (taint.value ?? "");
}
