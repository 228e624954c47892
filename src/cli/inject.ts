import type { Policy } from "../admission/policy.ts";
import { injectFiles, isInjectable, type InjectResult } from "./injected-files.ts";
import { knownFaultLines } from "./known-fault.ts";
import { objectsOf, readSources, readText, type Sources } from "./sources.ts";
import { surroundingsIn, surroundingsOf, type FoundSurroundings } from "./surroundings.ts";
import type { Terminal } from "./terminal.ts";
import { afterApplying } from "./world.ts";

/** What `modelhook inject` is told. */
export interface InjectOptions {
  /** Files of manifests; `-` is standard input. */
  readonly filename: readonly string[];
  /** Files that tell what a cluster would; a cluster is asked when absent. */
  readonly versions?: readonly string[];
  readonly namespace?: string;
  /** File of the administrator's limits. */
  readonly config?: string;
  readonly context?: string;
  /** Print what changes instead of the whole. */
  readonly diff?: boolean;
}

/** The administrator's limits, undefined where no file is named; or a line for everything that is wrong with them. */
type FoundPolicy =
  | { readonly ok: true; readonly policy: Policy | undefined }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Prints manifests as the cluster would have them, with models in their pods. Gives the exit code: 1 when something would be denied,
 * 2 when nothing is printed because the input can not be used.
 */
export async function inject(options: InjectOptions, terminal: Terminal): Promise<number> {
  const refuse = (lines: readonly string[]): number => {
    lines.forEach(terminal.say);
    return 2;
  };
  const manifests = await readSources(options.filename, terminal);
  const known = await readSources(options.versions ?? [], terminal);
  const limits = await readPolicy(options.config, terminal);
  const faults = [
    ...manifests.faults,
    ...known.faults,
    ...(limits.ok ? [] : limits.faults),
    ...[...manifests.files, ...known.files].flatMap(knownFaultLines),
  ];
  if (faults.length > 0 || !limits.ok) return refuse(faults);
  const found = await findSurroundings(options, manifests, known, limits.policy);
  if (!found.ok) return refuse(found.faults.map((fault) => `modelhook: ${fault}`));

  const { namespace, unread } = found.value;
  const world = afterApplying(found.value.world, objectsOf(manifests), namespace);
  const result = injectFiles({ files: manifests.files, world, namespace, now: Date.now() });
  const broken = result.said.filter(({ level }) => level === "broken");
  if (broken.length > 0) return refuse(broken.map(({ line }) => line));
  for (const { line } of result.said) terminal.say(line);
  if (isAsked(result)) for (const text of unread) terminal.say(`modelhook: ${text}`);
  terminal.write(options.diff === true ? await diffOf(result, terminal) : wholeOf(result));
  return result.said.some(({ level }) => level === "denied") ? 1 : 0;
}

async function readPolicy(file: string | undefined, terminal: Terminal): Promise<FoundPolicy> {
  if (file === undefined) return { ok: true, policy: undefined };
  const read = await readText(file, terminal);
  if (!read.ok) return { ok: false, faults: [read.fault] };
  const { readLimits } = await import("./limits-file.ts");
  const limits = readLimits(read.text, file);
  if (limits.ok) limits.warnings.forEach(terminal.say);
  return limits;
}

async function findSurroundings(
  { versions, namespace, context }: InjectOptions,
  manifests: Sources,
  known: Sources,
  policy: Policy | undefined,
): Promise<FoundSurroundings> {
  const place = { namespace, context, policy };
  const pods = objectsOf(manifests).filter(isInjectable);
  return versions === undefined && pods.length > 0
    ? surroundingsIn(pods, place)
    : { ok: true, value: surroundingsOf(objectsOf(known), place) };
}

/** What may not be read matters where something is decided. */
function isAsked({ files, said }: InjectResult): boolean {
  return said.length > 0 || files.some(({ before, after }) => before !== after);
}

/** One stream of documents: each file begins one. */
function wholeOf({ files }: InjectResult): string {
  return files.reduce((stream, { after }) => {
    if (stream === "") return after;
    const end = stream.endsWith("\n") ? "" : "\n";
    return `${stream}${end}${after.startsWith("---") ? "" : "---\n"}${after}`;
  }, "");
}

async function diffOf({ files }: InjectResult, { isColoured }: Terminal): Promise<string> {
  const { unifiedDiff } = await import("./diff.ts");
  return files
    .map(({ name, before, after }) => unifiedDiff(name, before, after, isColoured))
    .join("");
}
