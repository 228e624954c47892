import { gateWarning } from "../admission/gate-warning.ts";
import { GATES, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { wantedText } from "../api/wanted.ts";
import { resolve } from "../inject/resolution.ts";
import { loadersOf } from "../inject/init-container.ts";
import type { ServedModel } from "../inject/serving-status.ts";
import { isUnread, type Line, type PodFacts } from "./pod-facts.ts";

const LIFTED_SOON =
  "is built; the gate goes within seconds, and if it does not, the log of modelhook's leader tells why";

/** What the pod waits for: its gates, and loaders that do not end. */
export function explainWaiting(facts: PodFacts): readonly Line[] {
  const { pod } = facts;
  const gates = (pod.spec?.schedulingGates ?? []).map(({ name }) => name);
  return [...gates.flatMap((name) => gateLines(name, facts)), ...loaderLines(pod)];
}

function gateLines(name: string, facts: PodFacts): readonly Line[] {
  const behind = `behind the scheduling gate ${name}`;
  if (name === GATES.export) {
    return [["Waits", `${behind} until its storage is ready; its Events tell what hinders that`]];
  }
  if (name !== GATES.build) return [["Waits", `${behind}, which is not modelhook's`]];
  const waiting = (facts.status?.models ?? []).filter(({ digest }) => digest === undefined);
  if (waiting.length === 0) {
    return [
      [
        "Waits",
        `${behind}, and its annotations do not say for what; delete it, so that it is made anew`,
      ],
    ];
  }
  if (isUnread(facts, "modelversions", "models")) {
    return waiting.map(({ wanted }) => ["Waits", `${behind} for ${wantedText(wanted)}`]);
  }
  return waiting.flatMap((model) => modelLines(behind, model, facts));
}

function modelLines(
  behind: string,
  { wanted }: ServedModel,
  { snapshot }: PodFacts,
): readonly Line[] {
  const resolved = resolve(wanted, snapshot);
  switch (resolved.state) {
    case "built":
      return [["Waits", `${behind} for ${wantedText(wanted)}, which ${LIFTED_SOON}`]];
    case "failed":
      return [
        ["Waits", `${behind}: ${resolved.message}`],
        [
          "",
          `any new value of the version's annotation ${VERSION_ANNOTATIONS.retry} builds it again`,
        ],
      ];
    case "waiting": {
      const { version } = resolved;
      const { message } = gateWarning(wanted, resolved, snapshot);
      return [["Waits", message], ...(version === undefined ? [] : versionLines(version))];
    }
  }
}

/** Where a build stands. */
function versionLines({ metadata, status = {} }: ModelVersion): readonly Line[] {
  const { imageBuildPhase, message, conditions = [] } = status;
  const phase = imageBuildPhase ?? "nothing is begun";
  const said = message === undefined ? "" : `; ${message}`;
  return [
    ["", `ModelVersion ${metadata.name}: ${phase}${said}`],
    ...conditions.map(({ type, status: is, reason, message: text }): Line => [
      "",
      `${type} is ${is} (${reason}): ${text}`,
    ]),
  ];
}

/** What keeps a loader from ending well, by the word of the kubelet. */
function loaderLines(pod: Pod): readonly Line[] {
  const names = new Set(loadersOf(pod).map(({ container }) => container.name));
  return (pod.status?.initContainerStatuses ?? [])
    .filter(({ name }) => names.has(name))
    .flatMap(({ name, state, lastState }): readonly Line[] => {
      const waiting = state?.waiting;
      const ended = state?.terminated ?? lastState?.terminated;
      const failed = ended !== undefined && ended.exitCode !== 0 ? ended : undefined;
      const isHeld = waiting?.reason !== undefined && waiting.reason !== "PodInitializing";
      const cause = failed ?? (isHeld ? waiting : undefined);
      if (cause === undefined) return [];
      const said = cause.message === undefined ? "" : `: ${cause.message.trim()}`;
      return [["Waits", `init container ${name}: ${cause.reason ?? "it failed"}${said}`]];
    });
}
