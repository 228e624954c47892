import { ANNOTATIONS, GATES, LABELS } from "../api/annotations.ts";
import type { Container, Pod } from "../api/kube-types.ts";
import { imageVolumesOf } from "../inject/image-volume.ts";
import { MODEL_VOLUME, NO_TOKEN_VOLUME, loadersOf } from "../inject/init-container.ts";

const OUR_LABELS: ReadonlySet<string> = new Set([LABELS.served, LABELS.gated]);

/**
 * The pod as it was before it got models, and before anybody placed it on a node: what a new one like it would come as. Variables
 * and pull secrets stay, since they may be the user's, and change nothing.
 */
export function withoutInjection(pod: Pod): Pod {
  const { metadata, spec } = pod;
  if (spec === undefined) return pod;
  const loaders = loadersOf(pod).map(({ container }) => container);
  const mounts = loaders.flatMap(({ volumeMounts }) => volumeMounts ?? []);
  const ours = new Set([
    ...(loaders.length > 0 ? [MODEL_VOLUME, NO_TOKEN_VOLUME] : []),
    // Models that are copied out of an image volume, which nobody else mounts.
    ...mounts.map(({ name }) => name).filter((name) => name.startsWith(MODEL_VOLUME)),
    ...imageVolumesOf(pod),
  ]);
  const without = (container: Container): Container => ({
    ...container,
    volumeMounts: (container.volumeMounts ?? []).filter(({ name }) => !ours.has(name)),
  });
  const { nodeName: _, ...unplaced } = spec;
  const { [ANNOTATIONS.status]: _status, ...annotations } = metadata?.annotations ?? {};
  const labels = Object.entries(metadata?.labels ?? {}).filter(([key]) => !OUR_LABELS.has(key));
  return {
    ...pod,
    metadata: { ...metadata, annotations, labels: Object.fromEntries(labels) },
    spec: {
      ...unplaced,
      containers: spec.containers.map(without),
      initContainers: (spec.initContainers ?? [])
        .filter((container) => !loaders.includes(container))
        .map(without),
      volumes: (spec.volumes ?? []).filter(({ name }) => !ours.has(name)),
      schedulingGates: (spec.schedulingGates ?? []).filter(({ name }) => name !== GATES.build),
    },
  };
}
