import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildPrograms } from "./build.ts";
import type { ProgramName } from "./programs.ts";

/** Stands in for minutes of compilation: writes down what it is asked for and makes a file of it. */
const GO = `#!/bin/sh
if [ "$1" = version ]; then echo "$GO_VERSION"; exit; fi
while [ "$1" != -o ]; do shift; done
echo "$3" >>"$GO_CALLS"
sleep 0.2
if [ -n "$GO_FAILURE" ]; then echo "half" >"$2"; echo "$GO_FAILURE" >&2; exit 1; fi
echo "$3" >"$2"
`;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "build-"));
  await mkdir(join(directory, "bin"));
  await writeFile(join(directory, "bin", "go"), GO, { mode: 0o755 });
  vi.stubEnv("PATH", `${join(directory, "bin")}:/usr/bin:/bin`);
  vi.stubEnv("XDG_CACHE_HOME", directory);
  vi.stubEnv("GO_CALLS", join(directory, "calls"));
  vi.stubEnv("GO_VERSION", "go version go1.26.0 linux/amd64");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

describe("programs", () => {
  it("are compiled in the order in which a cluster needs them, once, and said beforehand", async () => {
    const lines: string[] = [];
    const options = { log: (line: string) => lines.push(line) };
    const paths = await buildPrograms(["kubectl", "etcd"], options);
    expect(await buildPrograms(["kubectl", "etcd"], options)).toEqual(paths);
    expect(await calls()).toEqual(["go.etcd.io/etcd/server/v3", "k8s.io/kubernetes/cmd/kubectl"]);
    expect(await readFile(paths.etcd, "utf8")).toBe("go.etcd.io/etcd/server/v3\n");
    expect(lines[0]).toMatch(/^compiling etcd, kubectl: about 59 s on two cores, once; kept in /);
  });

  it("are compiled once when two ask at the same time, and the second says that it waits", async () => {
    const lines: string[] = [];
    const options = { log: (line: string) => lines.push(line) };
    await Promise.all([buildPrograms(["crane"], options), buildPrograms(["crane"], options)]);
    expect(await calls()).toHaveLength(1);
    expect(lines).toContain("crane: another process is compiling it; waiting");
  });

  it("of another Go version are other programs", async () => {
    const { crane } = await build("crane");
    vi.stubEnv("GO_VERSION", "go version go1.26.1 linux/amd64");
    expect((await build("crane")).crane).not.toBe(crane);
  });

  it("are not what a killed compilation left", async () => {
    const { crane } = await build("crane");
    await rm(crane);
    await writeFile(`${crane}.unfinished`, "half");
    await build("crane");
    expect(await readFile(crane, "utf8")).toContain("cmd/crane");
    expect(await readdir(join(crane, ".."))).toEqual(["crane"]);
  });

  it("that fail to compile leave nothing and the compiler's words", async () => {
    vi.stubEnv("GO_FAILURE", "no space left on device");
    await expect(build("crane")).rejects.toThrow(
      /crane could not be compiled: .*no space left on device/,
    );
    expect(await readdir(join(directory, "modelhook", "programs"))).toEqual([]);
  });

  it("cannot be had without Go", async () => {
    await rm(join(directory, "bin", "go"));
    vi.stubEnv("PATH", join(directory, "bin"));
    await expect(build("kubelet")).rejects.toThrow(
      /^kubelet has to be compiled, and there is no `go` in PATH: install Go 1.26 or newer \(https:\/\/go.dev\/dl\)$/,
    );
  });
});

describe("KUBEBUILDER_ASSETS", () => {
  it("is taken for what it has, the rest is compiled", async () => {
    const assets = join(directory, "assets");
    await mkdir(assets);
    for (const name of ["etcd", "kube-apiserver"]) await writeFile(join(assets, name), "");
    const paths = await buildPrograms(["etcd", "kube-apiserver", "kubectl"], {
      log: () => {},
      assets,
    });
    expect(paths.etcd).toBe(join(assets, "etcd"));
    expect(paths["kube-apiserver"]).toBe(join(assets, "kube-apiserver"));
    expect(await calls()).toEqual(["k8s.io/kubernetes/cmd/kubectl"]);
  });

  it("without an API server is refused", async () => {
    const assets = join(directory, "assets");
    const built = buildPrograms(["kube-apiserver"], { log: () => {}, assets });
    await expect(built).rejects.toThrow(
      `KUBEBUILDER_ASSETS is ${assets}, where there is no kube-apiserver: name a directory with etcd and kube-apiserver, or unset it to have them compiled`,
    );
  });
});

async function build<Name extends ProgramName>(
  name: Name,
): Promise<Readonly<Record<Name, string>>> {
  return buildPrograms([name], { log: () => {} });
}

async function calls(): Promise<string[]> {
  return (await readFile(join(directory, "calls"), "utf8")).trim().split("\n");
}
