/**
 * `npm run bench:build`: the same models built by kaniko and by the direct engine, one after the other on the same node. Ends
 * with a line of JSON: ratios to kaniko, fractions of the machine's limits and of the bytes of a version.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installLocally, type LocalInstallation } from "../../deploy/local-installation.ts";
import { onInterrupt } from "../../deploy/local/interrupt.ts";
import { down } from "../../deploy/local/local-cluster.ts";
import { measureLimits, type Limits } from "./bare.ts";
import { build, NAMESPACE, pull, type Build } from "./builds.ts";
import { MODELS, writeFileOf, writeModel, type ModelShape } from "./models.ts";

const USAGE = `npm run bench:build [-- --only oneFile,shards] [--cluster NAME] [--network A.B.C]
  --only     models to build: ${Object.keys(MODELS).join(", ")} (all)
  --cluster  name of the local cluster that is made for it (bench)
  --network  its network (10.99.94)
`;

type Case = keyof typeof MODELS;

interface Result {
  readonly kaniko: Build;
  readonly direct: Build;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(MODELS).join(",") },
    cluster: { type: "string", default: "bench" },
    network: { type: "string", default: "10.99.94" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) print(USAGE);
else await bench(values.only.split(",").filter((each): each is Case => each in MODELS));

async function bench(cases: readonly Case[]): Promise<void> {
  const { cluster: name, network } = values;
  const installation = await installLocally({ name, network, log, signal: onInterrupt() });
  const { cluster } = installation;
  const root = join(await cluster.addHostPath("/models"), "bench");
  try {
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
    print(`${cpus().length} x ${cpus()[0]?.model}; disk ${diskSpeed(root)} MB/s written through`);
    print("model                  engine  seconds  CPU s  peak MiB  layers MB  node pulls in s");
    const results = new Map<Case, Result>();
    for (const each of cases) results.set(each, await both(installation, root, MODELS[each]));
    const limits = await limitsOf(installation, root);
    const second = await secondVersion(installation, root);
    print(JSON.stringify(summary(results, limits, second)));
  } finally {
    rmSync(root, { recursive: true, force: true });
    await down({ name, log });
  }
}

/** Builds a model with both engines, kaniko first, and has the node pull both images. */
async function both(
  installation: LocalInstallation,
  root: string,
  model: ModelShape,
): Promise<Result> {
  const { cluster } = installation;
  const directory = join(root, model.name);
  writeModel(directory, model);
  const path = `/models/bench/${model.name}`;
  const builds: Build[] = [];
  for (const engine of ["kaniko", "direct"] as const) {
    const name = `${model.name}-${engine}`;
    const built = await build(installation, { name, model: name, path }, engine);
    const image = `${cluster.registry}/bench/${name}@${built.digest}`;
    print(row(model.name, built, await pull(installation, name, image)));
    builds.push(built);
  }
  rmSync(directory, { recursive: true });
  const [kaniko, direct] = builds;
  if (kaniko === undefined || direct === undefined) throw new Error("an engine did not build");
  return { kaniko, direct };
}

/** What one file of 2 GB takes when it is only hashed, and only sent, and the direct engine beside it, once more. */
async function limitsOf(
  installation: LocalInstallation,
  root: string,
): Promise<Limits & { readonly direct: Build }> {
  const model = { ...MODELS.oneFile, name: "limits" };
  const directory = join(root, model.name);
  writeModel(directory, model);
  const file = join(directory, "part-0/shard-0.bin");
  const limits = await measureLimits(file, installation.cluster.registry);
  const version = { name: model.name, model: model.name, path: `/models/bench/${model.name}` };
  const direct = await build(installation, version, "direct");
  rmSync(directory, { recursive: true });
  const { hashSeconds, networkSeconds } = limits;
  print(
    `2 GB hashed alone in ${hashSeconds.toFixed(1)} s, sent alone in ${networkSeconds.toFixed(1)} s, built in ${direct.workSeconds?.toFixed(1)} s`,
  );
  return { ...limits, direct };
}

/** Builds ten shards, and again after one of them has changed; gives the part of the bytes that the second build sent. */
async function secondVersion(installation: LocalInstallation, root: string): Promise<number> {
  const model = { ...MODELS.shards, name: "versions" };
  const directory = join(root, model.name);
  const bytes = writeModel(directory, model);
  const path = `/models/bench/${model.name}`;
  const first = await build(
    installation,
    { name: "versions-1", model: model.name, path },
    "direct",
  );
  writeFileOf(directory, model, 3);
  const second = await build(
    installation,
    { name: "versions-2", model: model.name, path },
    "direct",
  );
  rmSync(directory, { recursive: true });
  const part = (second.sentBytes ?? bytes) / bytes;
  print(
    `second version with 1 of 10 shards changed: ${(part * 100).toFixed(1)} % of the bytes, ${second.seconds.toFixed(1)} s instead of ${first.seconds.toFixed(1)} s`,
  );
  return part;
}

function summary(
  results: ReadonlyMap<Case, Result>,
  { hashSeconds, networkSeconds, direct }: Limits & { readonly direct: Build },
  secondVersionBytes: number,
): object {
  const speedup = (each: Case): number | null => {
    const result = results.get(each);
    return result === undefined ? null : rounded(result.kaniko.seconds / result.direct.seconds);
  };
  const peaks = [...results.values()].map((result) => result.direct.peakMib);
  return {
    speedup_one_file: speedup("oneFile"),
    speedup_one_file_compressible: speedup("oneFileCompressible"),
    speedup_shards: speedup("shards"),
    speedup_small_files: speedup("smallFiles"),
    peak_mib: rounded(Math.max(direct.peakMib, ...peaks)),
    of_limit: rounded(Math.max(hashSeconds, networkSeconds) / (direct.workSeconds ?? Number.NaN)),
    second_version_bytes: rounded(secondVersionBytes),
  };
}

function row(model: string, built: Build, pullSeconds: number): string {
  return [
    model.padEnd(22),
    built.engine.padEnd(6),
    built.seconds.toFixed(1).padStart(8),
    built.cpuSeconds.toFixed(1).padStart(6),
    built.peakMib.toFixed(0).padStart(9),
    (built.layerBytes / 1e6).toFixed(0).padStart(10),
    pullSeconds.toFixed(1).padStart(16),
  ].join(" ");
}

function diskSpeed(directory: string): number {
  const path = join(directory, "..", "disk-speed");
  const piece = randomBytes(16_000_000);
  const file = openSync(path, "w");
  const began = performance.now();
  for (let index = 0; index < 32; index++) writeSync(file, piece);
  fsyncSync(file);
  const seconds = (performance.now() - began) / 1000;
  closeSync(file);
  rmSync(path);
  return Math.round((32 * piece.length) / 1e6 / seconds);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
