import { mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPrograms } from "../local/build.ts";
import { run } from "../local/command.ts";
import type { NodeImageOptions } from "../local/images.ts";
import { cachedFile } from "../local/images/cached-file.ts";
import { filesLayer, hashJson, type Layer } from "../local/images/layer.ts";
import { pushImage } from "../local/images/push.ts";
import { ensureSystemPrograms } from "../local/packages.ts";

/** Images of the demo, as repo@digest. */
export interface DemoImages {
  /** Trains (/app/train.py), serves (/app/serve.py) and asks (/app/ask.py). */
  readonly digits: string;
}

const PROGRAMS = join(import.meta.dirname, "digits");
/** Where the packages lie in the image. */
const PACKAGES = "opt/packages";
/** What no program imports; it is a quarter of all bytes. */
const NEVER_IMPORTED = /(^|\/)tests$|\.(a|h|cc|pyi)$/;
/** Wheels for the Python of Debian bookworm, which need not be this machine's. */
const PIP_FLAGS = [
  "--quiet",
  "--no-compile",
  "--no-deps",
  "--require-hashes",
  "--only-binary=:all:",
  "--implementation=cp",
  "--python-version=3.11",
  ...["cp311", "abi3", "none"].map((abi) => `--abi=${abi}`),
];
const MMDEBSTRAP_FLAGS = [
  "--variant=essential",
  // With the merged /usr made beforehand the essential packages do without Perl.
  "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
  "--include=usr-is-merged,python3,libstdc++6",
  ...["doc", "locale", "man"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
  `--customize-hook=chmod -R u=rwX,go=rX "$1/${PACKAGES}"`,
  // Compiled here once, or every start would do it: the containers can write nothing.
  `--customize-hook=chroot "$1" python3 -m compileall -q --invalidation-mode unchecked-hash /${PACKAGES}`,
  "--format=tar",
];

/**
 * Makes and pushes the demo's images where the registry does not have them yet. Debian's Python and the packages are
 * fetched once and kept in the cache; another version of the programs is one small layer.
 */
export async function buildDemoImages(options: NodeImageOptions): Promise<DemoImages> {
  const { crane } = await buildPrograms(["crane"], options);
  const push = { ...options, crane };
  const python = await pushImage(
    {
      repository: "python",
      layers: [await pythonLayer(options)],
      environment: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        PYTHONPATH: `/${PACKAGES}`,
        PYTHONDONTWRITEBYTECODE: "1",
        // Threads of the linear algebra library would only compete for the cores of a small node.
        OMP_NUM_THREADS: "1",
        // onnxruntime would report its use to its maker.
        ORT_DISABLE_TELEMETRY: "1",
      },
      user: "65532:65532",
    },
    push,
  );
  const names = (await readdir(PROGRAMS)).filter((name) => name.endsWith(".py"));
  const programs = await filesLayer(
    names.map((name) => ({ path: `app/${name}`, copyOf: join(PROGRAMS, name), mode: 0o644 })),
  );
  return {
    digits: await pushImage({ repository: "digits", base: python, layers: [programs] }, push),
  };
}

async function pythonLayer({ log, signal }: NodeImageOptions): Promise<Layer> {
  const requirements = join(PROGRAMS, "requirements.txt");
  const key = hashJson([
    await readFile(requirements, "utf8"),
    PIP_FLAGS,
    NEVER_IMPORTED.source,
    MMDEBSTRAP_FLAGS,
    process.arch,
  ]);
  const make = async (path: string) => {
    log("python: installing Debian's Python, scikit-learn and onnxruntime (about 80 s, once)");
    const { mmdebstrap, pip3 } = await ensureSystemPrograms(["mmdebstrap", "pip3"], log);
    const packages = await mkdtemp(join(tmpdir(), "modelhook-packages-"));
    try {
      const from = [`--requirement=${requirements}`, `--target=${packages}`];
      await run(pip3, ["install", ...PIP_FLAGS, ...from], { signal });
      for (const name of await readdir(packages, { recursive: true }))
        if (NEVER_IMPORTED.test(name))
          await rm(join(packages, name), { recursive: true, force: true });
      const copy = [
        `--customize-hook=mkdir -p "$1/${PACKAGES}"`,
        `--customize-hook=sync-in ${packages} /${PACKAGES}`,
      ];
      await run(mmdebstrap, [...copy, ...MMDEBSTRAP_FLAGS, "bookworm", path], { signal });
    } finally {
      await rm(packages, { recursive: true, force: true });
    }
  };
  return { key, write: async (path) => symlink(await cachedFile("python", key, make), path) };
}
