import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Credentials } from "../../../src/oci/credentials.ts";
import { openRepository } from "../../../src/oci/repository.ts";
import { LOGIN, startRegistry, type TestRegistry } from "./registry.ts";
import { REFRESH_TOKEN, startTokenServer, type TokenServer } from "./token-server.ts";

describe("a registry that trusts a token server", () => {
  let tokens: TokenServer;
  let registry: TestRegistry;

  beforeAll(async () => {
    tokens = await startTokenServer();
    registry = await startRegistry({ auth: tokens.auth });
  });

  afterAll(async () => {
    await registry.stop();
    await tokens.stop();
  });

  test.each<[string, Credentials]>([
    ["a password", LOGIN],
    ["a refresh token", { identityToken: REFRESH_TOKEN }],
  ])(
    "takes a push with a token that was granted for %s, and asks for it once",
    async (_, credentials) => {
      const before = tokens.scopes.length;
      await use(credentials, async (repository) => {
        expect(await repository.image("none")).toBeUndefined();
        await repository.checkPush();
      });
      expect(tokens.scopes.slice(before)).toEqual(["repository:models/digits:pull,push"]);
    },
  );

  test.each<[string, Credentials | undefined]>([
    ["a wrong password", { ...LOGIN, password: "wrong" }],
    ["a refresh token that is no more", { identityToken: "old" }],
    ["nothing", undefined],
  ])("gives no token for %s", async (_, credentials) => {
    await expect(use(credentials, (repository) => repository.checkPush())).rejects.toMatchObject({
      fault: "denied",
      message: `${tokens.host} gives no token for repository:models/digits:pull,push (status 401): UNAUTHORIZED: who are you`,
    });
  });

  test("is not used when the token server speaks plain HTTP and is not listed", async () => {
    await expect(
      use(LOGIN, (repository) => repository.checkPush(), [registry.host]),
    ).rejects.toMatchObject({
      fault: "denied",
      message: `${tokens.host} is to be reached by http://, which the administrator has not allowed (insecureRegistries)`,
    });
  });

  async function use(
    credentials: Credentials | undefined,
    step: (repository: ReturnType<typeof openRepository>) => Promise<void>,
    insecureHosts = [registry.host, tokens.host],
  ): Promise<void> {
    const repository = openRepository({
      registry: registry.host,
      repository: "models/digits",
      credentials,
      insecureHosts,
      access: "pull,push",
    });
    try {
      await step(repository);
    } finally {
      await repository.close();
    }
  }
});
