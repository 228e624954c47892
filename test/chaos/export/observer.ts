import type { Job, KubeObject, Pod } from "../../../src/api/kube-types.ts";
import { resources } from "../../../src/kube/resources.ts";
import { startWatching, type Observer } from "../watching.ts";
import { createRecorder, type History } from "./history.ts";
import { RUN_LABEL } from "./training-job.ts";

/** An Event as far as it is read. */
interface CompletedEvent extends KubeObject {
  readonly regarding?: { readonly uid?: string };
}

/** Follows jobs, their pods and ModelVersions of a namespace, and remembers them all. */
export async function observe(
  kubeconfigPath: string,
  namespace: string,
): Promise<Observer<History>> {
  const watching = await startWatching(kubeconfigPath, namespace);
  const history = createRecorder(watching.seconds);
  watching.follow<Job>(resources.jobs, { labelSelector: RUN_LABEL }, (change) =>
    history.job(change),
  );
  watching.follow<Pod>(resources.pods, { labelSelector: RUN_LABEL }, (change) =>
    history.pod(change),
  );
  watching.follow<KubeObject>(resources.modelversions, {}, (change) => history.version(change));
  watching.follow<CompletedEvent>(
    resources.events,
    { fieldSelector: "reason=Completed" },
    ({ object }) => history.completedEvent(object.regarding?.uid ?? ""),
  );
  await watching.synced();
  return { ...watching, history };
}
