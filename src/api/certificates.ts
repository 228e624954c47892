import { X509Certificate } from "node:crypto";

/** Longest text: the annotations of a pod, which carry it, may have 256 KiB together. */
const MAX_BYTES = 131_072;

const BLOCK = /-----BEGIN ([^-\n]{1,40})-----[^-]*-----END \1-----/g;

/**
 * What is wrong with a text that should hold certificates and nothing else (PEM; words between them are comments); undefined when
 * nothing is. No more of it is repeated than what kind of block is wrong: it may be a key.
 */
export function certificatesFault(text: string): string | undefined {
  const { length } = new TextEncoder().encode(text);
  if (length > MAX_BYTES) return `has ${length} bytes; at most ${MAX_BYTES} are allowed`;
  const blocks = [...text.matchAll(BLOCK)];
  for (const [index, [block, label = ""]] of blocks.entries()) {
    const which = `block ${index + 1}`;
    if (label.includes("PRIVATE KEY")) {
      return `holds a private key (${which}); certificates are all that is needed, and the key must count as known to others now`;
    }
    if (label !== "CERTIFICATE") return `${which} is a ${label}; only CERTIFICATE is allowed`;
    if (!isCertificate(block)) return `${which} is no certificate that can be read (X.509, PEM)`;
  }
  if (text.replaceAll(BLOCK, "").includes("-----")) return "holds a block that is not whole (PEM)";
  return blocks.length === 0
    ? "holds no certificate (PEM, -----BEGIN CERTIFICATE-----)"
    : undefined;
}

function isCertificate(block: string): boolean {
  try {
    void new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}
