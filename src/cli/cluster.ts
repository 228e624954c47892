import { openApiServer, type ApiServer } from "../kube/client.ts";
import { kubeconfigCredentials } from "../kube/credentials.ts";
import { ApiError, ConnectionError } from "../kube/errors.ts";

/** The cluster that kubectl would talk to. */
export interface Cluster {
  readonly api: ApiServer;
  /** Namespace of what names none. */
  readonly namespace: string;
}

/** What was done in a cluster, or why it could not be. */
export type InCluster<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

/** Works in the cluster of a context, of the current one where none is named. */
export async function inCluster<T>(
  context: string | undefined,
  work: (cluster: Cluster) => Promise<T>,
): Promise<InCluster<T>> {
  const opened = await open(context);
  if (!opened.ok) return opened;
  const { api } = opened.value;
  try {
    return { ok: true, value: await work(opened.value) };
  } catch (error) {
    if (error instanceof ConnectionError) {
      return { ok: false, message: `${api.url} does not answer: ${error.message}` };
    }
    if (error instanceof ApiError) {
      return { ok: false, message: `${api.url} refuses ${error.request}: ${error.message}` };
    }
    throw error;
  } finally {
    await api.close();
  }
}

/** A kubeconfig has so many ways to be wrong that each of its errors counts as one of the user. */
async function open(context: string | undefined): Promise<InCluster<Cluster>> {
  try {
    const credentials = await kubeconfigCredentials(context === undefined ? {} : { context });
    const namespace = credentials.namespace || "default";
    return { ok: true, value: { api: openApiServer(credentials), namespace } };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  }
}
