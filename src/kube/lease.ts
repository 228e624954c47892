import type { KubeObject } from "../api/kube-types.ts";
import { formatMicroTime } from "../api/time.ts";
import type { ApiServer } from "./client.ts";
import { resources } from "./resources.ts";
import { create, find, update } from "./write.ts";

/** Who takes part under which name, and for how long a lease binds the others. */
export interface LeaseOptions {
  readonly api: ApiServer;
  readonly namespace: string;
  readonly name: string;
  /** Must be unique among all processes that ever lived. */
  readonly holder: string;
  readonly leaseDurationMs: number;
}

/** A lease as one candidate sees it. Times are this process' monotonic clock; the lease's own times are for people. */
export interface LeaseClient {
  /**
   * Takes or renews the lease: true when it is ours, false while another holds it. Throws when nobody can say,
   * as after a lost connection or when another candidate wrote at the same moment (isConflict, isAlreadyExists).
   */
  hold(signal: AbortSignal): Promise<boolean>;
  /** Gives the lease away if it is ours, so that the next leader need not wait for its end. */
  release(signal: AbortSignal): Promise<void>;
}

/** The part of a coordination.k8s.io/v1 Lease that elections use. */
interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** Speaks for one candidate; remembers what it saw of the lease and when. */
export function createLeaseClient(options: LeaseOptions): LeaseClient {
  const { api, namespace, name, holder } = options;
  let seen: { version: string | undefined; holder: string; untilMs: number } | undefined;

  async function read(signal: AbortSignal): Promise<Lease | undefined> {
    return find<Lease>(api, resources.leases, { namespace, name }, { signal });
  }

  /** A lease that was deleted still binds for as long as it was seen to: its holder may not know yet. */
  function isHeldByAnother(lease: Lease | undefined): boolean {
    const version = lease?.metadata?.resourceVersion;
    if (lease !== undefined && version !== seen?.version) {
      const lifetimeMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
      seen = {
        version,
        holder: lease.spec?.holderIdentity ?? "",
        untilMs: performance.now() + lifetimeMs,
      };
    }
    if (seen === undefined || seen.holder === "" || seen.holder === holder) return false;
    return performance.now() < seen.untilMs;
  }

  return {
    async hold(signal) {
      const lease = await read(signal);
      if (isHeldByAnother(lease)) return false;
      const now = formatMicroTime(Date.now());
      const isOurs = lease?.spec?.holderIdentity === holder;
      const spec = {
        ...lease?.spec,
        holderIdentity: holder,
        leaseDurationSeconds: Math.ceil(options.leaseDurationMs / 1000),
        renewTime: now,
        ...(isOurs
          ? {}
          : { acquireTime: now, leaseTransitions: (lease?.spec?.leaseTransitions ?? -1) + 1 }),
      };
      const metadata = lease?.metadata ?? { namespace, name };
      const write = lease === undefined ? create : update;
      await write<Lease>(api, resources.leases, { metadata, spec }, { signal });
      return true;
    },
    async release(signal) {
      const lease = await read(signal);
      if (lease?.spec?.holderIdentity !== holder) return;
      const { holderIdentity: _, ...spec } = lease.spec;
      await update<Lease>(api, resources.leases, { ...lease, spec }, { signal });
    },
  };
}
