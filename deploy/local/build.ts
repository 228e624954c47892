import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { isProgramMissing, run } from "./command.ts";
import { exists } from "./exists.ts";
import { withLock } from "./lock.ts";
import { PROGRAMS, type Program, type ProgramName } from "./programs.ts";

/** Where finished programs are. */
export type ProgramPaths<Name extends ProgramName = ProgramName> = Readonly<Record<Name, string>>;

export interface BuildOptions {
  readonly log: (line: string) => void;
  /** Directory whose programs are taken as they are (envtest's KUBEBUILDER_ASSETS): etcd and kube-apiserver at least. */
  readonly assets?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const MODULES = join(import.meta.dirname, "go");
/** What KUBEBUILDER_ASSETS may hold; false: it is compiled when it is not there. */
const ASSETS_REQUIRED: Partial<Record<ProgramName, boolean>> = {
  etcd: true,
  "kube-apiserver": true,
  "kube-controller-manager": false,
  kubectl: false,
};
const HEARTBEAT_MS = 15_000;

/** A program that still has to be compiled. */
interface Missing {
  readonly name: ProgramName;
  readonly directory: string;
  readonly flags: readonly string[];
}

/**
 * Gives the paths of the named programs and compiles, in the table's order, those that the cache lacks.
 * The cache lies outside the tree, one directory per program and key: modules, package, flags and Go version.
 */
export async function buildPrograms<Name extends ProgramName>(
  names: readonly Name[],
  options: BuildOptions,
): Promise<ProgramPaths<Name>> {
  const found: Partial<Record<ProgramName, string>> = await readAssets(names, options.assets);
  const missing: Missing[] = [];
  for (const name of inTableOrder(names)) {
    if (found[name] !== undefined) continue;
    const planned = await plan(name);
    found[name] = join(planned.directory, name);
    if (!(await exists(found[name]))) missing.push(planned);
  }
  let left = missing.reduce((sum, { name }) => sum + PROGRAMS[name].seconds, 0);
  if (missing.length > 0)
    options.log(
      `compiling ${missing.map(({ name }) => name).join(", ")}: about ${left} s on two cores, once; kept in ${cacheDirectory()}`,
    );
  for (const one of missing) {
    await compileOnce(one, left, options);
    left -= PROGRAMS[one.name].seconds;
  }
  return found as ProgramPaths<Name>;
}

/** The directory of everything that is kept between runs: `$XDG_CACHE_HOME/modelhook`. */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "modelhook");
}

function inTableOrder(names: readonly ProgramName[]): ProgramName[] {
  return (Object.keys(PROGRAMS) as ProgramName[]).filter((name) => names.includes(name));
}

async function readAssets(
  names: readonly ProgramName[],
  assets: string | undefined,
): Promise<Partial<Record<ProgramName, string>>> {
  const found: Partial<Record<ProgramName, string>> = {};
  if (assets === undefined || assets === "") return found;
  for (const name of names) {
    const required = ASSETS_REQUIRED[name];
    if (required === undefined) continue;
    const path = join(assets, name);
    if (await exists(path)) found[name] = path;
    else if (required)
      throw new Error(
        `KUBEBUILDER_ASSETS is ${assets}, where there is no ${name}: name a directory with etcd and kube-apiserver, or unset it to have them compiled`,
      );
  }
  return found;
}

async function plan(name: ProgramName): Promise<Missing> {
  const program: Program = PROGRAMS[name];
  const module = join(MODULES, program.group);
  const [goMod, goSum, goVersion] = await Promise.all([
    readFile(join(module, "go.mod"), "utf8"),
    readFile(join(module, "go.sum"), "utf8"),
    readGoVersion(module, name),
  ]);
  const flags = [
    "-trimpath",
    "-gcflags=all=-dwarf=false",
    "-ldflags",
    `-s -w${versionFlags(program, goMod)}`,
  ];
  const key = createHash("sha256")
    .update(JSON.stringify([goMod, goSum, program.package, program.cgo, flags, goVersion]))
    .digest("hex")
    .slice(0, 16);
  return { name, flags, directory: join(cacheDirectory(), "programs", `${name}-${key}`) };
}

/** Without these Kubernetes programs say v0.0.0, and kubelet and API server refuse each other's version. */
function versionFlags(program: Program, goMod: string): string {
  if (program.group !== "kubernetes") return "";
  const found = /^\s*(?:require )?k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/m.exec(goMod);
  if (found === null) throw new Error("go/kubernetes/go.mod does not require k8s.io/kubernetes");
  const [, version, major, minor] = found;
  const package_ = "k8s.io/component-base/version";
  return ` -X ${package_}.gitVersion=${version} -X ${package_}.gitMajor=${major} -X ${package_}.gitMinor=${minor}`;
}

async function readGoVersion(module: string, name: ProgramName): Promise<string> {
  try {
    return await run("go", ["version"], { cwd: module });
  } catch (error) {
    if (!isProgramMissing(error)) throw error;
    throw new Error(
      `${name} has to be compiled, and there is no \`go\` in PATH: install Go 1.26 or newer (https://go.dev/dl)` +
        (name in ASSETS_REQUIRED ? ", or set KUBEBUILDER_ASSETS to a directory that has it" : ""),
      { cause: error },
    );
  }
}

async function compileOnce(
  missing: Missing,
  left: number,
  { log, signal }: BuildOptions,
): Promise<void> {
  const { name, directory } = missing;
  await withLock(
    `build-${directory}`,
    () => log(`${name}: another process is compiling it; waiting`),
    async () => {
      if (await exists(join(directory, name))) return;
      const started = performance.now();
      const seconds = () => Math.round((performance.now() - started) / 1000);
      log(`${name}: compiling (about ${PROGRAMS[name].seconds} s; all that is left: ${left} s)`);
      const heartbeat = setInterval(() => log(`${name}: ${seconds()} s`), HEARTBEAT_MS);
      try {
        await compile(missing, signal);
      } finally {
        clearInterval(heartbeat);
      }
      log(`${name}: done in ${seconds()} s`);
    },
  );
}

async function compile(
  { name, directory, flags }: Missing,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { group, package: package_, cgo }: Program = PROGRAMS[name];
  await mkdir(directory, { recursive: true });
  // We hold the lock, so whatever lies here was left by a build that was killed.
  for (const leftover of await readdir(directory)) await rm(join(directory, leftover));
  const temporary = join(directory, `${name}.unfinished`);
  try {
    await run("go", ["build", ...flags, "-o", temporary, package_], {
      cwd: join(MODULES, group),
      env: { CGO_ENABLED: cgo ? "1" : "0" },
      signal,
    });
    await rename(temporary, join(directory, name));
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    const hint = cgo ? " (it needs a C compiler: gcc)" : "";
    throw new Error(`${name} could not be compiled${hint}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
