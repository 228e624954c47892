import type { Deployment } from "../api/kube-types.ts";
import { refOf, type Action } from "./action.ts";
import {
  definitionsWithoutStatus,
  findKubeDl,
  managerImage,
  type KubeDlObserved,
} from "./kubedl.ts";

/** Definition of the kind that KubeDL and modelhook both write; events about KubeDL are told on it. */
const DEFINITION = "modelversions.model.kubedl.io";

/** Whether modelhook stands by, and why. */
export interface Stance {
  readonly standsBy: boolean;
  /** The KubeDL that runs, by a name for people; undefined when none does. */
  readonly kubeDl: string | undefined;
  /** Definitions that are still KubeDL's. */
  readonly foreignDefinitions: readonly string[];
  readonly actions: readonly Action[];
}

/**
 * Two controllers that build the same ModelVersions would overwrite each other's status, and push two images to one tag. So a
 * modelhook that sees a live KubeDL writes no ModelVersion and no Model:
 *
 * | KubeDL | --takeover | stood by | stands by | tells |
 * | --- | --- | --- | --- | --- |
 * | live | no | | yes | Warning KubeDLPresent, again at every look |
 * | live | yes | | no | nothing; the log does |
 * | absent | | yes | no | Normal KubeDLGone |
 * | absent | | no, or unknown | no | nothing |
 */
export function decideStandby(
  observed: KubeDlObserved,
  { takeover, before }: { readonly takeover: boolean; readonly before: boolean | undefined },
): Stance {
  const live = findKubeDl(observed);
  const kubeDl = live === undefined ? undefined : nameOf(live);
  const standsBy = live !== undefined && !takeover;
  const foreignDefinitions = definitionsWithoutStatus(observed);
  const stance = { standsBy, kubeDl, foreignDefinitions };
  if (standsBy) {
    return {
      ...stance,
      actions: tell(observed, "KubeDLPresent", present(live, foreignDefinitions)),
    };
  }
  const ends = before === true && live === undefined;
  return {
    ...stance,
    actions: ends
      ? tell(observed, "KubeDLGone", "KubeDL runs no more; modelhook builds ModelVersions again")
      : [],
  };
}

function present(live: Deployment, foreign: readonly string[]): string {
  const { namespace, name } = live.metadata ?? {};
  const stop = `stop it (kubectl scale --namespace ${namespace} --replicas 0 deployment ${name})`;
  const definitions =
    foreign.length === 0
      ? "; under modelhook's definitions KubeDL can not record how its builds end"
      : `; before that, replace KubeDL's definitions ${foreign.join(" and ")} by modelhook's`;
  return `${nameOf(live)} runs, so modelhook puts models into pods and builds none; to have it build, ${stop} or start modelhook with serve --takeover${definitions}`;
}

function nameOf(live: Deployment): string {
  const { namespace, name } = live.metadata ?? {};
  return `KubeDL (Deployment ${namespace}/${name}, image ${managerImage(live) ?? "unknown"})`;
}

/** On the definition, because the versions are KubeDL's to write. */
function tell(
  { definitions }: KubeDlObserved,
  reason: "KubeDLPresent" | "KubeDLGone",
  message: string,
): readonly Action[] {
  const definition = definitions.find(({ metadata }) => metadata?.name === DEFINITION);
  if (definition === undefined) return [];
  const kind = reason === "KubeDLPresent" ? "Warning" : "Normal";
  return [{ type: "event", ref: refOf(definition), kind, reason, message }];
}
