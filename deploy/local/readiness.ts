import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Access } from "./kubeconfig.ts";

/** Something that is waited for. */
export interface Awaited {
  /** What is not so yet, as the sentence "<what> within 30 s" needs it. */
  readonly what: string;
  /** True when it is so; throws when it can never be. */
  readonly check: () => boolean | Promise<boolean>;
  readonly timeoutMs: number;
  /** Log file whose last lines say why it is not so. */
  readonly log?: string;
  readonly everyMs?: number;
}

/** Waits until the check holds; the error after the time-out carries the end of the log. */
export async function waitUntil(awaited: Awaited): Promise<void> {
  const deadline = performance.now() + awaited.timeoutMs;
  while (!(await awaited.check())) {
    if (performance.now() > deadline) {
      const tail = awaited.log === undefined ? "" : await tailOf(awaited.log);
      throw new Error(`${awaited.what} within ${awaited.timeoutMs / 1000} s${tail}`);
    }
    await sleep(awaited.everyMs ?? 50);
  }
}

/** The last lines of a log under its name, for the end of an error message. */
export async function tailOf(log: string, lines = 12): Promise<string> {
  const content = await readFile(log, "utf8").catch(() => "");
  const tail = content.trimEnd().split("\n").slice(-lines).join("\n");
  return tail === "" ? `\n${log} is empty` : `\nThe end of ${log}:\n${tail}`;
}

/** Whether the API server answers GET `path` with 200 to that client; an unreachable server says no. */
export async function apiServerAnswers(access: Access, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(
      new URL(path, access.server),
      {
        ca: access.authority,
        cert: access.client.cert,
        key: access.client.key,
        agent: false,
        timeout: 2000,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    sent.once("timeout", () => sent.destroy());
    sent.once("error", () => resolve(false));
    sent.end();
  });
}
