import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { generate } from "selfsigned";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashedSource } from "../../../src/oci/blob-source.ts";
import { findFreePort } from "../../../deploy/local/ports.ts";
import {
  openRepository,
  type Repository,
  type RepositoryOptions,
} from "../../../src/oci/repository.ts";
import { digestOf, OCI_MANIFEST, pushImage, pushManifest } from "./push.ts";
import { LOGIN, startRegistry, type TestRegistry } from "./registry.ts";

const LAYER = {
  mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  content: gzipSync("a layer"),
};

/** Runs a step with a repository, and closes it whatever happens. */
async function withRepository<T>(
  host: string,
  step: (repository: Repository) => Promise<T>,
  options: Partial<RepositoryOptions> = {},
): Promise<T> {
  const repository = openRepository({
    registry: host,
    repository: "models/digits",
    credentials: undefined,
    insecureHosts: [host],
    access: "pull,push",
    ...options,
  });
  try {
    return await step(repository);
  } finally {
    await repository.close();
  }
}

describe("a repository of a registry without a login", () => {
  let registry: TestRegistry;

  beforeAll(async () => {
    registry = await startRegistry();
  });

  afterAll(async () => {
    await registry.stop();
  });

  test("has no image for a tag that nobody pushed", async () => {
    expect(await withRepository(registry.host, (each) => each.image("none"))).toBeUndefined();
  });

  test("gives digest, labels and layers of an image", async () => {
    const digest = await pushImage(`http://${registry.host}`, "models/digits", "v1", {
      labels: { "model.kubedl.io/modelversion-uid": "u1" },
      layers: [LAYER],
    });
    expect(await withRepository(registry.host, (each) => each.image("v1"))).toEqual({
      digest,
      labels: { "model.kubedl.io/modelversion-uid": "u1" },
      layers: [
        { mediaType: LAYER.mediaType, digest: digestOf(LAYER.content), size: LAYER.content.length },
      ],
    });
  });

  test("gives an index as an image that is nobody's", async () => {
    const child = await pushImage(`http://${registry.host}`, "models/digits", "child", {
      layers: [LAYER],
    });
    const type = "application/vnd.oci.image.index.v1+json";
    const manifests = [{ mediaType: OCI_MANIFEST, digest: child, size: 1 }];
    const text = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests });
    const digest = await pushManifest(
      `http://${registry.host}`,
      "models/digits",
      "index",
      type,
      text,
    );
    expect(await withRepository(registry.host, (each) => each.image("index"))).toEqual({
      digest,
      labels: {},
      layers: [],
    });
  });

  test("gives the bytes of a blob", async () => {
    await pushImage(`http://${registry.host}`, "models/digits", "v1", { layers: [LAYER] });
    const content = await withRepository(registry.host, async (each) =>
      collect(each.blob({ ...LAYER, digest: digestOf(LAYER.content), size: LAYER.content.length })),
    );
    expect(content).toEqual(LAYER.content);
  });

  test("says that a blob is missing", async () => {
    const digest = digestOf(Buffer.from("nothing"));
    await expect(
      withRepository(registry.host, async (each) =>
        collect(each.blob({ ...LAYER, digest, size: 7 })),
      ),
    ).rejects.toMatchObject({
      fault: "missing",
      message: expect.stringContaining("BLOB_UNKNOWN") as string,
    });
  });

  test("would take a push, and is told to forget the question", async () => {
    await withRepository(registry.host, (each) => each.checkPush());
    const uploads = "docker/registry/v2/repositories/models/digits/_uploads";
    const files = readdirSync(join(registry.directory, uploads), { recursive: true });
    // The registry leaves an empty hash state behind, but neither data nor the start of an upload.
    expect(files.filter((name) => /data|startedat/.test(String(name)))).toEqual([]);
  });

  test("is not reached by plain HTTP when its host is not listed, nor told anything", async () => {
    await expect(
      withRepository(registry.host, (each) => each.image("v1"), { insecureHosts: [] }),
    ).rejects.toMatchObject({ fault: "unreachable" });
  });
});

