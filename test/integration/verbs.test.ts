import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import { IMMUTABLE } from "../../src/api/modelversion.ts";
import { answer } from "./answer.ts";
import { read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

let plane: ControlPlane;
let modelhook: RunningModelhook;
beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(CLAIM));
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

const CLAIM = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "models" },
  spec: {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "",
    resources: { requests: { storage: "1Gi" } },
  },
};

const STORAGE = { persistentVolumeClaim: { claimName: "models" } };
const TWO = { ...STORAGE, nfs: { server: "files.test", path: "/models" } };
const TYPES = "allowed: localStorage, nfs, AWSEfs, persistentVolumeClaim";

interface Kind {
  readonly kind: string;
  readonly right: object;
  /** Another right spec, as a merge patch of the first. */
  readonly other: object;
  readonly wrong: object;
  readonly fault: string;
  /** What is said when it becomes wrong, where that is something else. */
  readonly changeFault?: string;
  /** What is said besides of what is right. */
  readonly warning?: string;
}

const KINDS: readonly Kind[] = [
  {
    kind: "ModelVersion",
    right: { modelName: "digits", imageRepo: "registry.test/digits", storage: STORAGE },
    other: { createdBy: "somebody else" },
    wrong: { storage: TWO },
    fault: `spec.storage: exactly one storage type is allowed, found nfs and persistentVolumeClaim; ${TYPES}`,
    // Its build begins as soon as it is made.
    changeFault: `spec.storage: can not change: ${IMMUTABLE}`,
  },
  {
    kind: "Model",
    right: { description: "reads digits" },
    other: { retention: { keepLast: 3 } },
    wrong: { retention: { keepLast: 0 } },
    fault: "spec.retention.keepLast: 0 must be at least 1",
  },
  {
    kind: "ModelBinding",
    right: { selector: { matchLabels: { app: "digits" } }, serve: { modelVersion: "digits-1" } },
    other: { serve: { mountPath: "/models" } },
    wrong: { serve: { model: "digits" } },
    fault: "spec.serve: exactly one of modelVersion and model is allowed, found both",
    warning:
      "Warning: has no effect until namespace default has the label model.kubedl.io/injection=enabled\n",
  },
];

/** How a changed manifest is handed over. */
const COMMANDS: readonly (readonly string[])[] = [
  ["apply"],
  ["apply", "--server-side", "--force-conflicts"],
  ["replace"],
  ["apply", "--dry-run=server"],
  ["replace", "--dry-run=server"],
];

describe.each(KINDS)("a $kind", (each) => {
  const { kind, right, other, wrong, fault, changeFault = fault, warning = "" } = each;
  const name = `by-${kind.toLowerCase()}`;
  const object = (spec: object) => ({
    apiVersion: "model.kubedl.io/v1alpha1",
    kind,
    metadata: { name },
    spec: merged(right, spec),
  });
  const resource = `${kind.toLowerCase()}.model.kubedl.io/${name}`;
  const specNow = async (): Promise<unknown> =>
    (await read<KubeObject & { spec?: unknown }>(plane, kind, name))?.spec;
  const invalid = (because: string): string => `The ${kind} "${name}" is invalid: ${because}`;

  test.each([["create"], ["create", "--dry-run=server"], ["apply"], ["apply", "--server-side"]])(
    "that is wrong is refused by kubectl %s %s",
    async (...command) => {
      expect(await answer(plane, object(wrong), command)).toBe(invalid(fault));
      expect(await specNow()).toBeUndefined();
    },
  );

  test("that is right is made", async () => {
    expect(await answer(plane, object({}), ["apply"])).toMatch(
      warning === "" ? `${resource} created` : warning.trim(),
    );
    expect(await specNow()).toMatchObject(right);
  });

  test.each(COMMANDS)("that becomes wrong is refused by kubectl %s %s %s", async (...command) => {
    const before = await specNow();
    expect(await answer(plane, object(wrong), command.filter(Boolean))).toContain(changeFault);
    expect(await specNow()).toEqual(before);
  });

  test.each([["--type=merge"], ["--type=merge", "--dry-run=server"]])(
    "that becomes wrong is refused by kubectl patch %s %s",
    async (...flags) => {
      const patch = ["--patch", JSON.stringify({ spec: wrong })];
      const command = ["patch", kind, name, ...flags.filter(Boolean), ...patch];
      await expect(plane.kubectl(command)).rejects.toThrow(changeFault);
    },
  );

  test.each(COMMANDS)("that stays right is taken by kubectl %s %s %s", async (...command) => {
    const said = await answer(plane, object(other), command.filter(Boolean));
    expect(said).not.toContain("invalid");
  });

  test("is patched by kubectl patch", async () => {
    const patch = ["--type=merge", "--patch", JSON.stringify({ spec: other })];
    await plane.kubectl(["patch", kind, name, ...patch]);
    expect(await specNow()).toMatchObject(merged(right, other));
  });

  test("whose manifest is applied again is not changed", async () => {
    await answer(plane, object(other), ["apply"]);
    const before = await read<KubeObject>(plane, kind, name);
    expect(await answer(plane, object(other), ["apply"])).toBe(`${resource} unchanged`);
    const after = await read<KubeObject>(plane, kind, name);
    expect(after?.metadata?.generation).toBe(before?.metadata?.generation);
  });
});

/** A JSON merge patch without deletions, as deep as these specs are. */
function merged(target: object, patch: object): object {
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const before = result[key];
    result[key] = isMap(before) && isMap(value) ? { ...before, ...value } : value;
  }
  return result;
}

function isMap(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
