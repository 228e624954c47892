import { join } from "node:path";
import { run } from "./command.ts";
import { PROGRAMS, type ProgramName } from "./programs.ts";

/** Where the files of a module lie, in the version that a program is compiled from; fetched if they were deleted. */
export async function directoryOfModule(program: ProgramName, module: string): Promise<string> {
  const cwd = join(import.meta.dirname, "go", PROGRAMS[program].group);
  const { Dir: directory } = JSON.parse(
    await run("go", ["mod", "download", "-json", module], { cwd }),
  ) as { Dir: string };
  return directory;
}
