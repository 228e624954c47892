import { LABELS } from "../api/annotations.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import type { ApiServer } from "../kube/client.ts";
import { servedResources } from "../kube/discovery.ts";
import { ApiError, isForbidden, isNotFound } from "../kube/errors.ts";
import { listAll } from "../kube/list.ts";
import { searchedKinds, type SearchedKind } from "./uninstall-kinds.ts";
import type { UninstallObserved } from "./uninstall-plan.ts";
import { kindText } from "./uninstall-text.ts";

type ObservedJobs = Pick<UninstallObserved, "jobs" | "unread">;

/** Lists that are under way at once: a cluster may have hundreds of kinds. */
const AT_ONCE = 8;

/** Reads exporting jobs of the kinds of the table, and of all others that the API server serves; pods aside. */
export async function observeJobs(
  api: ApiServer,
  table: readonly JobKind[],
): Promise<ObservedJobs> {
  const unread: string[] = [];
  const served = await servedResources(api).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    unread.push(`kinds that the API server serves: ${error.message}`);
    return [];
  });
  const found = await forEach(searchedKinds(table, served), async (kind) => jobsOf(api, kind));
  return {
    jobs: found.flatMap(({ jobs }) => jobs),
    unread: [...unread, ...found.flatMap((each) => each.unread)],
  };
}

async function jobsOf(
  api: ApiServer,
  { resource, kind, isExpected }: SearchedKind,
): Promise<ObservedJobs> {
  const labelSelector = `${LABELS.export}=true`;
  // Only a kind of the table tells by the rest how a job stands.
  const metadataOnly = kind.outcome.succeeded.length + kind.outcome.failed.length === 0;
  try {
    const { items } = await listAll(api, resource, { labelSelector, metadataOnly });
    return { jobs: items.map((object) => ({ resource, object, kind })), unread: [] };
  } catch (error) {
    if (isNotFound(error) || (isForbidden(error) && !isExpected)) return { jobs: [], unread: [] };
    if (!(error instanceof ApiError)) throw error;
    return { jobs: [], unread: [`${kindText(resource)}: ${error.message}`] };
  }
}

/** What the work gives for each item, in their order. */
async function forEach<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  // All take from it.
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
