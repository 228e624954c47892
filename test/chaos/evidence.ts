import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Line } from "./notes.ts";
import type { Verdict } from "./verdict.ts";
import type { World } from "./world.ts";

/** The logs of all replicas that there were, as far as the kubelet still has them. */
const LOGS = "cat /var/log/pods/modelhook-system_*/*/*.log 2>/dev/null; true";

/** Keeps what tells why a campaign went wrong: what was seen of each run with a problem, and the product's logs; gives the directory. */
export async function saveEvidence(
  { cluster }: World,
  lines: readonly Line[],
  { problems }: Verdict,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "modelhook-chaos-"));
  const names = new Set(problems.map(({ run }) => run).filter((name) => name !== ""));
  for (const name of names) {
    const own = lines.filter((line) => line.name === name).map(({ text }) => `${text}\n`);
    await writeFile(join(directory, `${name}.txt`), own.join(""));
  }
  const all = lines.map(({ name, text }) => `${text} [${name}]\n`).join("");
  await writeFile(join(directory, "all.txt"), all);
  await writeFile(join(directory, "modelhook.log"), await cluster.enter(["/bin/sh", "-c", LOGS]));
  return directory;
}
