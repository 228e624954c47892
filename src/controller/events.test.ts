import { describe, expect, test } from "vitest";
import { isDnsSubdomain } from "../api/names.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { ApiServer } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import type { Action } from "../reconcile/action.ts";
import { emitEvent } from "./events.ts";

type EventAction = Extract<Action, { type: "event" }>;

const ACTION: EventAction = {
  type: "event",
  ref: { apiVersion: "v1", kind: "Pod", namespace: "team-a", name: "web", uid: "1" },
  kind: "Warning",
  reason: "ModelNotFound",
  message: "waits for ModelVersion mnist-v1, which does not exist",
};
const NOW = Date.UTC(2024, 0, 1);

interface WrittenEvent extends KubeObject {
  readonly note?: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** An API server that keeps Events: it creates, reads and merges patches. */
function makeEventServer() {
  const events = new Map<string, WrittenEvent>();
  const answer = (method: string, path: string, body: WrittenEvent): WrittenEvent => {
    const isCreation = method === "POST";
    const name = isCreation ? (body.metadata?.name ?? "") : (path.split("/").at(-1) ?? "");
    const before = events.get(name);
    if (isCreation === (before !== undefined)) {
      const [status, reason] = isCreation ? [409, "AlreadyExists"] : [404, "NotFound"];
      throw new ApiError({ status, reason, message: reason, details: {}, request: path });
    }
    const after = method === "GET" ? before : { ...before, ...body };
    events.set(name, after ?? {});
    return after ?? {};
  };
  const api: ApiServer = {
    url: "https://api.example",
    request: async <T>(method: string, path: string, options?: { readonly body?: unknown }) =>
      Promise.resolve(answer(method, path, (options?.body ?? {}) as WrittenEvent) as T),
    stream: async () => Promise.reject(new Error("Events are not watched")),
    close: async () => Promise.resolve(),
  };
  return { api, list: () => [...events.values()] };
}

async function emitted(...actions: readonly EventAction[]): Promise<readonly WrittenEvent[]> {
  const { api, list } = makeEventServer();
  for (const action of actions) await emitEvent(api, action, "modelhook-1", NOW);
  return list();
}

test("an Event says what happened to which object, and who says so", async () => {
  const [event] = await emitted(ACTION);
  expect(event).toEqual({
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: {
      name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) as unknown,
      namespace: "team-a",
    },
    action: "ModelNotFound",
    eventTime: "2024-01-01T00:00:00.000000Z",
    note: "waits for ModelVersion mnist-v1, which does not exist",
    reason: "ModelNotFound",
    regarding: { apiVersion: "v1", kind: "Pod", namespace: "team-a", name: "web", uid: "1" },
    reportingController: "modelhook",
    reportingInstance: "modelhook-1",
    type: "Warning",
  });
});

describe("the same words about the same object", () => {
  test("are one Event that is counted", async () => {
    const events = await emitted(ACTION, ACTION, ACTION);
    expect(events).toHaveLength(1);
    expect(events[0]?.series).toEqual({
      count: 3,
      lastObservedTime: "2024-01-01T00:00:00.000000Z",
    });
  });

  test.each<[string, Partial<EventAction>]>([
    ["another object", { ref: { ...ACTION.ref, uid: "2" } }],
    ["another reason", { reason: "ModelBuildFailed" }],
    ["other words", { message: "waits for ModelVersion mnist-v2, which does not exist" }],
  ])("are not those about %s", async (_, change) => {
    const events = await emitted(ACTION, { ...ACTION, ...change });
    expect(events.map(({ series }) => series)).toEqual([undefined, undefined]);
  });
});

describe("an Event fits the API", () => {
  test("about an object without a namespace", async () => {
    const ref = { apiVersion: "v1", kind: "PersistentVolume", name: "mh-1" };
    const [event] = await emitted({ ...ACTION, ref });
    expect(event).toMatchObject({ metadata: { namespace: "default" } });
    expect(event).toHaveProperty("regarding", ref);
  });

  test.each(["a".repeat(253), `${"a".repeat(199)}.${"b".repeat(50)}`])(
    "about an object with the long name %s",
    async (name) => {
      const [event] = await emitted({ ...ACTION, ref: { ...ACTION.ref, name } });
      expect(isDnsSubdomain(event?.metadata?.name ?? "")).toBe(true);
    },
  );

  test.each(["x", "é", "模", "🙂"])(
    "with a long text of %s, cut between characters",
    async (text) => {
      const [event] = await emitted({ ...ACTION, message: text.repeat(1025) });
      const note = event?.note ?? "";
      expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
      expect(Buffer.byteLength(note)).toBeGreaterThan(1016);
      expect(note).toBe(`${text.repeat((note.length - 1) / text.length)}…`);
    },
  );

  test("from a process with a long name", async () => {
    const { api, list } = makeEventServer();
    await emitEvent(api, ACTION, "i".repeat(253), NOW);
    expect(list()[0]).toMatchObject({ reportingInstance: "i".repeat(128) });
  });
});
