import { describe, expect, test, vi } from "vitest";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { allow, deny, patch, type Decision } from "../admission/decision.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createHandler, type Call, type HandlerOptions } from "./handler.ts";

const request = {
  uid: "u-1",
  kind: { group: "", version: "v1", kind: "Pod" },
  operation: "CREATE",
  userInfo: { username: "alice" },
  namespace: "default",
  object: {
    metadata: { name: "web" },
    spec: { containers: [{ name: "server", env: [{ name: "PASSWORD", value: "hunter2" }] }] },
  },
};

const snapshot = makeSnapshot();

function callOf(change: object = {}, call: Partial<Call> = {}): Call {
  const review = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { ...request, ...change },
  };
  return {
    body: Buffer.from(JSON.stringify(review)),
    signal: new AbortController().signal,
    ...call,
  };
}

/** A handler, what it logged, and one sample of its metrics. */
function makeHandler(parts: Partial<HandlerOptions> = {}) {
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics();
  const handle = createHandler({
    endpoint: "mutate",
    gather: async () => snapshot,
    decide: () => allow("NothingAsked"),
    metrics,
    log: createLogger({
      level: "info",
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    ...parts,
  });
  const counted = async (): Promise<readonly string[]> => {
    const { text } = await metrics.expose();
    return text
      .split("\n")
      .filter((line) => line.startsWith("modelhook_admission_requests_total{"));
  };
  return { handle, lines, counted };
}

test("a request is gathered for, decided on and answered", async () => {
  const gather = vi.fn<HandlerOptions["gather"]>(async () => ({ ...snapshot, now: 7 }));
  const decide = vi.fn<HandlerOptions["decide"]>(() =>
    patch("Injected", [{ op: "remove", path: "/x" }]),
  );
  const { handle } = makeHandler({ gather, decide });
  const call = callOf();
  const answer = await handle(call);
  expect(answer).toMatchObject({
    code: 200,
    review: { response: { uid: "u-1", allowed: true, patchType: "JSONPatch" } },
  });
  expect(gather).toHaveBeenCalledWith(request, call.signal);
  expect(decide).toHaveBeenCalledWith(request, { ...snapshot, now: 7 });
});

test("the validating endpoint answers without patch", async () => {
  const { handle } = makeHandler({
    endpoint: "validate",
    decide: () => patch("Defaulted", [{ op: "remove", path: "/x" }]),
  });
  const answer = await handle(callOf());
  expect(answer).not.toHaveProperty("review.response.patch");
});

describe("what fails inside is a denial with the request's uid", () => {
  const failures: readonly [string, Partial<HandlerOptions>][] = [
    ["a decision that throws", { decide: () => fail("no such thing") }],
    ["a decision that is none", { decide: () => undefined as unknown as Decision }],
    ["gathering that rejects", { gather: async () => fail("no such thing") }],
    [
      "a snapshot too deep to print",
      { decide: () => patch("Injected", [{ op: "add", path: "/x", value: deep() }]) },
    ],
  ];

  test.each(failures)("%s", async (_name, parts) => {
    const { handle, lines, counted } = makeHandler(parts);
    const answer = await handle(callOf());
    expect(answer).toMatchObject({
      code: 200,
      review: {
        response: { uid: "u-1", allowed: false, status: { code: 500, reason: "InternalError" } },
      },
    });
    // The text of the fault is for the log, not for whoever creates a pod.
    expect(JSON.stringify(answer)).not.toContain("no such thing");
    expect(lines).toEqual([expect.objectContaining({ level: "error", reason: "InternalError" })]);
    expect(lines[0]).toHaveProperty("err.stack");
    expect(await counted()).toEqual([expect.stringContaining('reason="InternalError"} 1')]);
  });
});

test("what fails inside holds up no deletion, and says so", async () => {
  const { handle, lines } = makeHandler({ gather: async () => fail("no such thing") });
  const oldObject = { metadata: { name: "digits" } };
  const answer = await handle(callOf({ operation: "DELETE", object: null, oldObject }));
  expect(answer).toMatchObject({
    review: {
      response: {
        uid: "u-1",
        allowed: true,
        warnings: ["modelhook could not decide; it is let through all the same"],
      },
    },
  });
  expect(JSON.stringify(answer)).not.toContain("no such thing");
  expect(lines).toEqual([
    expect.objectContaining({ level: "error", reason: "InternalError", name: "digits" }),
  ]);
});

test("what fails inside denies nothing that is only given hints", async () => {
  const { handle, lines, counted } = makeHandler({
    endpoint: "hint",
    gather: async () => fail("no such thing"),
  });
  expect(await handle(callOf())).toMatchObject({
    review: { response: { uid: "u-1", allowed: true, warnings: [expect.any(String)] } },
  });
  expect(await handle(callOf({ kind: null }))).toMatchObject({
    review: { response: { uid: "u-1", allowed: true } },
  });
  expect(lines.map(({ level, reason }) => `${String(level)} ${String(reason)}`)).toEqual([
    "error InternalError",
    "warn BadReview",
  ]);
  expect(await counted()).toEqual([
    expect.stringMatching(/allowed="true",reason="InternalError"/),
    expect.stringMatching(/allowed="true",reason="BadReview"/),
  ]);
});

describe("the time limit", () => {
  test("ends a request that is still gathered for, and says so", async () => {
    const controller = new AbortController();
    const { handle } = makeHandler({ gather: async () => new Promise<never>(() => {}) });
    const answer = handle(callOf({}, { signal: controller.signal }));
    controller.abort(new Error("there was no decision within 4500 ms"));
    expect(await answer).toMatchObject({
      review: {
        response: {
          allowed: false,
          status: {
            message:
              "modelhook could not decide: there was no decision within 4500 ms; try again, then look into its log for u-1",
          },
        },
      },
    });
  });

  test("that has passed before the body was here stops it at once", async () => {
    const gather = vi.fn<HandlerOptions["gather"]>(async () => fail("too late, too"));
    const { handle } = makeHandler({ gather });
    const answer = await handle(callOf({}, { signal: AbortSignal.abort(new Error("too late")) }));
    expect(answer).toHaveProperty("review.response.allowed", false);
    expect(gather).not.toHaveBeenCalled();
  });

  test("leaves no listener behind", async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    const { handle } = makeHandler();
    await handle(callOf({}, { signal }));
    expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(
      add.mock.calls.map(([, listener]) => listener),
    );
  });
});

describe("a bad review", () => {
  test("with a uid is denied, 400", async () => {
    const { handle, lines, counted } = makeHandler();
    expect(await handle(callOf({ operation: "GUESS" }))).toMatchObject({
      code: 200,
      review: { response: { uid: "u-1", allowed: false, status: { code: 400 } } },
    });
    expect(lines).toMatchObject([
      { level: "warn", uid: "u-1", fault: expect.stringContaining('request.operation is "GUESS"') },
    ]);
    expect(await counted()).toEqual([
      'modelhook_admission_requests_total{endpoint="mutate",kind="other",operation="unknown",allowed="false",reason="BadReview"} 1',
    ]);
  });

  test("without one is an HTTP error", async () => {
    const { handle } = makeHandler();
    const { signal } = callOf();
    expect(await handle({ body: Buffer.from("{"), signal })).toEqual({
      code: 400,
      text: expect.stringMatching(/^modelhook cannot answer: the body is not JSON: /),
    });
  });
});

describe("the log line", () => {
  test("names the request and its outcome", async () => {
    const { handle, lines } = makeHandler({
      decide: () => deny("MountConflict", [{ field: "spec", message: "taken" }]),
    });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await handle(callOf({}, { traceparent }));
    expect(lines).toEqual([
      {
        level: "info",
        time: expect.any(String),
        uid: "u-1",
        kind: "Pod",
        namespace: "default",
        name: "web",
        operation: "CREATE",
        traceparent,
        endpoint: "mutate",
        allowed: false,
        reason: "MountConflict",
        milliseconds: expect.any(Number),
        msg: "Answered",
      },
    ]);
  });

  test.each([
    ["the request's name", { name: "given" }, "given"],
    [
      "the generated name's start",
      { object: { ...request.object, metadata: { generateName: "web-" } } },
      "web-",
    ],
  ])("takes %s", async (_name, change, expected) => {
    const { handle, lines } = makeHandler();
    await handle(callOf(change));
    expect(lines[0]).toHaveProperty("name", expected);
  });

  test.each<[string, Partial<HandlerOptions>]>([
    ["an answer", {}],
    ["a failure", { decide: () => fail("broken") }],
  ])("of %s holds nothing of the object's content", async (_name, parts) => {
    const { handle, lines } = makeHandler(parts);
    await handle(callOf());
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain("hunter2");
  });
});

test("kinds that are not ours share one label", async () => {
  const { handle, counted } = makeHandler();
  const kinds = ["Made", "Up", "Model"].map((kind) => ({ group: "made.up", version: "v1", kind }));
  for (const kind of kinds) await handle(callOf({ kind }));
  for (const group of ["batch", "batch.volcano.sh"]) {
    const kind = { group, version: "v1", kind: "Job" };
    await handle(callOf({ kind, object: { metadata: {}, spec: { template: {} } } }));
  }
  await handle(callOf({ kind: { group: "apps", version: "v1", kind: "Deployment" } }));
  expect(await counted()).toEqual([
    expect.stringMatching(/kind="other",.*\} 3$/),
    expect.stringMatching(/kind="Job",.*\} 2$/),
    expect.stringMatching(/kind="Deployment",.*\} 1$/),
  ]);
});

function fail(message: string): never {
  throw new Error(message);
}

function deep(): unknown {
  return JSON.parse(`${"[".repeat(500_000)}${"]".repeat(500_000)}`);
}
