import { LABELS } from "../../../src/api/annotations.ts";
import type { Job, Pod } from "../../../src/api/kube-types.ts";
import type { Model } from "../../../src/api/model.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import { resources } from "../../../src/kube/resources.ts";
import { startWatching, type Observer } from "../watching.ts";
import { createRecorder, type History } from "./history.ts";

/** Follows the versions and models of a namespace, and the Jobs and pods of builds, and remembers them all. */
export async function observe(
  kubeconfigPath: string,
  namespace: string,
): Promise<Observer<History>> {
  const watching = await startWatching(kubeconfigPath, namespace);
  const history = createRecorder(watching.seconds);
  const ofBuilds = { labelSelector: LABELS.versionUid };
  watching.follow<ModelVersion>(resources.modelversions, {}, (change) => history.version(change));
  watching.follow<Model>(resources.models, {}, (change) => history.model(change));
  watching.follow<Job>(resources.jobs, ofBuilds, (change) => history.job(change));
  watching.follow<Pod>(resources.pods, ofBuilds, (change) => history.pod(change));
  await watching.synced();
  return { ...watching, history };
}
