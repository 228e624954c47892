import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import { connect, type ApiServer } from "../../src/kube/client.ts";
import { ApiError } from "../../src/kube/errors.ts";
import { apiVersionOf } from "../../src/api/api-version.ts";
import { resources, type Resource } from "../../src/kube/resources.ts";
import { create, jsonPatch, patchStatus, remove } from "../../src/kube/write.ts";
import { BINDING_CASES } from "../policy/bindings.ts";
import { MODEL_CASES } from "../policy/models.ts";
import {
  bareFault,
  LIMITS,
  NAMESPACE,
  type Manifest,
  type PolicyCase,
} from "../policy/policy-case.ts";
import { VERSION_CASES } from "../policy/versions.ts";
import { eventually } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const PROBE = { metadata: { name: "probe", namespace: NAMESPACE } };

const CASES = [...VERSION_CASES, ...MODEL_CASES, ...BINDING_CASES];

let plane: ControlPlane;
let api: ApiServer;
beforeAll(async () => {
  plane = await startPlane();
  api = await connect({ kubeconfigPath: plane.kubeconfig });
  await create(api, resources.namespaces, { metadata: { name: NAMESPACE } });
});
afterAll(async () => {
  await api?.close();
  await plane?.stop();
});

/** The cases by the limits that they need, the usual ones first. */
const BY_LIMITS = Map.groupBy(CASES, ({ limits = {} }) => JSON.stringify(limits));

describe.each([...BY_LIMITS])("with limits %s, while the webhook runs,", (limits, cases) => {
  let modelhook: RunningModelhook;
  beforeAll(async () => {
    const own = JSON.parse(limits) as PolicyCase["limits"];
    modelhook = await startModelhook(plane, { limits: { ...LIMITS, ...own } });
    // The API server calls the one before until this one leads.
    await eventually("it is called", async () =>
      create(api, resources.models, PROBE, { dryRun: true }),
    );
  });
  afterAll(async () => modelhook?.stop());

  test.each(cases.map((each) => [each.manifest.kind, each.has, each] as const))(
    "a %s with %s",
    async (_kind, _has, each) => {
      expect(await answerTo(each)).toEqual(each.fault === undefined ? "accepted" : [each.fault]);
    },
  );
});

describe("while no webhook runs,", () => {
  beforeAll(async () => {
    const kinds = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
    await plane.kubectl(["delete", kinds, "modelhook"]);
  });

  test.each(CASES.map((each) => [each.manifest.kind, each.has, each] as const))(
    "a %s with %s",
    async (_kind, _has, each) => {
      const fault = each.fault === undefined ? null : bareFault(each);
      // Besides it, the API server may say that it looked no further.
      expect([await answerTo(each)].flat()).toContain(fault ?? "accepted");
    },
  );
});

/** `accepted` when the spec comes back as it was written, else every fault as `field: message`. */
async function answerTo({ manifest, stored }: PolicyCase): Promise<unknown> {
  const resource = resourceOf(manifest);
  const ref = manifest.metadata;
  if (stored !== undefined) await store(resource, stored);
  try {
    const accepted = await (stored === undefined
      ? create<Stored>(api, resource, manifest, { dryRun: true })
      : jsonPatch<Stored>(
          api,
          resource,
          ref,
          [{ op: "add", path: "/spec", value: manifest.spec }],
          { dryRun: true },
        ));
    return comparable(accepted.spec) === comparable(manifest.spec) ? "accepted" : accepted.spec;
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "Invalid") throw error;
    const { causes = [] } = error.details;
    return causes
      .filter(({ reason = "" }) => reason.startsWith("FieldValue"))
      .map(({ field = "", message = "" }) => `${field}: ${message}`);
  } finally {
    if (stored !== undefined) await discard(resource, ref);
  }
}

/** A spec as bytes, whatever the order of its keys; who made it aside, which is filled in where nothing is said. */
function comparable(spec: unknown): string {
  return JSON.stringify(spec, (key, value: unknown) => {
    if (key === "createdBy") return undefined;
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
    return isMap
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  });
}

interface Stored extends KubeObject {
  readonly spec?: unknown;
}

async function store(
  resource: Resource,
  { status, ...object }: NonNullable<PolicyCase["stored"]>,
): Promise<void> {
  await create(api, resource, object as KubeObject);
  if (status !== undefined) await patchStatus(api, resource, object.metadata, status);
}

/** Whatever the controller has made of it meanwhile. */
async function discard(resource: Resource, ref: Manifest["metadata"]): Promise<void> {
  await remove(api, resource, ref);
  const name = ["--namespace", ref.namespace, "modelversion", ref.name];
  await plane.kubectl(["wait", "--for=delete", ...name, "--timeout=30s"]);
}

function resourceOf({ apiVersion, kind }: Manifest): Resource {
  const found = Object.values<Resource>(resources).find(
    (each) => each.kind === kind && apiVersionOf(each) === apiVersion,
  );
  if (found === undefined) throw new Error(`no resource of kind ${kind}`);
  return found;
}
