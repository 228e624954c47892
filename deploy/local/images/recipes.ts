import { access } from "node:fs/promises";
import { join } from "node:path";
import { buildPrograms } from "../build.ts";
import { isProgramMissing, run } from "../command.ts";
import { ensureSystemPrograms } from "../packages.ts";
import { cachedFile } from "./cached-file.ts";
import { type Entry, filesLayer, hashFile } from "./layer.ts";
import { librariesOf } from "./libraries.ts";
import type { ImageRecipe } from "./push.ts";

export interface RecipeOptions {
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The Node.js that package.json pins. */
const NODE = join(import.meta.dirname, "../../../node_modules/node/bin/node");
/** Users of images that have no other files of a distribution. */
const USERS: readonly Entry[] = [
  {
    path: "etc/passwd",
    text: "root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/home/nonroot:/bin/sh\n",
    mode: 0o644,
  },
  { path: "etc/group", text: "root:x:0:\nnonroot:x:65532:\n", mode: 0o644 },
  { path: "root", directoryMode: 0o700 },
  { path: "tmp", directoryMode: 0o1777 },
];

/** What holds a pod's namespaces: one static program. */
export async function pauseRecipe({ signal }: RecipeOptions): Promise<ImageRecipe> {
  const pause = await compilePause(signal);
  return {
    repository: "pause",
    layers: [await filesLayer([{ path: "pause", copyOf: pause, mode: 0o755 }])],
    entrypoint: ["/pause"],
    user: "65535:65535",
  };
}

/** A shell with all its tools in one program: the base of model images, and the tools of tests. */
export async function busyboxRecipe({ log }: RecipeOptions): Promise<ImageRecipe> {
  const { busybox } = await ensureSystemPrograms(["busybox"], log);
  const applets = (await run(busybox, ["--list"])).split("\n");
  const names = applets.filter((name) => name !== "" && name !== "busybox");
  return {
    repository: "busybox",
    layers: [
      await filesLayer([
        ...USERS,
        { path: "bin/busybox", copyOf: busybox, mode: 0o755 },
        ...(await librariesOf(busybox)),
        ...names.map((name) => ({ path: `bin/${name}`, linkTo: "busybox" })),
      ]),
    ],
    command: ["sh"],
    environment: { PATH: "/bin" },
  };
}

/** The kaniko executor, laid out as in its own project's image. */
export async function kanikoRecipe(options: RecipeOptions): Promise<ImageRecipe> {
  const { executor } = await buildPrograms(["executor"], options);
  const certificates = await rootCertificates();
  return {
    repository: "kaniko",
    layers: [
      await filesLayer([
        { path: "kaniko/executor", copyOf: executor, mode: 0o755 },
        { path: "kaniko/ssl/certs/ca-certificates.crt", copyOf: certificates, mode: 0o644 },
        { path: "kaniko/.docker", directoryMode: 0o755 },
      ]),
    ],
    entrypoint: ["/kaniko/executor"],
    environment: {
      PATH: "/kaniko",
      HOME: "/root",
      USER: "root",
      SSL_CERT_DIR: "/kaniko/ssl/certs",
      DOCKER_CONFIG: "/kaniko/.docker/",
    },
  };
}

/** A base for our own image where none can be pulled: Node.js without symbols and what it needs, no shell. */
export async function nodeBaseRecipe(): Promise<ImageRecipe> {
  const node = await cachedFile("node", await hashFile(NODE), stripNode);
  const certificates = await rootCertificates();
  return {
    repository: "node",
    layers: [
      await filesLayer([
        { path: "usr/local/bin/node", copyOf: node, mode: 0o755 },
        ...(await librariesOf(NODE)),
        ...USERS,
        { path: "etc/nsswitch.conf", text: "hosts: files dns\n", mode: 0o644 },
        { path: "etc/ssl/certs/ca-certificates.crt", copyOf: certificates, mode: 0o644 },
      ]),
    ],
    command: ["node"],
    environment: { PATH: "/usr/local/bin" },
  };
}

async function compilePause(signal: AbortSignal | undefined): Promise<string> {
  const source = join(import.meta.dirname, "pause");
  return cachedFile("pause", await hashFile(join(source, "main.go")), async (path) => {
    const flags = ["-trimpath", "-ldflags", "-s -w", "-o", path];
    await run("go", ["build", ...flags, "."], { cwd: source, env: { CGO_ENABLED: "0" }, signal });
  });
}

async function stripNode(path: string): Promise<void> {
  await run("strip", ["-o", path, NODE]).catch((error: unknown) => {
    if (!isProgramMissing(error)) throw error;
    throw new Error("there is no `strip` in PATH: install binutils", { cause: error });
  });
}

async function rootCertificates(): Promise<string> {
  const path = "/etc/ssl/certs/ca-certificates.crt";
  await access(path).catch((cause: unknown) => {
    throw new Error(`there is no ${path}: install the package ca-certificates`, { cause });
  });
  return path;
}
