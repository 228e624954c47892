import type { ControlPlane } from "../../deploy/local/control-plane.ts";

/** What kubectl prints when it is handed an object: first the warnings, then what it did or why the API server refused. */
export async function answer(
  plane: ControlPlane,
  object: object,
  command: readonly string[] = ["create"],
): Promise<string> {
  try {
    // Otherwise warnings would be lost: they go to standard error.
    const args = [...command, "--warnings-as-errors", "--filename", "-"];
    return (await plane.kubectl(args, JSON.stringify(object))).trim();
  } catch (error) {
    const { message } = error as Error;
    return message
      .slice(message.indexOf(" ended with "))
      .replace(/^ ended with \d+: /, "")
      .replace(/\nerror: \d+ warnings? received$/, "");
  }
}

/** How kubectl prints a denial of ours for a pod or a job. */
export function denial(webhook: "pods" | "jobs", text: string): string {
  return `Error from server (Forbidden): error when creating "STDIN": admission webhook "${webhook}.modelhook.kubedl.io" denied the request: ${text}`;
}
