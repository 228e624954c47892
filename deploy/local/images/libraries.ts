import { run } from "../command.ts";
import type { Entry } from "./layer.ts";

/** The shared libraries of this machine that a program needs, at the same paths; none for a static program. */
export async function librariesOf(program: string): Promise<Entry[]> {
  const listed = await run("ldd", [program]).catch((error: unknown) => {
    if (String(error).includes("not a dynamic executable")) return "";
    throw error;
  });
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => {
    const library = path as string;
    return { path: library.slice(1), copyOf: library, mode: 0o755 };
  });
}