describe("a registry that asks for a login", () => {
  let registry: TestRegistry;

  beforeAll(async () => {
    registry = await startRegistry({ htpasswd: true });
  });

  afterAll(async () => {
    await registry.stop();
  });

  test("takes a push with the right password", async () => {
    await expect(
      withRepository(registry.host, (each) => each.checkPush(), { credentials: LOGIN }),
    ).resolves.toBeUndefined();
  });

  test("refuses a wrong password", async () => {
    await expect(
      withRepository(registry.host, (each) => each.checkPush(), {
        credentials: { ...LOGIN, password: "wrong" },
      }),
    ).rejects.toMatchObject({
      fault: "denied",
      message: expect.stringContaining("(status 401): UNAUTHORIZED") as string,
    });
  });

  test("is not asked without a password", async () => {
    await expect(withRepository(registry.host, (each) => each.image("v1"))).rejects.toMatchObject({
      fault: "denied",
      message: `${registry.host} asks for a login; there are no credentials for it`,
    });
  });
});

describe("a registry that can not be used", () => {
  test("because nobody listens there is unreachable", async () => {
    const host = `127.0.0.1:${await findFreePort()}`;
    await expect(withRepository(host, (each) => each.image("v1"))).rejects.toMatchObject({
      fault: "unreachable",
      message: expect.stringContaining("ECONNREFUSED") as string,
    });
  });

  test("because it only answers readers denies a push", async () => {
    const registry = await startRegistry({
      storage: { maintenance: { readonly: { enabled: true } } },
    });
    await expect(withRepository(registry.host, (each) => each.checkPush())).rejects.toMatchObject({
      fault: "denied",
      message: expect.stringContaining("takes no push to models/digits (status 405)") as string,
    });
    await registry.stop();
  });

  test("because it hangs up is unreachable", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(withRepository(host, (each) => each.image("v1"))).rejects.toMatchObject({
      fault: "unreachable",
    });
    server.close();
  });
});

describe("a registry whose certificate nobody knows", () => {
  let registry: TestRegistry;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "modelhook-tls-"));
    const authority = await generate([{ name: "commonName", value: "authority" }], {
      algorithm: "sha256",
      keyType: "ec",
      extensions: [{ name: "basicConstraints", cA: true }],
    });
    const { cert, private: key } = await generate([{ name: "commonName", value: "registry" }], {
      algorithm: "sha256",
      keyType: "ec",
      ca: { cert: authority.cert, key: authority.private },
      extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
    });
    const files = { "ca.pem": authority.cert, "cert.pem": cert, "key.pem": key };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    registry = await startRegistry({
      tls: true,
      http: { tls: { certificate: join(directory, "cert.pem"), key: join(directory, "key.pem") } },
    });
  });

  afterAll(async () => {
    await registry.stop();
    rmSync(directory, { recursive: true });
  });

  test("is used when its host is listed", async () => {
    expect(await withRepository(registry.host, (each) => each.image("none"))).toBeUndefined();
  });

  test("is not used otherwise", async () => {
    await expect(
      withRepository(registry.host, (each) => each.image("none"), { insecureHosts: [] }),
    ).rejects.toMatchObject({
      fault: "unreachable",
      message: expect.stringContaining("unable to verify the first certificate") as string,
    });
  });

  test("is used by a process that is given the certificate of its authority, as build pods are", () => {
    const module = join(import.meta.dirname, "../../../src/oci/repository.ts");
    const options: RepositoryOptions = {
      registry: registry.host,
      repository: "models/digits",
      credentials: undefined,
      insecureHosts: [],
      access: "pull",
    };
    const program = `
      import { openRepository } from ${JSON.stringify(module)};
      const repository = openRepository(${JSON.stringify(options)});
      console.log("image", await repository.image("none"));
      await repository.close();`;
    const answer = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(directory, "ca.pem") },
      encoding: "utf8",
    });
    expect(answer).toBe("image undefined\n");
  });
});

