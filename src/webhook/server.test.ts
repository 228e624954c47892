import { once } from "node:events";
import { Agent } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeSource, send } from "../../test/make/serving.ts";
import { startWebhookServer, type RunningServer } from "./server.ts";

let source: Awaited<ReturnType<typeof makeSource>>;
let server: RunningServer;
let ca: string;

beforeEach(async () => {
  source = await makeSource();
  ca = source.current().caBundle;
  server = await startWebhookServer((_request, response) => response.end("served"), {
    host: "127.0.0.1",
    port: 0,
    source,
  });
});

afterEach(async () => server.close(0));

async function handshake(options: object = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port: server.port, ca, ...options });
  await once(socket, "secureConnect");
  return socket;
}

describe("TLS 1.3", () => {
  test("is spoken", async () => {
    const socket = await handshake();
    expect(socket.getProtocol()).toBe("TLSv1.3");
    socket.destroy();
  });

  test.each([
    ["from the start", async () => {}],
    ["after a renewal too", async () => source.renew()],
  ])("is the least that is accepted, %s", async (_name, prepare) => {
    await prepare();
    await expect(handshake({ maxVersion: "TLSv1.2" })).rejects.toThrow("protocol version");
  });
});

describe("a new certificate", () => {
  test("is shown to new connections, while the open ones go on", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const options = { port: server.port, ca, agent };
    await send(options);
    const [open] = Object.values(agent.freeSockets).flat() as TLSSocket[];
    const before = open?.getPeerCertificate().serialNumber;
    await source.renew();

    const fresh = await handshake();
    expect(fresh.getPeerCertificate().serialNumber).not.toBe(before);
    fresh.destroy();
    expect(await send(options)).toHaveProperty("text", "served");
    expect(Object.values(agent.freeSockets).flat()).toEqual([open]);
    agent.destroy();
  });
});

test("an idle connection is kept for longer than the 90 s after which the API server drops it", async () => {
  const { headers } = await send({ port: server.port, ca, agent: new Agent({ keepAlive: true }) });
  expect(headers.connection).toBe("keep-alive");
  expect(headers["keep-alive"]).toBe("timeout=100");
});

test("a port that is taken is an error", async () => {
  await expect(
    startWebhookServer(() => {}, { host: "127.0.0.1", port: server.port, source }),
  ).rejects.toThrow("EADDRINUSE");
});
