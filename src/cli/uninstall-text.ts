import type { KubeObject } from "../api/kube-types.ts";
import { listed } from "../api/listed.ts";
import type { Resource } from "../kube/resources.ts";
import type { Found, Step, UninstallPlan } from "./uninstall-plan.ts";

/** Names that a message has before it only counts. */
const MOST = 10;

/** What is left to whoever has the manifests. */
const REMAINING = ["delete -f deploy/crds", "delete -f deploy/install.yaml"];

/** A step as it was done, or as it would be. */
export function stepText(step: Step, isDryRun: boolean): string {
  switch (step.type) {
    case "stop": {
      const { namespace } = step.installation;
      return isDryRun
        ? `would scale Deployment ${namespace}/modelhook to 0 and wait until its pods are gone`
        : `scaled Deployment ${namespace}/modelhook to 0, and its pods are gone`;
    }
    case "delete":
      return `${isDryRun ? "would delete" : "deleted"} ${names(step.objects)}${step.note === undefined ? "" : `; ${step.note}`}`;
    case "release":
      return `${isDryRun ? "would take" : "took"} the finalizer ${step.finalizer} off ${names(step.objects)}`;
  }
}

/** Why nothing is done without `--force`; empty where nothing is in the way. */
export function refusalLines(
  { lost }: Pick<UninstallPlan, "lost">,
  unread: readonly string[],
): readonly string[] {
  return [
    ...(lost.length === 0
      ? []
      : [
          `modelhook: ${count(lost.length, "job")} would lose ${lost.length === 1 ? "its model" : "their models"}:`,
          ...inLines(lost.map((each) => `${nameOf(each)} ${HOW[each.outcome]}`)),
          "let what runs end, or delete it; with --force jobs go on, and their models are not exported",
        ]),
    ...(unread.length === 0
      ? []
      : [
          "modelhook: it is not known whether more is left:",
          ...inLines(unread),
          "do it as a user who may read that; with --force the rest is done",
        ]),
    ...(lost.length + unread.length === 0 ? [] : ["nothing was changed"]),
  ];
}

/** Whose models are not exported; empty where all are. */
export function lostLines({ lost }: Pick<UninstallPlan, "lost">): readonly string[] {
  if (lost.length === 0) return [];
  return [`${count(lost.length, "model")} will not be exported: ${names(lost)}`];
}

/** What somebody else has to do something about; empty where there is nothing. */
export function leftLines(
  { stopping, clearing, waiting }: Omit<UninstallPlan, "lost">,
  unread: readonly string[],
): readonly string[] {
  const again = [...stopping, ...clearing].map((step) => stepText(step, true));
  return [
    ...problem("this is still to be done, or was done again by a modelhook that runs:", again),
    ...problem("this could not be read, and may hold what waits for modelhook:", unread),
    ...problem(
      `${count(waiting.length, "pod")} behind a gate of modelhook will never start; delete ${waiting.length === 1 ? "it" : "them"}:`,
      waiting.map(placeOf),
    ),
  ];
}

/** The last words: whether anything waits, and what takes the rest away, from the cluster of the context where one was named. */
export function closingLines(
  isLeft: boolean,
  how: keyof typeof STATES,
  context?: string,
): readonly string[] {
  const kubectl = context === undefined ? "kubectl" : `kubectl --context ${quoted(context)}`;
  return [
    isLeft ? "once that is seen to, the rest goes by" : STATES[how],
    ...REMAINING.map((command) => `  ${kubectl} ${command}`),
  ];
}

const STATES = {
  "would be done": "nothing would wait for modelhook any more; the rest goes by",
  done: "nothing waits for modelhook any more; the rest goes by",
  "nothing to do": "nothing is left that waits for modelhook; the rest goes by",
} as const;

/** A kind as kubectl takes it: `jobs.batch`. */
export function kindText({ plural, group }: Resource): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/** `jobs.batch team-a/train`. */
export function nameOf({ resource, object }: Found): string {
  return `${kindText(resource)} ${placeOf(object)}`;
}

const HOW = { running: "runs", succeeded: "has succeeded, but is not exported yet" } as const;

function placeOf({ metadata }: KubeObject): string {
  const { namespace, name = "" } = metadata ?? {};
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function names(found: readonly Found[]): string {
  return listed(found.map(nameOf), MOST);
}

function problem(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`modelhook: ${title}`, ...inLines(lines)];
}

function inLines(lines: readonly string[]): readonly string[] {
  const more = lines.length - MOST;
  return [
    ...lines.slice(0, MOST).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
