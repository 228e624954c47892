import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Access } from "./kubeconfig.ts";

const POLL_MS = 50;

/** Something that is waited for. */
export interface Awaited {
  /** What is not so yet, as the sentence "<what> within 30 s" needs it. */
  readonly what: string;
  /** True when it is so; throws when it can never be. */
  readonly check: () => boolean | Promise<boolean>;
  readonly timeoutMs: number;
  /** Log file whose last lines say why it is not so. */
  readonly log?: string;
  readonly signal?: AbortSignal | undefined;
  /** Adds to the error what was last seen. */
  readonly detail?: () => string;
}

/** Waits until the check holds; the error after the time-out carries the end of the log. */
export async function waitUntil(awaited: Awaited): Promise<void> {
  const deadline = performance.now() + awaited.timeoutMs;
  while (!(await awaited.check())) {
    awaited.signal?.throwIfAborted();
    if (performance.now() > deadline) {
      const tail = awaited.log === undefined ? "" : await tailOf(awaited.log);
      const detail = awaited.detail === undefined ? "" : `: ${awaited.detail()}`;
      throw new Error(`${awaited.what} within ${awaited.timeoutMs / 1000} s${detail}${tail}`);
    }
    await sleep(POLL_MS);
  }
}

/** The last lines of a log under its name, for the end of an error message. */
export async function tailOf(log: string, lines = 12): Promise<string> {
  const content = await readFile(log, "utf8").catch(() => "");
  const tail = content.trimEnd().split("\n").slice(-lines).join("\n");
  return tail === "" ? `\n${log} is empty` : `\nThe end of ${log}:\n${tail}`;
}

/** The status and body of a GET to the API server as that client; undefined when it cannot be reached. */
export async function getFromApi(
  access: Access,
  path: string,
): Promise<{ status: number; body: string } | undefined> {
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
        text(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, body }),
          () => resolve(undefined),
        );
      },
    );
    sent.once("timeout", () => sent.destroy());
    sent.once("error", () => resolve(undefined));
    sent.end();
  });
}

/** Whether the API server answers GET `path` with 200. */
export async function apiServerAnswers(access: Access, path: string): Promise<boolean> {
  return (await getFromApi(access, path))?.status === 200;
}

/** Whether a plain HTTP server answers GET with 200. */
export async function httpAnswers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.ok,
    () => false,
  );
}
