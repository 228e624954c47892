import type { Policy } from "../../src/admission/policy.ts";
import type { Rule } from "../../src/api/rules.ts";

/** A manifest as a user writes it; any JSON may stand in it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

/** One object, right or wrong in one thing. */
export interface PolicyCase {
  /** The rule that it keeps, or breaks. */
  readonly rule: Rule;
  /** What is special about it; the end of "a ModelVersion with …". */
  readonly has: string;
  readonly manifest: Manifest;
  /** What is stored under its name before, when it is an update. */
  readonly stored?: Manifest & { readonly status?: object };
  /** What the webhook says, `field: message`; allowed when absent. */
  readonly fault?: string | undefined;
  /** What the API server says without a webhook, `field: message`, where that is not the same in its own words; null when it lets it pass. */
  readonly bare?: string | null | undefined;
  /** Limits of the administrator other than `LIMITS`. */
  readonly limits?: Partial<Policy>;
}

/** Namespace of every object in the cases. */
export const NAMESPACE = "team-a";

/** What the administrator allows in the cases. */
export const LIMITS = {
  localPrefixes: { "*": ["/models", "/data/shared"] },
  nfsServers: ["nfs.test"],
  efsFileSystems: ["fs-1"],
  efsAttributes: ["encryptInTransit"],
  registries: { "*": ["registry.test", "docker.io/modelhub"] },
  baseImages: ["registry.test/busybox:1", "registry.test/cuda:12"],
  maxResources: { memory: "8Gi", cpu: "4" },
} as const satisfies Partial<Policy>;

/** A case about this manifest. */
export function policyCase(manifest: Manifest, about: Omit<PolicyCase, "manifest">): PolicyCase {
  return { manifest, ...about };
}

/** What the API server says of a text that a CEL rule refuses; it puts the text before the message that the webhook has, too. */
export function bareFault({ fault = "", bare }: PolicyCase): string | null {
  if (bare !== undefined) return bare;
  const [, field = "", value = "", wrong = ""] =
    /^(.*?): ("(?:[^"\\]|\\.)*") (.*)$/su.exec(fault) ?? [];
  return `${field}: Invalid value: ${value}: ${wrong}`;
}
