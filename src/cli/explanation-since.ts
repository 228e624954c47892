import { own } from "../api/fields.ts";
import { wantedText } from "../api/wanted.ts";
import { modelNameOf } from "../api/stored-spec.ts";
import { builtDigest, type ModelVersion } from "../api/modelversion.ts";
import { resolve } from "../inject/resolution.ts";
import type { ServedModel } from "../inject/serving-status.ts";
import { controllerOf } from "../jobs/owner.ts";
import { shortDigest } from "./explanation-has.ts";
import { isUnread, type Line, type PodFacts } from "./pod-facts.ts";

/** What became of the models since the pod got them: newer versions, above all. */
export function explainChanges(facts: PodFacts): readonly Line[] {
  if (isUnread(facts, "modelversions", "models")) return [];
  return (facts.status?.models ?? []).flatMap((model) =>
    model.digest === undefined ? [] : changesOf(model, facts).map((text): Line => ["Since", text]),
  );
}

function changesOf(model: ServedModel, { snapshot, pod }: PodFacts): readonly string[] {
  const { wanted, modelVersion = "", digest } = model;
  const { versions, models } = snapshot;
  const version = own(versions, modelVersion);
  const image = imageChange(modelVersion, version, digest);
  if ("modelVersion" in wanted) {
    const name = version === undefined ? undefined : modelNameOf(version);
    const latest =
      name === undefined ? undefined : models[name]?.status?.latestVersion?.modelVersion;
    return latest === undefined || latest === modelVersion
      ? image
      : [
          ...image,
          `the latest version of Model ${name} is ModelVersion ${latest}; the pod asks for its version by name`,
        ];
  }
  const current = resolve(wanted, { versions, models, siblings: [] });
  if (current.state !== "built" || current.name === modelVersion) return image;
  const owner = controllerOf(pod);
  const keep =
    owner === undefined
      ? "a new pod gets that one"
      : `pods that ${owner.kind} ${owner.name} makes from this template keep ${modelVersion} until the next rollout`;
  return [...image, `${wantedText(wanted)} is ModelVersion ${current.name} now; ${keep}`];
}

function imageChange(
  name: string,
  version: ModelVersion | undefined,
  digest: string | undefined,
): readonly string[] {
  if (version === undefined) return [`ModelVersion ${name} is gone; the pod keeps what it has`];
  const now = builtDigest(version);
  if (now === digest) return [];
  const image = now === undefined ? "not built yet" : `${shortDigest(now)} now`;
  return [`ModelVersion ${name} was made anew, and its image is ${image}`];
}
