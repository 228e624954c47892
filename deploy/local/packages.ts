import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { isProgramMissing, run } from "./command.ts";

/** A program that is not built here, the Debian package that has it, and where it is looked for besides PATH. */
interface SystemProgram {
  readonly package: string;
  readonly directories?: readonly string[];
}

const SYSTEM_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
const CNI_DIRECTORIES = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

const SYSTEM_PROGRAMS = {
  unshare: { package: "util-linux" },
  nsenter: { package: "util-linux" },
  mount: { package: "mount" },
  ip: { package: "iproute2" },
  nft: { package: "nftables" },
  iptables: { package: "iptables" },
  conntrack: { package: "conntrack" },
  runc: { package: "runc" },
  ptp: { package: "containernetworking-plugins", directories: CNI_DIRECTORIES },
  busybox: { package: "busybox-static" },
  buildah: { package: "buildah" },
  mmdebstrap: { package: "mmdebstrap" },
  pip3: { package: "python3-pip" },
} as const satisfies Record<string, SystemProgram>;

export type SystemProgramName = keyof typeof SYSTEM_PROGRAMS;

/** Where the named programs are. */
export type SystemProgramPaths<Name extends SystemProgramName> = Readonly<Record<Name, string>>;

/** Finds programs of the system; what is missing is installed by apt-get where that can be done, else named. */
export async function ensureSystemPrograms<Name extends SystemProgramName>(
  names: readonly Name[],
  log: (line: string) => void,
): Promise<SystemProgramPaths<Name>> {
  let found = await findAll(names);
  const missing = names.filter((name) => found[name] === undefined);
  if (missing.length > 0) {
    await install(missing, log);
    found = await findAll(names);
    const still = names.filter((name) => found[name] === undefined);
    if (still.length > 0)
      throw new Error(
        `apt-get installed ${packagesOf(missing).join(", ")}, but ${still.join(", ")} cannot be found`,
      );
  }
  return found as SystemProgramPaths<Name>;
}

async function findAll(
  names: readonly SystemProgramName[],
): Promise<Partial<Record<SystemProgramName, string>>> {
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await find(name)] as const)),
  );
}

async function find(name: SystemProgramName): Promise<string | undefined> {
  const { directories }: SystemProgram = SYSTEM_PROGRAMS[name];
  const inPath = (process.env.PATH ?? "").split(":").filter((directory) => directory !== "");
  for (const directory of directories ?? [...inPath, ...SYSTEM_DIRECTORIES]) {
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function install(
  missing: readonly SystemProgramName[],
  log: (line: string) => void,
): Promise<void> {
  const packages = packagesOf(missing);
  const lacking = `${missing.join(", ")} cannot be found`;
  if (process.getuid?.() !== 0)
    throw new Error(
      `${lacking}: install it as root (Debian: apt-get install ${packages.join(" ")})`,
    );
  log(`installing ${packages.join(", ")} (for ${missing.join(", ")})`);
  const args = ["install", "--yes", "--no-install-recommends", ...packages];
  try {
    // The package lists of a fresh machine are empty or old: they are fetched when it turns out so.
    await aptGet(args).catch(async (error: unknown) => {
      if (isProgramMissing(error)) throw error;
      await aptGet(["update"]);
      await aptGet(args);
    });
  } catch (error) {
    const why = isProgramMissing(error)
      ? "there is no apt-get here: install what Debian has in"
      : "apt-get could not install";
    throw new Error(`${lacking}, and ${why} ${packages.join(" ")}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function aptGet(args: readonly string[]): Promise<string> {
  return run("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

function packagesOf(names: readonly SystemProgramName[]): string[] {
  return [...new Set(names.map((name) => SYSTEM_PROGRAMS[name].package))];
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
