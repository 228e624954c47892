import { problemOf, type Verdict } from "../verdict.ts";
import type { SeenModel, SeenVersion } from "./history.ts";

/** A version that has to be built, since its data is there and nobody deletes it. */
export interface WantedVersion {
  readonly name: string;
  readonly uid: string;
  /** The files of its data as `sha256sum` prints them. */
  readonly hashes: string;
}

/** What the registry has of a version that was built. */
export type FoundImage =
  | {
      /** UID of the version. */
      readonly uid: string;
      /** The digest that its tag names. */
      readonly tagged: string | null;
      /** UID of the version that the image of the recorded digest names. */
      readonly labelled: string | undefined;
      /** The files of the model in it, as those of the data. */
      readonly hashes: string;
    }
  | { readonly uid: string; readonly unreadable: string };

/** A directory of the user, before and after. */
interface FoundData {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** What a campaign left, and what was seen of it on the way. */
export interface Found {
  readonly wanted: readonly WantedVersion[];
  /** All versions that there ever were. */
  readonly versions: readonly SeenVersion[];
  readonly models: readonly SeenModel[];
  readonly images: readonly FoundImage[];
  readonly data: readonly FoundData[];
  /** Objects that are left over or can not go, as `Kind/name: why`. */
  readonly left: readonly string[];
  /** Runs that could not be carried out, each in a sentence. */
  readonly unfinished: readonly string[];
}

/** Differences of files that are told. */
const MOST_TOLD = 3;

/** Judges a campaign by what the API, the registry and the disk of the node show, and by nothing that the product says of itself. */
export function judge(found: Found): Verdict {
  const lost = [
    ...found.wanted.flatMap((wanted) => faultOfBuild(wanted, found)),
    ...found.data.flatMap(({ name, before, after }) =>
      before === after ? [] : [`the data of ${name} changed: ${differences(before, after)}`],
    ),
    ...found.left,
    ...found.unfinished,
  ];
  const wrong = [
    ...found.versions.flatMap(faultOfDigests),
    ...found.wanted.flatMap((wanted) => faultsOfImage(wanted, found)),
    ...found.models.flatMap((model) => faultsOfModel(model, found.versions)),
  ];
  return {
    problems: [...lost, ...wrong].map(problemOf),
    lastLine: `lost ${lost.length} wrong ${wrong.length}`,
    ok: lost.length === 0 && wrong.length === 0 && found.wanted.length > 0,
  };
}

function faultOfBuild({ name, uid }: WantedVersion, { versions }: Found): readonly string[] {
  const seen = versions.find((version) => version.uid === uid);
  const who = `version ${name} (${uid})`;
  if (seen === undefined) return [`${who} was never seen`];
  if (seen.gone) return [`${who} is gone`];
  switch (seen.phase) {
    case "ImageBuildSucceeded":
      return [];
    case "ImageBuildFailed":
      return [`${who} failed for good: ${seen.message}`];
    default:
      return [`${who} is not built: ${seen.phase || "not begun"}: ${seen.message}`];
  }
}

function faultOfDigests({ name, uid, digests }: SeenVersion): readonly string[] {
  return digests.length > 1
    ? [`version ${name} (${uid}) recorded one digest after the other: ${digests.join(", ")}`]
    : [];
}

function faultsOfImage(
  { name, uid, hashes }: WantedVersion,
  { versions, images }: Found,
): readonly string[] {
  const seen = versions.find((version) => version.uid === uid);
  if (seen === undefined || seen.phase !== "ImageBuildSucceeded" || seen.gone) return [];
  const who = `version ${name} (${uid})`;
  const digest = seen.digests.at(-1);
  if (digest === undefined) return [`${who} is built and has no digest`];
  const image = images.find((each) => each.uid === uid);
  if (image === undefined) return [`${who}: nobody looked at its image`];
  if ("unreadable" in image) return [`${who}: ${digest} can not be read: ${image.unreadable}`];
  const faults: string[] = [];
  if (image.tagged !== digest)
    faults.push(`${who} recorded ${digest}, but ${seen.image} is ${image.tagged}`);
  if (image.labelled !== uid) faults.push(`${who}: ${digest} names version ${image.labelled}`);
  if (image.hashes !== hashes)
    faults.push(`${who}: ${digest} does not hold its data: ${differences(hashes, image.hashes)}`);
  return faults;
}

/** What a Model named on the way may have been deleted since, but it was built; in the end it is the newest that is. */
function faultsOfModel(
  { name, named, latest }: SeenModel,
  versions: readonly SeenVersion[],
): readonly string[] {
  const own = versions.filter((version) => version.model === name);
  const early = named.filter((each) => !own.some((seen) => seen.name === each && seen.built));
  const faults = early.map((each) => `model ${name} named ${each}, which never was built`);
  const newest = own
    .filter(({ phase, gone }) => phase === "ImageBuildSucceeded" && !gone)
    .toSorted(byAge)
    .at(-1);
  const version = latest?.modelVersion;
  if (version !== newest?.name)
    return [
      ...faults,
      `model ${name} names ${version}; the newest that is built is ${newest?.name}`,
    ];
  const digest = newest?.digests.at(-1);
  return latest?.digest === digest
    ? faults
    : [...faults, `model ${name} gives ${latest?.digest} for ${version}, which has ${digest}`];
}

/** By creation, which has whole seconds, then by name. */
function byAge(one: SeenVersion, other: SeenVersion): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}

function differences(before: string, after: string): string {
  const [had, has] = [before.split("\n"), after.split("\n")];
  const told = [
    ...had.filter((line) => !has.includes(line)).map((line) => `- ${line}`),
    ...has.filter((line) => !had.includes(line)).map((line) => `+ ${line}`),
  ];
  const more = told.length > MOST_TOLD ? `, and ${told.length - MOST_TOLD} more` : "";
  return `${told.slice(0, MOST_TOLD).join(", ")}${more}`;
}
