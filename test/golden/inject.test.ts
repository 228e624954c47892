import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { inject, type InjectOptions } from "../../src/cli/inject.ts";

/**
 * Each folder is a case: a manifest (input.yaml or input.json), what is known (versions.yaml; of all cases that have none the one
 * beside them) and the administrator's limits (config.yaml), and what is printed, said on standard error, and changed, with the exit
 * code. `npm run golden` writes these anew; read the difference before you commit it.
 */
const directory = join(import.meta.dirname, "inject");
const cases = readdirSync(directory, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const isUpdate = process.env["GOLDEN"] === "update";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Injects with the files of a case; `input` takes the place of its manifest. */
async function run(
  name: string,
  options: Partial<InjectOptions> = {},
  input?: string,
): Promise<Ran> {
  const own = (file: string): boolean => existsSync(join(directory, name, file));
  const manifest = manifestOf(name);
  let [out, err] = ["", ""];
  const code = await inject(
    {
      filename: [manifest],
      versions: ["versions.yaml"],
      ...(own("config.yaml") ? { config: "config.yaml" } : {}),
      ...options,
    },
    {
      isColoured: false,
      files: (files) => ({ files, faults: [] }),
      read: async (file) => {
        if (input !== undefined && file === manifest) return input;
        return readFileSync(resolve(directory, own(file) ? name : "", file), "utf8");
      },
      write: (text) => void (out += text),
      say: (line) => void (err += `${line}\n`),
    },
  );
  return { code, out, err };
}

function manifestOf(name: string): string {
  return existsSync(join(directory, name, "input.json")) ? "input.json" : "input.yaml";
}

function inputOf(name: string): string {
  return readFileSync(join(directory, name, manifestOf(name)), "utf8");
}

/** The text of a file of the case, which is there unless it is empty; in an update it is the given one. */
function fileAfter(name: string, file: string, text: string): string {
  const path = join(directory, name, file);
  if (isUpdate) {
    if (text === "") rmSync(path, { force: true });
    else writeFileSync(path, text);
  }
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

describe("a manifest is printed as the cluster would have it:", () => {
  test.each(cases)("%s", async (name) => {
    const { code, out, err } = await run(name);
    const texts = {
      [manifestOf(name).replace("input", "output")]: out,
      "stderr.txt": err,
      "exit-code.txt": `${code}\n`,
    };
    for (const [file, text] of Object.entries(texts)) {
      expect(text).toBe(fileAfter(name, file, text));
    }
  });

  test.each(cases)("%s, as a difference", async (name) => {
    const { out } = await run(name, { diff: true });
    expect(out).toBe(fileAfter(name, "output.diff", out));
  });
});

describe("what is printed is left as it is when it is injected again:", () => {
  test.each(cases)("%s", async (name) => {
    const { out, code } = await run(name);
    if (code === 2) return;
    const again = await run(name, {}, out);
    expect({ code: again.code, out: again.out }).toEqual({ code, out });
    expect((await run(name, { diff: true }, out)).out).toBe("");
  });
});

test("where nothing is injected, every byte is as it was", async () => {
  const unix = inputOf("nothing-to-inject");
  const windows = `\uFEFF${unix.replaceAll("\n", "\r\n")}`;
  for (const text of [unix, windows, unix.trimEnd(), "", "# nothing\n", "---\n---\n"]) {
    const { out, code } = await run("nothing-to-inject", {}, text);
    expect({ out, code }).toEqual({ out: text, code: 0 });
  }
});

test("several files become one stream", async () => {
  const filename = ["input.yaml", "../json/input.json", "../bad-config/input.yaml"];
  const { out } = await run("nothing-to-inject", { filename });
  const { out: json } = await run("json");
  expect(out).toBe(`${inputOf("nothing-to-inject")}---\n${json}---\n${inputOf("bad-config")}`);
});

test("a file that is not there is told of, and nothing is printed", async () => {
  expect(await run("cronjob", { filename: ["input.yaml", "other.yaml"] })).toEqual({
    code: 2,
    out: "",
    err: "other.yaml: does not exist\n",
  });
});

test("what names no namespace is in the one that is given", async () => {
  const version = readFileSync(join(directory, "versions.yaml"), "utf8");
  const text = inputOf("cronjob").replace("  namespace: digits\n", "");
  expect(version).toContain("namespace: digits");
  expect((await run("cronjob", {}, text)).err).toContain("Model digits does not exist");
  expect((await run("cronjob", { namespace: "digits" }, text)).err).toBe("");
});

test("the files of deploy/demo show what one annotation does", async () => {
  const demo = join(import.meta.dirname, "../../deploy/demo");
  const filename = [join(demo, "serve.yaml")];
  const versions = [join(demo, "versions.yaml")];
  const { code, out, err } = await run("cronjob", { filename, versions, diff: true });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out.split("\n").filter((line) => line.startsWith("-"))).toEqual([`--- ${filename[0]}`]);
  expect(out).toContain("+            reference: registry.example/models/digits@sha256:");
});

test("the program reads standard input, needs no cluster, and tells by its exit code what came of it", async () => {
  const main = join(import.meta.dirname, "../../src/main.ts");
  const files = ["--filename", "-", "--versions", join(directory, "versions.yaml")];
  const ended = spawnSync(process.execPath, [main, "inject", ...files, "--diff"], {
    input: inputOf("list"),
    env: { KUBECONFIG: "/nowhere" },
    encoding: "utf8",
  });
  const expected = readFileSync(join(directory, "list/output.diff"), "utf8");
  expect(ended.stdout).toBe(expected.replaceAll(" input.yaml", " -"));
  expect(ended.stderr).toMatch(/^-:12 Pod\/denied: denied: /);
  expect(ended.status).toBe(1);
});
