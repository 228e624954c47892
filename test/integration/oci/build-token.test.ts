import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BuiltImage } from "../../../src/api/build-report.ts";
import {
  bytesOf,
  isContent,
  startRegistryProxy,
  type RegistryProxy,
  type SeenRequest,
} from "../../faults/registry-proxy.ts";
import { makeWorkplace, type Workplace } from "./build.ts";
import { LOGIN, startRegistry, type TestRegistry } from "./registry.ts";
import { startTokenServer, type TokenServer } from "./token-server.ts";

const MEBIBYTE = 2 ** 20;
const LARGE = 33 * MEBIBYTE;
const OLD = "models/old";
const SECRET = "models/secret";

let workplace: Workplace;

beforeEach(() => {
  workplace = makeWorkplace();
  writeFileSync(join(workplace.model, "weights.bin"), Buffer.alloc(LARGE, "weights"));
});

afterEach(() => {
  workplace.remove();
});

describe("a build with tokens", () => {
  let tokens: TokenServer;
  let registry: TestRegistry;
  let proxy: RegistryProxy;

  beforeAll(async () => {
    tokens = await startTokenServer();
    registry = await startRegistry({ auth: tokens.auth });
    proxy = await startRegistryProxy(registry.host);
  });

  afterAll(async () => {
    await proxy.stop();
    await registry.stop();
    await tokens.stop();
  });

  test("asks for the right to pull from where it may take layers over, and takes them over", async () => {
    const { digest } = await built(tokens, proxy, `${OLD}:v1`);
    const before = tokens.scopes.length;
    proxy.clear();
    const previous = `${proxy.host}/${OLD}@${digest}`;
    await built(tokens, proxy, "models/new:v1", previous);
    expect(tokens.scopes.slice(before)).toContain(
      `repository:models/new:pull,push repository:${OLD}:pull`,
    );
    expect(bytesOf(proxy.seen)).toBeLessThan(MEBIBYTE);
  });
});

test.each([
  ["leaves that out of the token, so that the registry refuses the request", "withheld"],
  ["gives no token at all for it", "refused"],
])(
  "a build that may not pull from where it could take layers over sends them itself: who grants tokens %s",
  async (_, how) => {
    const tokens = await startTokenServer({ [how]: [SECRET] });
    const registry = await startRegistry({ auth: tokens.auth });
    const proxy = await startRegistryProxy(registry.host);
    const { digest } = await built(tokens, proxy, "models/first:v1");
    proxy.clear();
    const previous = `${proxy.host}/${SECRET}@${digest}`;
    const image = await built(tokens, proxy, "models/second:v1", previous);
    expect(image.layers.map(({ size }) => size)).toContain(LARGE + 4 * 512);
    expect(proxy.seen.map(({ url }) => url).filter((url) => url.includes("mount="))).not.toEqual(
      [],
    );
    expect(bytesOf(proxy.seen)).toBeGreaterThan(LARGE);
    for (const each of [proxy, registry, tokens]) await each.stop();
  },
);

test("a build whose tokens expire while it sends gets others", async () => {
  const tokens = await startTokenServer({ seconds: 3 });
  const registry = await startRegistry({ auth: tokens.auth });
  const proxy = await startRegistryProxy(registry.host);
  const held = proxy.fault(isLarge, {
    kind: "hold",
    afterBytes: MEBIBYTE,
    until: async () => sleep(4000),
  });
  await built(tokens, proxy, "models/slow:v1");
  expect(held()).toBe(1);
  expect(proxy.seen.filter(({ status }) => status === 401).length).toBeGreaterThan(1);
  expect(new Set(tokens.scopes)).toEqual(new Set(["repository:models/slow:pull,push"]));
  expect(tokens.scopes.length).toBeGreaterThan(1);
  expect(bytesOf(proxy.seen)).toBeLessThan(LARGE + MEBIBYTE);
  for (const each of [proxy, registry, tokens]) await each.stop();
});

function isLarge(request: SeenRequest): boolean {
  return isContent(request) && Number(request.headers["content-length"]) > MEBIBYTE;
}

async function built(
  { host }: TokenServer,
  proxy: RegistryProxy,
  name: string,
  previous?: string,
): Promise<BuiltImage> {
  const credentials = join(workplace.model, "../../../config.json");
  const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString("base64");
  writeFileSync(credentials, JSON.stringify({ auths: { [proxy.host]: { auth } } }));
  return workplace.built(`${proxy.host}/${name}`, {
    credentials,
    previous,
    again: previous !== undefined,
    insecureRegistries: [proxy.host, host],
  });
}
