import { getEventListeners, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { issue, makeAuthority } from "../../deploy/local/pki.ts";
import { openApiServer, type ApiServer, type RequestOptions } from "./client.ts";
import { serviceAccountCredentials } from "./credentials.ts";
import { ApiError, ConnectionError } from "./errors.ts";

/** What the server saw of a request. */
interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

describe("a request", () => {
  test.each<{ what: string; base?: string; options?: RequestOptions; expected: Partial<Seen> }>([
    { what: "goes to its path", expected: { method: "PATCH", url: "/api/v1/pods", body: "" } },
    {
      what: "goes below the path of a server behind a gateway",
      base: "/k8s/clusters/c-1/",
      expected: { url: "/k8s/clusters/c-1/api/v1/pods" },
    },
    {
      what: "escapes its query and leaves out what is absent",
      options: {
        query: { labelSelector: "a in (b,c)", limit: 5, continue: undefined, watch: true },
      },
      expected: { url: "/api/v1/pods?labelSelector=a+in+%28b%2Cc%29&limit=5&watch=true" },
    },
    {
      what: "carries JSON of the given type",
      options: { body: { a: "ü" }, contentType: "application/merge-patch+json" },
      expected: {
        body: '{"a":"ü"}',
        headers: expect.objectContaining({ "content-type": "application/merge-patch+json" }),
      },
    },
    {
      what: "says what it accepts and who it is",
      options: { accept: "application/json;as=Table" },
      expected: {
        headers: expect.objectContaining({
          accept: "application/json;as=Table",
          authorization: "Bearer token",
          "user-agent": "modelhook",
        }),
      },
    },
  ])("$what", async ({ base = "", options, expected }) => {
    const seen = Promise.withResolvers<Seen>();
    const api = await serve((request, response) => {
      const { method, url, headers } = request;
      let body = "";
      request.on("data", (text) => (body += text));
      request.on("end", () => {
        seen.resolve({ method, url, headers, body });
        response.end("{}");
      });
    }, base);

    await api.request("PATCH", "/api/v1/pods", options);

    expect(await seen.promise).toMatchObject(expected);
  });
});

describe("an answer", () => {
  test.each<{
    what: string;
    status: number;
    body: string;
    headers?: Record<string, string>;
    expected: object;
  }>([
    {
      what: "with a Status",
      status: 409,
      body: '{"kind":"Status","code":409,"reason":"Conflict","message":"changed"}',
      expected: {
        name: "ApiError",
        status: 409,
        reason: "Conflict",
        message: "changed",
        request: "GET /x",
      },
    },
    {
      what: "that asks to wait",
      status: 429,
      body: "{}",
      headers: { "retry-after": "2" },
      expected: { name: "ApiError", status: 429, retryAfterMs: 2_000 },
    },
    {
      what: "that asks to wait until a date, which needs equal clocks",
      status: 503,
      body: "{}",
      headers: { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" },
      expected: { name: "ApiError", status: 503, retryAfterMs: undefined },
    },
    {
      what: "of a gateway",
      status: 502,
      body: "<html>Bad Gateway</html>",
      expected: { name: "ApiError", status: 502, reason: "", message: "<html>Bad Gateway</html>" },
    },
    {
      what: "that leads elsewhere",
      status: 302,
      body: "",
      headers: { location: "https://elsewhere.example/" },
      expected: { name: "ApiError", status: 302, message: "GET /x was answered with status 302" },
    },
    {
      what: "that is no JSON although all is well",
      status: 200,
      body: "<html>Log in</html>",
      expected: { name: "ConnectionError", message: "GET /x: the answer is not JSON" },
    },
  ])("$what becomes an error that says so", async ({ status, body, headers, expected }) => {
    const api = await serve((_, response) => void response.writeHead(status, headers).end(body));

    await expect(api.request("GET", "/x")).rejects.toMatchObject(expected);
  });

  test("that ends too early is a lost connection", async () => {
    const api = await serve((_, response) => {
      response.writeHead(200, { "content-length": "100" }).write('{"kind"');
      setTimeout(() => response.destroy(), 10);
    });

    await expect(api.request("GET", "/x")).rejects.toThrow(ConnectionError);
  });

  test.each<{ what: string; handler: RequestListener }>([
    { what: "never begins", handler: () => {} },
    { what: "never ends", handler: (_, response) => void response.write("{") },
  ])("that $what is given up after the time limit", async ({ handler }) => {
    const api = await serve(handler);

    const answer = api.request("GET", "/x", { timeoutMs: 50 });

    await expect(answer).rejects.toThrow("GET /x: no answer within 50 ms");
    await expect(answer).rejects.toThrow(ConnectionError);
  });
});

describe("the caller's signal", () => {
  test("ends a request with its own reason, and nothing stays attached to it", async () => {
    const arrived = Promise.withResolvers<void>();
    const api = await serve(() => arrived.resolve());
    const stop = new AbortController();
    const answer = api.request("GET", "/x", { signal: stop.signal });
    await arrived.promise;

    stop.abort(new Error("Shutting down"));

    await expect(answer).rejects.toThrow("Shutting down");
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });

  test("that is aborted already lets no request out", async () => {
    let requests = 0;
    const api = await serve((_, response) => {
      requests += 1;
      response.end("{}");
    });

    const answer = api.request("GET", "/x", { signal: AbortSignal.abort(new Error("Stopped")) });

    await expect(answer).rejects.toThrow("Stopped");
    expect(requests).toBe(0);
  });

  test("is let go of after each request", async () => {
    const api = await serve((_, response) => void response.end("{}"));
    const { signal } = new AbortController();

    await api.request("GET", "/x", { signal });

    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("a stream", () => {
  test("gives what comes until the server ends it", async () => {
    const api = await serve((request, response) => {
      response.write(`${request.url} `);
      setTimeout(() => response.end("end"), 10);
    });
    const { signal } = new AbortController();

    expect(await textOf(await api.stream("/x", { watch: true }, signal))).toBe("/x?watch=true end");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("that is refused throws the refusal", async () => {
    const api = await serve((_, response) => void response.writeHead(410).end('{"code":410}'));

    const opened = api.stream("/x", {}, new AbortController().signal);

    await expect(opened).rejects.toThrow(ApiError);
    await expect(opened).rejects.toMatchObject({ status: 410 });
  });

  test("that breaks throws a lost connection", async () => {
    const api = await serve((_, response) => {
      response.write("a");
      setTimeout(() => response.destroy(), 10);
    });
    const stream = await api.stream("/x", {}, new AbortController().signal);

    await expect(textOf(stream)).rejects.toThrow(ConnectionError);
  });

  test("ends on both sides when its signal aborts", async () => {
    const closed = Promise.withResolvers<void>();
    const api = await serve((_, response) => {
      response.on("close", closed.resolve).write("a");
    });
    const stop = new AbortController();
    const stream = await api.stream("/x", {}, stop.signal);

    stop.abort(new Error("Shutting down"));

    await expect(textOf(stream)).rejects.toThrow("Shutting down");
    await closed.promise;
  });

  test("ends at the server when its reader leaves", async () => {
    const closed = Promise.withResolvers<void>();
    const api = await serve((_, response) => {
      response.on("close", closed.resolve).write("a");
    });

    for await (const _ of await api.stream("/x", {}, new AbortController().signal)) break;

    await expect(closed.promise).resolves.toBeUndefined();
  });
});

test("a server whose address nobody listens at is a connection that failed", async () => {
  const api = openApiServer({
    server: "http://127.0.0.1:1",
    headers: bearer,
    tls: async () => ({}),
  });

  await expect(api.request("GET", "/x")).rejects.toThrow("GET /x: connect ECONNREFUSED");
});

test("an authority that was replaced in its file is trusted from the next connection on", async () => {
  const directory = await mkdtemp(join(tmpdir(), "modelhook-"));
  onTestFinished(async () => rm(directory, { recursive: true }));
  await writeFile(join(directory, "token"), "token\n");
  const [old, renewed] = [await makeServerIdentity("old"), await makeServerIdentity("new")];
  const server = createTlsServer(old, (_, response: ServerResponse) => {
    // One connection for each request, so that the next one meets the new certificate.
    response.setHeader("connection", "close").end("{}");
  });
  const api = serviceAccountApi(await listen(server), directory);
  await writeFile(join(directory, "ca.crt"), old.authority);
  await expect(api.request("GET", "/x")).resolves.toEqual({});

  server.setSecureContext(renewed);
  await expect(api.request("GET", "/x")).rejects.toThrow("unable to verify");
  await writeFile(join(directory, "ca.crt"), renewed.authority);

  await expect(api.request("GET", "/x")).resolves.toEqual({});
});

async function bearer(): Promise<Record<string, string>> {
  return { authorization: "Bearer token" };
}

async function serve(handler: RequestListener, base = ""): Promise<ApiServer> {
  const port = await listen(createServer(handler));
  const server = `http://127.0.0.1:${port}${base}`;
  const api = openApiServer({ server, headers: bearer, tls: async () => ({}) });
  onTestFinished(async () => api.close());
  return api;
}

function serviceAccountApi(port: number, directory: string): ApiServer {
  const server = `https://127.0.0.1:${port}`;
  const api = openApiServer(serviceAccountCredentials({ server, directory }));
  onTestFinished(async () => api.close());
  return api;
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function makeServerIdentity(
  name: string,
): Promise<{ cert: string; key: string; authority: string }> {
  const authority = await makeAuthority(`${name} authority`);
  const pair = await issue(authority, { commonName: name, addresses: ["127.0.0.1"] });
  return { ...pair, authority: authority.cert };
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
