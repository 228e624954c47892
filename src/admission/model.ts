import { listed } from "../api/listed.ts";
import { MAX_ALIASES, modelSpecSchema, type Model } from "../api/model.ts";
import { isDnsSubdomain } from "../api/names.ts";
import type { AdmissionRequest, Cause, Warning } from "../api/review.ts";
import { schemaCauses, show } from "../api/schema-faults.ts";
import type { ModelVersionSpec } from "../api/modelversion.ts";
import { editsFor, nearest } from "../api/nearest.ts";
import { allow, deny, type Decision } from "./decision.ts";
import type { References, Snapshot } from "./snapshot.ts";

/** Edits within which another version is suggested for one that is unknown. */
const SUGGEST_DISTANCE = 3;

/** Aliases for which a near name is looked for: to compare names takes long, and the rest are as wrong. */
const MAX_SUGGESTIONS = 3;

/** What a decision on a Model reads: the versions that its aliases name, and the names of its own. */
export function modelReferences({ namespace = "", object }: AdmissionRequest): References {
  // A Model with more aliases is refused by the schema: the rest need no look-up.
  const names = aliasesOf(object as Model).map(({ version }) => version);
  return {
    namespace,
    versions: [...new Set(names)].slice(0, MAX_ALIASES),
    wanted: [],
    model: object?.metadata?.name ?? "",
  };
}

/**
 * Decides on a Model that is made or changed: denied with all its faults at once. An alias of a version that does not exist is
 * warned of only, since GitOps applies in any order.
 */
export function decideModel(request: AdmissionRequest, snapshot: Snapshot): Decision {
  const model = request.object as Model;
  const old = (request.oldObject ?? undefined) as Model | undefined;
  // What was stored before a rule existed must stay open to changes of its labels and finalizers.
  if (old !== undefined && JSON.stringify(old.spec) === JSON.stringify(model.spec)) {
    return allow("Valid");
  }
  const before = new Map(aliasesOf(old).map(({ name, version }) => [name, version]));
  const name = model.metadata?.name;
  const faults: Cause[] = [];
  const warnings: Warning[] = [];
  // The mutating webhook is asked before the schema is: there may be any number of aliases.
  for (const [index, alias] of aliasesOf(model).slice(0, MAX_ALIASES).entries()) {
    const known = index < MAX_SUGGESTIONS ? (snapshot.versionsOfModel ?? []) : [];
    const owner = ownerOf(alias.version, snapshot);
    if (owner === name && owner !== undefined) continue;
    // One that turned out to be foreign after it was set must not hold up other changes.
    const isNew = before.get(alias.name) !== alias.version;
    if (owner !== undefined && isNew) faults.push(foreignAlias(alias, owner, name, known));
    else warnings.push(pendingAlias(alias, owner, known));
  }
  const causes = [...specFaults(model.spec), ...faults];
  return causes.length > 0 ? deny("InvalidObject", causes) : allow("Valid", warnings);
}

/** A Model that goes takes none of its versions with it, and the controller makes it anew for them. */
export function decideModelDeletion({ oldObject }: AdmissionRequest, snapshot: Snapshot): Decision {
  const versions = snapshot.versionsOfModel ?? [];
  const name = oldObject?.metadata?.name ?? "";
  if (versions.length === 0 || oldObject?.metadata?.deletionTimestamp !== undefined) {
    return allow("Valid");
  }
  const [count, stay] =
    versions.length === 1 ? ["1 version", "stays"] : [`${versions.length} versions`, "stay"];
  const message = `${count} of Model ${name} ${stay}: ${listed(versions.toSorted())}; modelhook makes the Model anew for them, without aliases and retention, until they are deleted`;
  return allow("Valid", [{ reason: "VersionsRemain", message }]);
}

interface Alias {
  readonly name: string;
  readonly version: string;
}

/** The aliases that name what can be a version; mutating webhooks are called before the schema is looked at, so any JSON may come. */
function aliasesOf(model: Model | undefined): readonly Alias[] {
  const aliases: unknown = model?.spec?.aliases;
  if (typeof aliases !== "object" || aliases === null || Array.isArray(aliases)) return [];
  return Object.entries(aliases as Readonly<Record<string, unknown>>).flatMap(([name, version]) =>
    typeof version === "string" && isDnsSubdomain(version) ? [{ name, version }] : [],
  );
}

function specFaults(spec: unknown): readonly Cause[] {
  // Without a spec it has neither aliases nor retention, as KubeDL's have not.
  if (spec === undefined) return [];
  return schemaCauses(modelSpecSchema, spec, "spec").map((cause) => {
    const [, name] = /^spec\.aliases\.(.*)$/s.exec(cause.field) ?? [];
    if (name !== undefined) {
      return Object.assign(cause, { field: `spec.aliases[${name}]`, rule: "AliasName" as const });
    }
    return cause;
  });
}

function foreignAlias(
  alias: Alias,
  owner: string,
  model: string | undefined,
  known: readonly string[],
): Cause {
  const allowed =
    known.length === 0 ? "of which there are none yet" : `such as ${listed(known.toSorted())}`;
  return {
    field: `spec.aliases[${alias.name}]`,
    // The API server makes up a name from generateName after it has called mutating webhooks.
    message: `${show(alias.version)} is a version of model ${owner}; allowed are versions of ${model ?? "this model"}, ${allowed}${suggestion(alias.version, known)}`,
    rule: "AliasOfModel",
  };
}

function pendingAlias(alias: Alias, owner: string | undefined, known: readonly string[]): Warning {
  const why = owner === undefined ? "which does not exist" : `which is a version of model ${owner}`;
  const message = `spec.aliases[${alias.name}]: waits for ModelVersion ${alias.version}, ${why}${suggestion(alias.version, known)}`;
  return { reason: "AliasPending", message };
}

function suggestion(name: string, known: readonly string[]): string {
  const meant = nearest(name, known, editsFor(name, SUGGEST_DISTANCE));
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

/** The model that a version is of; undefined when there is no such version. */
function ownerOf(name: string, { versions }: Snapshot): string | undefined {
  // A version may be called "constructor".
  if (!Object.hasOwn(versions, name)) return undefined;
  // Stored objects may have no spec: KubeDL does not require one.
  const spec = versions[name]?.spec as Partial<ModelVersionSpec> | undefined;
  return spec?.modelName ?? "none";
}