describe("a registry that keeps its blobs elsewhere", () => {
  test("does not make us show our credentials there", async () => {
    const content = Buffer.from("blob");
    const seen: IncomingMessage["headers"][] = [];
    const store = createHttpServer((request, response) => {
      seen.push(request.headers);
      response.end(content);
    }).listen(0, "127.0.0.1");
    await once(store, "listening");
    const elsewhere = `127.0.0.1:${(store.address() as AddressInfo).port}`;
    const front = createHttpServer((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      } else {
        response.writeHead(307, { location: `http://${elsewhere}/blob` }).end();
      }
    }).listen(0, "127.0.0.1");
    await once(front, "listening");
    const host = `127.0.0.1:${(front.address() as AddressInfo).port}`;
    const blob = { mediaType: "", digest: digestOf(content), size: content.length };
    const options = { credentials: LOGIN, insecureHosts: [host, elsewhere] };
    expect(await withRepository(host, (each) => collect(each.blob(blob)), options)).toEqual(
      content,
    );
    expect(seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    const strict = { ...options, insecureHosts: [host] };
    await expect(
      withRepository(host, (each) => collect(each.blob(blob)), strict),
    ).rejects.toMatchObject({
      fault: "denied",
      message: `${elsewhere} is to be reached by http://, which the administrator has not allowed (insecureRegistries)`,
    });
    store.close();
    front.close();
  });

  test("has the content, and not our credentials, whatever is asked for there", async () => {
    const seen: IncomingMessage[] = [];
    const store = createHttpServer((request, response) => {
      seen.push(request);
      request.resume().on("end", () => {
        const challenge = `Bearer realm="http://${request.headers.host}/token"`;
        response.writeHead(401, { "www-authenticate": challenge }).end();
      });
    }).listen(0, "127.0.0.1");
    await once(store, "listening");
    const elsewhere = `127.0.0.1:${(store.address() as AddressInfo).port}`;
    const front = createHttpServer((_, response) => {
      response.writeHead(202, { location: `http://${elsewhere}/upload` }).end();
    }).listen(0, "127.0.0.1");
    await once(front, "listening");
    const host = `127.0.0.1:${(front.address() as AddressInfo).port}`;
    const options = { credentials: LOGIN, insecureHosts: [host, elsewhere] };
    const source = hashedSource({
      size: 4,
      async *read() {
        yield Buffer.from("blob");
      },
    });
    await expect(
      withRepository(host, (each) => each.push(source, { onRetry: () => undefined }), options),
    ).rejects.toMatchObject({ fault: "denied" });
    expect(seen.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ["PATCH", undefined],
    ]);
    store.close();
    front.close();
  });

  test("is unreachable when it breaks off", async () => {
    const server = createHttpServer((_, response) => {
      response.writeHead(200, { "content-length": "4" });
      response.write("bl", () => response.destroy());
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const blob = { mediaType: "", digest: digestOf(Buffer.from("blob")), size: 4 };
    await expect(withRepository(host, (each) => collect(each.blob(blob)))).rejects.toMatchObject({
      fault: "unreachable",
      message: expect.stringContaining("broke off after 2 of 4 bytes") as string,
    });
    server.close();
  });

  test.each([
    ["other bytes", "BLOB", "the content of models/digits@"],
    ["fewer bytes", "blo", "the content of models/digits@"],
    ["more bytes", "blobs", "the content of models/digits@"],
  ])("is not believed when it gives %s", async (_, answer, message) => {
    const server = createHttpServer((__, response) => response.end(answer)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const blob = { mediaType: "", digest: digestOf(Buffer.from("blob")), size: 4 };
    await expect(withRepository(host, (each) => collect(each.blob(blob)))).rejects.toMatchObject({
      fault: "invalid",
      message: expect.stringContaining(message) as string,
    });
    server.close();
  });
});

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
