import { generateKeyPairSync } from "node:crypto";
import { rootCertificates } from "node:tls";
import { describe, expect, test } from "vitest";
import { certificatesFault } from "./certificates.ts";

const [FIRST = "", SECOND = ""] = rootCertificates;

describe("certificates are taken", () => {
  test.each<[string, string]>([
    ["one", FIRST],
    ["one after the other", `${FIRST}\n${SECOND}\n`],
    ["with words between them", `# ours\n${FIRST}\n\nTheirs\n======\n${SECOND}`],
    ["with lines that end as on Windows", `${FIRST}\n`.replaceAll("\n", "\r\n")],
  ])("%s", (_, text) => {
    expect(certificatesFault(text)).toBeUndefined();
  });
});

describe("certificates are refused", () => {
  const key = generateKeyPairSync("ed25519").privateKey;
  const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
  const body = FIRST.replaceAll(/-----.*-----/g, "");
  test.each<[string, string, string]>([
    ["that are none", "authority", "holds no certificate (PEM, -----BEGIN CERTIFICATE-----)"],
    [
      "beside a private key",
      `${FIRST}\n${pem}`,
      "holds a private key (block 2); certificates are all that is needed, and the key must count as known to others now",
    ],
    [
      "beside a key of an older form",
      pem.replaceAll("PRIVATE KEY", "EC PRIVATE KEY"),
      "holds a private key (block 1); certificates are all that is needed, and the key must count as known to others now",
    ],
    [
      "beside what belongs to them",
      `${FIRST}\n${FIRST.replaceAll("CERTIFICATE", "X509 CRL")}`,
      "block 2 is a X509 CRL; only CERTIFICATE is allowed",
    ],
    [
      "that are damaged",
      FIRST.replace("MII", "MIJ"),
      "block 1 is no certificate that can be read (X.509, PEM)",
    ],
    [
      "that are empty",
      "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
      "block 1 is no certificate that can be read (X.509, PEM)",
    ],
    [
      "without their end",
      `${FIRST}\n-----BEGIN CERTIFICATE-----${body}`,
      "holds a block that is not whole (PEM)",
    ],
    [
      "beside a key without its end",
      `${FIRST}\n${pem.replace("-----END PRIVATE KEY-----", "")}`,
      "holds a block that is not whole (PEM)",
    ],
    [
      "that are more than a pod can bear",
      `${FIRST}\n`.repeat(200),
      `has ${(FIRST.length + 1) * 200} bytes; at most 131072 are allowed`,
    ],
  ])("%s", (_, text, fault) => {
    expect(certificatesFault(text)).toBe(fault);
  });
});
