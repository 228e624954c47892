import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPrograms } from "../../deploy/local/build.ts";
import { run } from "../../deploy/local/command.ts";
import { filesLayer, type Layer } from "../../deploy/local/images/layer.ts";
import { pushImage, type PushOptions } from "../../deploy/local/images/push.ts";
import { startRegistry, type TestRegistry } from "./oci/registry.ts";

let registry: TestRegistry;
let options: PushOptions;

beforeAll(async () => {
  registry = await startRegistry();
  const programs = await buildPrograms(["crane"], { log: (line) => console.log(line) });
  options = { crane: programs.crane, registry: registry.host, log: () => {} };
});
afterAll(async () => registry.stop());

async function textLayer(path: string, text: string): Promise<Layer> {
  return filesLayer([{ path, text, mode: 0o644 }]);
}

async function crane(...args: readonly string[]): Promise<string> {
  return (await run(options.crane, args)).trim();
}

describe("an image made from layers", () => {
  it("is in the registry under the digest that is given, with its files and configuration", async () => {
    const image = await pushImage(
      {
        repository: "whole",
        layers: [await textLayer("app/a", "first\n"), await textLayer("app/b", "second\n")],
        entrypoint: ["/app/run", "--now"],
        environment: { PATH: "/app" },
        user: "65532:65532",
      },
      options,
    );
    const manifest = await run(options.crane, ["manifest", image]);
    const digest = createHash("sha256").update(manifest).digest("hex");
    expect(image).toBe(`${registry.host}/whole@sha256:${digest}`);
    expect(await crane("digest", `${registry.host}/whole:1`)).toBe(`sha256:${digest}`);
    expect(JSON.parse(await crane("config", image))).toMatchObject({
      os: "linux",
      config: {
        Entrypoint: ["/app/run", "--now"],
        Env: ["PATH=/app"],
        User: "65532:65532",
      },
    });
    const files = await run("sh", [
      "-c",
      '"$1" export "$2" - | tar -t',
      "sh",
      options.crane,
      image,
    ]);
    expect(files.split("\n")).toEqual(expect.arrayContaining(["app/a", "app/b"]));
  });

  it("is not written again while the registry has it", async () => {
    const layer = await textLayer("a", "same");
    const first = await pushImage({ repository: "again", layers: [layer] }, options);
    const unwritable = { ...layer, write: async () => Promise.reject(new Error("was written")) };
    expect(await pushImage({ repository: "again", layers: [unwritable] }, options)).toBe(first);
  });

  it("takes the tag over when its content is another", async () => {
    const old = await pushImage(
      { repository: "moved", layers: [await textLayer("a", "1")] },
      options,
    );
    const recipe = { repository: "moved", layers: [await textLayer("a", "2")] };
    const image = await pushImage(recipe, options);
    expect(image).not.toBe(old);
    expect(image).toMatch(new RegExp(`@${await crane("digest", `${registry.host}/moved:1`)}$`));
  });

  it("leaves the one that was there when it cannot be finished", async () => {
    const layer = await textLayer("a", "good");
    const good = await pushImage({ repository: "kept", layers: [layer] }, options);
    const broken = {
      key: "other",
      write: async () => Promise.reject(new Error("the disk is full")),
    };
    await expect(pushImage({ repository: "kept", layers: [broken] }, options)).rejects.toThrow(
      "the disk is full",
    );
    expect(await pushImage({ repository: "kept", layers: [layer] }, options)).toBe(good);
  });

  it("begins with the layers and the configuration of its base", async () => {
    const base = await pushImage(
      {
        repository: "base",
        layers: [await textLayer("lower", "1")],
        environment: { LOWER: "yes" },
      },
      options,
    );
    const image = await pushImage(
      { repository: "upper", base, layers: [await textLayer("upper", "2")], command: ["sh"] },
      options,
    );
    const layersOf = async (name: string) =>
      (JSON.parse(await crane("manifest", name)) as { layers: object[] }).layers;
    expect(await layersOf(image)).toHaveLength(2);
    expect((await layersOf(image))[0]).toEqual((await layersOf(base))[0]);
    expect(JSON.parse(await crane("config", image))).toMatchObject({
      config: { Env: ["LOWER=yes"], Cmd: ["sh"] },
    });
  });

  it("says which registry does not answer", async () => {
    const nowhere = { ...options, registry: "127.0.0.1:1" };
    const recipe = { repository: "a", layers: [await textLayer("a", "1")] };
    await expect(pushImage(recipe, nowhere)).rejects.toThrow(
      /127\.0\.0\.1:1\/.*connection refused/,
    );
  });
});
