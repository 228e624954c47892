import { LABELS, MANAGED_BY } from "../api/annotations.ts";
import type {
  ConfigMap,
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../api/kube-types.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { BARE_POD, JOB_KINDS } from "../jobs/kinds.ts";
import type { ApiServer } from "../kube/client.ts";
import { ApiError, unlessAbsent } from "../kube/errors.ts";
import { listAll, type ListOptions } from "../kube/list.ts";
import { resources, type Resource } from "../kube/resources.ts";
import { get } from "../kube/write.ts";
import { LIMITS_NAME, limitsIn, readLimits } from "./limits-file.ts";
import { observeConfigurations, observeInstallation } from "./uninstall-installation.ts";
import { observeJobs } from "./uninstall-jobs.ts";
import type { UninstallObserved } from "./uninstall-plan.ts";
import { kindText } from "./uninstall-text.ts";

/** Reads what of modelhook is in a cluster. Throws ApiError where not even what runs of it can be read; what else can not be is noted. */
export async function observeUninstall(
  api: ApiServer,
  namespace: string,
): Promise<UninstallObserved> {
  const unread: string[] = [];
  const attempt = async <T>(what: string, reading: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await unlessAbsent(reading);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      unread.push(`${what}: ${error.message}`);
      return undefined;
    }
  };
  const list = async <T extends KubeObject>(
    resource: Resource,
    options: ListOptions<T>,
  ): Promise<readonly T[]> =>
    (await attempt(kindText(resource), async () => listAll<T>(api, resource, options)))?.items ??
    [];
  const podsWith = async (label: string): Promise<readonly Pod[]> =>
    list<Pod>(resources.pods, { labelSelector: `${label}=true`, pick: pickPod });

  async function readKinds(): Promise<readonly JobKind[]> {
    const ref = { namespace, name: LIMITS_NAME };
    const what = `ConfigMap ${namespace}/${LIMITS_NAME}, which may add kinds of jobs`;
    const read = async (): Promise<ConfigMap> => get(api, resources.configmaps, ref);
    // The API server leaves the kind out.
    const text = limitsIn({ ...(await attempt(what, read)), kind: "ConfigMap" });
    const limits = text === undefined ? undefined : readLimits(text, what);
    if (limits?.ok === false) unread.push(...limits.faults);
    return limits?.ok === true ? limits.policy.jobKinds : JOB_KINDS;
  }

  const installation = await observeInstallation(api, namespace);
  const configurations = await observeConfigurations(api);
  const exporting = await podsWith(LABELS.export);
  const gated = await podsWith(LABELS.gated);
  // A pod that was its own job may have got a controller since.
  const bare = exporting.map((object) => ({ resource: resources.pods, object, kind: BARE_POD }));
  const others = await observeJobs(api, await readKinds());
  unread.push(...others.unread);
  const ours = { labelSelector: `${MANAGED_BY}=modelhook` };
  return {
    installation,
    configurations,
    // An object may be served by several versions of its API.
    jobs: uniqueBy([...bare, ...others.jobs], ({ object }) => object.metadata?.uid),
    pods: uniqueBy([...exporting, ...gated], ({ metadata }) => metadata?.uid),
    builds: await list(resources.jobs, { labelSelector: LABELS.versionUid, metadataOnly: true }),
    versions: await list(resources.modelversions, { metadataOnly: true }),
    claims: await list<PersistentVolumeClaim>(resources.persistentvolumeclaims, ours),
    volumes: await list<PersistentVolume>(resources.persistentvolumes, ours),
    unread,
  };
}

/** What is read of a pod: there may be very many. */
function pickPod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
  const picked = {
    apiVersion,
    kind,
    metadata,
    spec: { schedulingGates: spec?.schedulingGates, volumes: spec?.volumes },
    status: { phase: status?.phase },
  };
  return picked as Pod;
}

function uniqueBy<T>(items: readonly T[], key: (item: T) => string | undefined): readonly T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}
