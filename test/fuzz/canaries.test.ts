import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { decide } from "../../src/admission/decide.ts";
import { deny, patch } from "../../src/admission/decision.ts";
import type { PatchOperation } from "../../src/api/review.ts";
import { createHandler, type Answer } from "../../src/webhook/handler.ts";
import { makeSnapshot } from "../make/snapshot.ts";
import { runCampaign } from "./campaign.ts";
import type { Outcome } from "./outcome.ts";
import type { Parts } from "./server.ts";

async function run(broken: Partial<Parts>, count = 300): Promise<Outcome> {
  return runCampaign({ seed: 1, count }, { broken, process: new EventEmitter() });
}

function causesOf({ examples }: Outcome): string {
  return examples.map(({ cause }) => cause).join("\n");
}

test("the webhook as it is has no crash", async () => {
  expect(await run({})).toMatchObject({ crashes: 0, examples: [], sent: 300 });
});

/** Whatever is decided gets this patch, too. */
function patching(operations: () => readonly PatchOperation[]): Partial<Parts> {
  return { decide: () => patch("Injected", operations()) };
}

/** The handler whose answers are changed. */
function answering(change: (answer: Answer) => Answer): Partial<Parts> {
  return {
    createHandler: (options) => {
      const handle = createHandler(options);
      return async (call) => change(await handle(call));
    },
  };
}

function responding(change: object): Partial<Parts> {
  return answering((answer) => {
    if (answer.code !== 200) return answer;
    const response = { ...answer.review.response, ...change };
    return { ...answer, review: { ...answer.review, response } };
  });
}

let patches = 0;
let isSlow = true;
const kept: unknown[] = [];

describe("a crash is", () => {
  test.each<[string, RegExp, Partial<Parts>]>([
    ["a decision that throws", /status 500: .*Error: broken/, { decide: () => fail() }],
    [
      "a decision that throws where all is let through",
      /it is let through all the same: Error: broken/,
      {
        decide: (request, snapshot) =>
          request.operation === "DELETE" ? fail() : decide(request, snapshot),
      },
    ],
    ["gathering that rejects", /status 500: .*Error: broken/, { gather: async () => fail() }],
    [
      "a handler that rejects",
      /HTTP 500: internal error/,
      { createHandler: () => async () => fail() },
    ],
    [
      "a patch that does not apply",
      /a patch that does not apply/,
      patching(() => [{ op: "replace", path: "/no/such/place", value: 1 }]),
    ],
    [
      "a patch that is made again",
      /patched once more/,
      patching(() => [{ op: "add", path: "/metadata", value: { name: String(patches++) } }]),
    ],
    [
      "a denial of what was patched",
      /sent again, is denied/,
      {
        decide: ({ object }) =>
          object?.kind === "Patched"
            ? deny("InvalidObject", [{ field: "kind", message: "is wrong" }])
            : patch("Injected", [{ op: "add", path: "/kind", value: "Patched" }]),
      },
    ],
    ["another UID", /uid 7, expected/, responding({ uid: "7" })],
    ["an answer that is neither yes nor no", /allowed is no boolean/, responding({ allowed: 1 })],
    ["a warning with a control character", /control character/, responding({ warnings: ["a\0"] })],
    ["a long warning", /a warning of 257 characters/, responding({ warnings: ["é".repeat(257)] })],
    ["a patch that is no base64", /is not base64/, responding({ allowed: true, patch: "?" })],
    ["HTTP 400 for a review", /HTTP 400 for a review/, answering(() => ({ code: 400, text: "x" }))],
    [
      "a decision that takes long",
      /it took \d+ ms of the processor/,
      {
        decide(request, snapshot) {
          if (isSlow) spend(2100);
          isSlow = false;
          return decide(request, snapshot);
        },
      },
    ],
    [
      "memory that grows",
      /MiB more are in use than after the warm-up/,
      {
        gather: async () => {
          kept.push(Array.from({ length: 20_000 }, (_, index) => index));
          return makeSnapshot();
        },
      },
    ],
  ])("%s", { timeout: 120_000 }, async (_name, cause, broken) => {
    const outcome = await run(broken);
    expect(outcome.crashes).toBeGreaterThan(0);
    expect(causesOf(outcome)).toMatch(cause);
  });

  test("an error that nobody caught", async () => {
    const process = new EventEmitter();
    const outcome = await runCampaign(
      { seed: 1, count: 20 },
      {
        process,
        broken: {
          decide(request, snapshot) {
            process.emit("unhandledRejection", new Error("lost"));
            return decide(request, snapshot);
          },
        },
      },
    );
    expect(causesOf(outcome)).toContain("uncaught: Error: lost");
  });
});

function fail(): never {
  throw new Error("broken");
}

function spend(milliseconds: number): void {
  const before = process.threadCpuUsage();
  while (process.threadCpuUsage(before).user < milliseconds * 1000);
}
