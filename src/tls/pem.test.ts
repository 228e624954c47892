import { generate } from "selfsigned";
import { beforeAll, describe, expect, test } from "vitest";
import { issueAuthority, issueLeaf, type KeyPair } from "./issue.ts";
import { isTrusted, joinBundle, parseCertificates, parsePrivateKey } from "./pem.ts";

const DAY = 86_400_000;
const now = Date.now();
const lifetime = { from: now, to: now + 30 * DAY };

let first: KeyPair;
let second: KeyPair;
let leaf: KeyPair;

beforeAll(async () => {
  first = await issueAuthority({ from: now, to: now + 10 * DAY });
  second = await issueAuthority(lifetime);
  leaf = await issueLeaf(first, ["modelhook.test.svc"], lifetime);
});

describe("a chain is trusted", () => {
  test.each([
    ["by the authority that signed it", () => first.cert, true],
    ["by that authority among others", () => second.cert + first.cert, true],
    ["by a bundle that holds the leaf itself", () => leaf.cert, true],
    ["not by another authority", () => second.cert, false],
    ["not by an empty bundle", () => "", false],
    [
      "not by a bundle that cannot be read",
      () => first.cert.replace(/\n[^-]+\n-----END/, "\nAAAA\n-----END"),
      false,
    ],
  ])("%s", (_name, bundle, expected) => {
    expect(isTrusted(leaf.cert, bundle(), now)).toBe(expected);
  });

  test("only while leaf and authority are valid", () => {
    expect(isTrusted(leaf.cert, first.cert, now - DAY)).toBe(false);
    expect(isTrusted(leaf.cert, first.cert, now + 11 * DAY)).toBe(false);
    expect(isTrusted(leaf.cert, first.cert, now + 9 * DAY)).toBe(true);
  });

  test("through an intermediate that the chain brings along, if that may sign", async () => {
    for (const maySign of [true, false]) {
      const between = await makeIntermediate(second, maySign);
      const below = await issueLeaf(between, ["below"], lifetime);
      expect(isTrusted(below.cert + between.cert, second.cert, now)).toBe(maySign);
      expect(isTrusted(below.cert, second.cert, now)).toBe(false);
    }
  });
});

test("a bundle holds each certificate once, without those that have ended", () => {
  const bundle = joinBundle([first.cert, second.cert + first.cert], now);
  expect(bundle.match(/BEGIN/g)).toHaveLength(2);
  expect(joinBundle([bundle], now + 11 * DAY).trim()).toBe(second.cert.trim());
});

describe("what is not a certificate or its key is named", () => {
  test.each([
    ["nothing", "", "tls.crt holds no PEM certificate"],
    [
      "a broken one",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      "tls.crt holds a certificate that cannot be read",
    ],
  ])("%s", (_name, pem, message) => {
    expect(() => parseCertificates(pem, "tls.crt")).toThrow(message);
  });

  test("a key of another certificate, and a text that is no key, without quoting it", () => {
    const [certificate] = parseCertificates(first.cert, "tls.crt");
    const labels = { key: "tls.key", cert: "tls.crt" };
    expect(() => parsePrivateKey(second.key, certificate, labels)).toThrow(
      "tls.key does not belong to the certificate in tls.crt",
    );
    expect(() => parsePrivateKey("secret text", certificate, labels)).toThrow(
      /^tls.key holds no PEM private key$/,
    );
  });
});

async function makeIntermediate(ca: KeyPair, cA: boolean): Promise<KeyPair> {
  const { cert, private: key } = await generate([{ name: "commonName", value: "between" }], {
    algorithm: "sha256",
    keyType: "ec",
    ca,
    notBeforeDate: new Date(now - DAY),
    extensions: [
      { name: "basicConstraints", cA, critical: true },
      { name: "keyUsage", keyCertSign: cA, digitalSignature: true, critical: true },
    ],
  });
  return { cert: `${cert}\n`, key };
}
