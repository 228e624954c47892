import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiHost, credentialsFor, readDockerConfig } from "./credentials.ts";

const auth = Buffer.from("user:pass:word").toString("base64");

describe("the credentials for a registry", () => {
  test.each([
    ["the same host", { "reg.example:5000": { auth } }, "reg.example:5000"],
    ["a URL as key", { "https://reg.example/v1/": { auth } }, "reg.example"],
    ["a host in capitals as key", { "REG.example": { auth } }, "reg.example"],
    ["Docker Hub by its old URL", { "https://index.docker.io/v1/": { auth } }, apiHost(undefined)],
    ["Docker Hub by its short name", { "docker.io": { auth } }, apiHost("index.docker.io")],
  ])("are found by %s", (_, auths, host) => {
    expect(credentialsFor({ auths }, host)).toEqual({ username: "user", password: "pass:word" });
  });

  test.each([
    ["another port", { "reg.example:5001": { auth } }],
    ["a longer name", { "my.reg.example:5000": { auth } }],
    ["the name without its port", { "reg.example": { auth } }],
    ["a pattern", { "*.example:5000": { auth } }],
    ["an entry that says nothing", { "reg.example:5000": {} }],
    ["an entry without a password", { "reg.example:5000": { auth: "dXNlcg==" } }],
    ["an entry that is no object", { "reg.example:5000": "secret" }],
  ])("are not those of %s", (_, auths) => {
    expect(credentialsFor({ auths }, "reg.example:5000")).toBeUndefined();
  });

  test("are the name and password fields where there are any", () => {
    const auths = { "reg.example": { username: "user", password: "word" } };
    expect(credentialsFor({ auths }, "reg.example")).toEqual({
      username: "user",
      password: "word",
    });
  });

  test("are the identity token before anything else", () => {
    const auths = { "reg.example": { auth, identitytoken: "refresh" } };
    expect(credentialsFor({ auths }, "reg.example")).toEqual({ identityToken: "refresh" });
  });
});

describe("the file of a Secret", () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "modelhook-credentials-"));
  });

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  test("need not exist", async () => {
    expect(await readDockerConfig(join(directory, "none"))).toBeUndefined();
  });

  test.each([
    ["no JSON", '{"auths": hunter2', "the registry credentials are not JSON (.dockerconfigjson)"],
    [
      "of another shape",
      '{"hunter2": {}}',
      "the registry credentials lack `auths` (.dockerconfigjson)",
    ],
  ])("that is %s is refused without a word of its text", async (name, text, message) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    const error = await readDockerConfig(path).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ name: "RegistryError", fault: "denied", message });
    expect(String((error as Error).stack) + String((error as Error).cause)).not.toContain(
      "hunter2",
    );
  });
});
