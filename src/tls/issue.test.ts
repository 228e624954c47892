import { X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { issueAuthority, issueLeaf } from "./issue.ts";

const HOUR = 3_600_000;
const now = Math.floor(Date.now() / 1000) * 1000;
const lifetime = { from: now, to: now + 24 * HOUR };

test("an authority is one, on P-256, valid for clocks that are an hour behind", async () => {
  const { cert } = await issueAuthority(lifetime);
  const certificate = new X509Certificate(cert);
  expect(certificate.ca).toBe(true);
  expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  expect(certificate.validFromDate.getTime()).toBe(now - HOUR);
  expect(certificate.validToDate.getTime()).toBe(lifetime.to);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
});

test("no two authorities have the same name, even of the same moment", async () => {
  const [one, other] = await Promise.all([issueAuthority(lifetime), issueAuthority(lifetime)]);
  const names = [one, other].map(({ cert }) => new X509Certificate(cert).subject);
  expect(new Set(names).size).toBe(2);
});

test("a leaf is signed with SHA-256, no authority itself, and has the names asked for", async () => {
  const authority = await issueAuthority(lifetime);
  const { cert } = await issueLeaf(authority, ["a.b.svc", "127.0.0.1", "::1"], lifetime);
  const certificate = new X509Certificate(cert);
  expect(certificate.ca).toBe(false);
  expect(certificate.subjectAltName).toBe(
    "DNS:a.b.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
  );
  // The object identifier of ecdsa-with-SHA256, 1.2.840.10045.4.3.2.
  expect(certificate.raw.includes(Buffer.from("06082a8648ce3d040302", "hex"))).toBe(true);
});

test("a client that trusts the authority completes the handshake, for the names of the leaf only", async () => {
  const authority = await issueAuthority(lifetime);
  const leaf = await issueLeaf(authority, ["modelhook.test.svc"], lifetime);
  const server = createServer(leaf);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const handshake = async (servername: string, ca: string) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port, servername, ca });
      socket.once("secureConnect", () => resolve("trusted"));
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
      socket.once("secureConnect", () => socket.end());
    });
  const other = await issueAuthority(lifetime);
  expect(await handshake("modelhook.test.svc", authority.cert)).toBe("trusted");
  expect(await handshake("modelhook.test.svc", other.cert + authority.cert)).toBe("trusted");
  expect(await handshake("other.test.svc", authority.cert)).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  expect(await handshake("modelhook.test.svc", other.cert)).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  server.close();
});
