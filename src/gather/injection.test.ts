import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { makeBuiltVersion } from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { makePagedServer, type PagedServer } from "../../test/make/paged-server.ts";
import { makePod } from "../../test/make/pod.ts";
import { makePolicy } from "../../test/make/snapshot.ts";
import type { Limits } from "../admission/limits.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import { createAdmissionStores } from "./admission-stores.ts";
import { observeBinding, runningPods } from "./injection.ts";
import { createStores } from "./stores.ts";

const { signal } = new AbortController();
const VERSION = makeBuiltVersion();
const METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

const managed = makePod(({ metadata }) => void (metadata.managedFields = [{ manager: "kubectl" }]));

function limits(): Limits {
  return { policy: makePolicy() } as Limits;
}

async function observe(api: PagedServer, binding: ModelBinding) {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  stores.bindings.set(binding);
  stores.versions.set(VERSION);
  stores.namespaces.set({ metadata: { name: "team-a" } });
  return observeBinding({ api, stores, limits, now: () => 7 }, binding, signal);
}

describe("what is known of a binding", () => {
  test("are its model, its namespace, the other bindings and the running pods that it selects", async () => {
    const api = makePagedServer([[managed], [makePod()]]);
    const binding = makeBinding();
    expect(await observe(api, binding)).toEqual({
      now: 7,
      binding,
      bindings: [binding],
      injectionEnabled: true,
      systemNamespace: "modelhook-system",
      known: { models: {}, versions: { "mnist-v1": VERSION }, siblings: [] },
      pods: [makePod(), makePod()],
    });
    expect(api.asked[0]).toMatchObject({
      path: "/api/v1/namespaces/team-a/pods",
      accept: METADATA,
      query: { labelSelector: "app=web", fieldSelector: "status.phase=Running" },
    });
  });

  test("are no versions of one that exports, and its running pods too", async () => {
    const api = makePagedServer([[managed]]);
    const exporting = makeBinding((each) => {
      each.spec = { selector: each.spec.selector, export: makeExport() };
    });
    expect(await observe(api, exporting)).toMatchObject({
      pods: [makePod()],
      known: { versions: {} },
    });
  });
});

test("pods that run on Windows are not asked for", async () => {
  const { nodes } = createAdmissionStores();
  nodes.set(makeNode());
  for (const name of ["win-1", "win-2"]) {
    nodes.set(
      makeNode(({ metadata, status }) => {
        metadata.name = name;
        status.nodeInfo.operatingSystem = "windows";
      }),
    );
  }
  const api = makePagedServer([]);
  await runningPods(api, nodes, { signal }).next();
  expect(api.asked[0]).toMatchObject({
    path: "/api/v1/pods",
    query: { fieldSelector: "status.phase=Running,spec.nodeName!=win-1,spec.nodeName!=win-2" },
  });
});
