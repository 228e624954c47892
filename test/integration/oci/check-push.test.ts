import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findFreePort } from "../../../deploy/local/ports.ts";
import { parseReport, type BuildReport } from "../../../src/api/build-report.ts";
import { IMAGE_LABELS } from "../../../src/api/image-labels.ts";
import { checkPush, type CheckPushOptions } from "../../../src/cli/check-push.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { pushImage } from "./push.ts";
import { LOGIN, startRegistry, type TestRegistry } from "./registry.ts";
import { startTokenServer, type TokenServer } from "./token-server.ts";

/** How an ended container is seen from outside. */
interface Ended {
  readonly exitCode: number;
  readonly report: BuildReport | undefined;
  readonly log: string;
}

let root: string;
let open: TestRegistry;
let closed: TestRegistry;
let tokens: TokenServer;
let guarded: TestRegistry;

beforeAll(async () => {
  tokens = await startTokenServer();
  open = await startRegistry();
  closed = await startRegistry({ htpasswd: true });
  guarded = await startRegistry({ auth: tokens.auth });
});

afterAll(async () => {
  await Promise.all([open, closed, guarded, tokens].map((each) => each.stop()));
});

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "modelhook-check-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe("a push to a registry without a login", () => {
  test.each([
    ["a tag that nobody has taken", ":v1"],
    ["a tag that its build will make", ""],
  ])("passes for %s", async (_, tag) => {
    expect(await check(open, { image: `${open.host}/models/new${tag}` })).toMatchObject({
      exitCode: 0,
      report: undefined,
    });
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["without labels of ours", {}],
    ["of another version", { [IMAGE_LABELS.versionUid]: "other" }],
  ])("is told of an image %s under its tag, and of what would be right", async (_, labels) => {
    const url = `http://${open.host}`;
    const digest = await pushImage(url, "models/taken", "v1", { labels, layers: [] });
    const image = `${open.host}/models/taken:v1`;
    expect(await check(open, { image })).toMatchObject({
      exitCode: 1,
      report: {
        state: "failed",
        reason: "TagTaken",
        message: `${image} is there already (${digest}), and a build never replaces an image of another; name another imageTag, or none`,
      },
    });
  });

  test("passes for a free tag beside one that is taken", async () => {
    await pushImage(`http://${open.host}`, "models/taken", "v1", { layers: [] });
    expect(await check(open, { image: `${open.host}/models/taken:v2` })).toMatchObject({
      exitCode: 0,
    });
  });

  test("does not go by plain HTTP when its host is not listed", async () => {
    expect(await check(open, { insecureRegistries: [] })).toMatchObject({
      exitCode: 1,
      report: { reason: "RegistryUnreachable" },
    });
  });
});

describe.each<[string, () => TestRegistry, () => readonly string[]]>([
  ["that asks for a login", () => closed, () => [closed.host]],
  ["that trusts a token server", () => guarded, () => [guarded.host, tokens.host]],
])("a push to a registry %s", (_, registryOf, hosts) => {
  test("passes with the credentials of the Secret", async () => {
    writeCredentials(registryOf(), LOGIN.password);
    const insecureRegistries = hosts();
    expect(
      await check(registryOf(), { insecureRegistries, credentialsSecret: "push" }),
    ).toMatchObject({ exitCode: 0, report: undefined });
  });

  test("is denied with other credentials, and does not say which", async () => {
    writeCredentials(registryOf(), "wrong password");
    const ended = await check(registryOf(), { insecureRegistries: hosts() });
    expect(ended).toMatchObject({ exitCode: 1, report: { reason: "PushDenied" } });
    expect(ended.log).not.toBe("");
    const said = JSON.stringify(ended);
    expect(said).not.toContain("wrong password");
    expect(said).not.toContain(encoded("wrong password"));
  });

  test("is denied without credentials", async () => {
    expect(await check(registryOf(), { insecureRegistries: hosts() })).toMatchObject({
      exitCode: 1,
      report: { reason: "PushDenied" },
    });
  });
});

describe("credentials", () => {
  test("that are named and missing are said to be, before the registry is asked", async () => {
    expect(await check(closed, { credentialsSecret: "push" })).toMatchObject({
      exitCode: 1,
      report: {
        reason: "PushDenied",
        message: "Secret push (builder.pushSecret) does not exist, or has no key .dockerconfigjson",
      },
    });
  });

  test("that are broken are said to be, and not shown", async () => {
    writeFileSync(join(root, "config.json"), "not-json-and-secret");
    const ended = await check(closed);
    expect(ended).toMatchObject({ exitCode: 1, report: { reason: "PushDenied" } });
    expect(JSON.stringify(ended)).not.toContain("not-json-and-secret");
  });
});

describe("a registry that is not there", () => {
  let silent: Server;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    silent = createServer((socket) => void sockets.add(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
  });

  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await once(silent, "close");
  });

  test("is unreachable when it refuses connections", async () => {
    const host = `127.0.0.1:${await findFreePort()}`;
    expect(await check({ host })).toMatchObject({
      exitCode: 1,
      report: {
        reason: "RegistryUnreachable",
        message: expect.stringContaining("ECONNREFUSED") as string,
      },
    });
  });

  test.each([
    ["by TLS", []],
    ["by whatever it speaks", undefined],
  ])("is unreachable when it says nothing, asked %s", async (_, insecureRegistries) => {
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const more = insecureRegistries === undefined ? {} : { insecureRegistries };
    expect(await check({ host }, { ...more, answerMs: 500 })).toMatchObject({
      exitCode: 1,
      report: {
        reason: "RegistryUnreachable",
        message: `the registry of ${host}/models/digits:v1 gives no answer within 0.5 seconds`,
      },
    });
  });
});

test("a text that is no image is refused", async () => {
  expect(await check(open, { image: "NOT AN IMAGE" })).toMatchObject({
    exitCode: 1,
    report: { reason: "InvalidObject", message: "NOT AN IMAGE is not an image reference" },
  });
});

function encoded(password: string): string {
  return Buffer.from(`${LOGIN.username}:${password}`).toString("base64");
}

function writeCredentials({ host }: TestRegistry, password: string): void {
  const auths = { [host]: { auth: encoded(password) } };
  writeFileSync(join(root, "config.json"), JSON.stringify({ auths }));
}

async function check(
  { host }: Pick<TestRegistry, "host">,
  more: Partial<CheckPushOptions> = {},
): Promise<Ended> {
  const terminationLog = join(root, "termination-log");
  let log = "";
  const write = (line: string): void => void (log += line);
  const exitCode = await checkPush({
    image: `${host}/models/digits:v1`,
    credentials: join(root, "config.json"),
    insecureRegistries: [host],
    terminationLog,
    logger: createLogger({ level: "info", destination: { write } }),
    answerMs: 8000,
    ...more,
  });
  const message = existsSync(terminationLog) ? readFileSync(terminationLog, "utf8") : undefined;
  return { exitCode, report: parseReport(message), log };
}
