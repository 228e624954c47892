import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { issueAuthority, issueLeaf } from "../src/tls/issue.ts";
import { serviceNames } from "../src/tls/leaf.ts";

const DAY_MS = 86_400_000;
const USAGE = `usage: node certs/dev-certs.ts [--directory certs/dev] [--days 30] [name or address ...]

Makes an authority and a server certificate for development: tls.crt, tls.key and ca.crt.
Names default to localhost, 127.0.0.1, ::1 and those of the Service modelhook in modelhook-system.
The authority's key is thrown away, so nothing else can be signed by it.
`;

const { values, positionals } = parseArgs({
  options: {
    directory: { type: "string", default: join(import.meta.dirname, "dev") },
    days: { type: "string", default: "30" },
    help: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const days = Number(values.days);
const names =
  positionals.length > 0
    ? positionals
    : ["localhost", "127.0.0.1", "::1", ...serviceNames("modelhook", "modelhook-system")];

if (values.help || !(days > 0)) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  await writeCertificates(values.directory);
}

async function writeCertificates(directory: string): Promise<void> {
  const from = Date.now();
  const lifetime = { from, to: from + days * DAY_MS };
  const authority = await issueAuthority(lifetime);
  const leaf = await issueLeaf(authority, names, lifetime);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "ca.crt"), authority.cert);
  await writeFile(join(directory, "tls.crt"), leaf.cert);
  await writeFile(join(directory, "tls.key"), leaf.key, { mode: 0o600 });
  const place = relative(process.cwd(), directory) || ".";
  process.stdout.write(`${place}: tls.crt, tls.key, ca.crt for ${names.join(", ")}\n`);
}
