import { expect, test } from "vitest";
import { emitEvent } from "../../src/controller/events.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import { listAll } from "../../src/kube/list.ts";
import { resources } from "../../src/kube/resources.ts";
import type { Action } from "../../src/reconcile/action.ts";
import { useCluster } from "./kube/cluster.ts";

const cluster = useCluster();

const NOW = Date.UTC(2024, 0, 1);

interface LiveEvent extends KubeObject {
  readonly note?: string;
  readonly series?: { readonly count: number };
}

test.each([
  ["short", "web", "waits for ModelVersion mnist-v1"],
  ["as long as can be", `${"a".repeat(199)}.${"b".repeat(53)}`, "模".repeat(2000)],
])(
  "the API server takes and counts Events of which name and text are %s",
  async (_, name, message) => {
    const namespace = await cluster.makeNamespace();
    const action: Extract<Action, { type: "event" }> = {
      type: "event",
      ref: { apiVersion: "v1", kind: "Pod", namespace, name, uid: "1" },
      kind: "Warning",
      reason: "ModelNotFound",
      message,
    };
    for (let times = 0; times < 3; times++) {
      await emitEvent(cluster.api, action, "i".repeat(200), NOW + times * 1000);
    }
    const { items } = await listAll<LiveEvent>(cluster.api, resources.events, { namespace });
    expect(items).toMatchObject([{ regarding: { name }, series: { count: 3 } }]);
    expect(message.startsWith(items[0]?.note?.replace(/…$/, "") ?? "-")).toBe(true);
  },
);
