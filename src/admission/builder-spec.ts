import { notAllowed } from "../api/allow-list.ts";
import { own } from "../api/fields.ts";
import { NOT_IMAGE, parseImageRef } from "../api/image-ref.ts";
import { NOT_SECRET, type ModelVersionSpec } from "../api/modelversion.ts";
import { isDnsSubdomain } from "../api/names.ts";
import type { Cause } from "../api/review.ts";
import { show } from "../api/schema-faults.ts";
import { compareQuantities } from "../api/quantity.ts";
import { resourceFaults } from "../inject/resource-faults.ts";
import type { VersionLimits } from "./policy.ts";

type Builder = NonNullable<ModelVersionSpec["builder"]>;

/** Every fault of what is there of a spec's `builder`, the types of which are right; `field` is its JSON path. */
export function validateBuilder(
  builder: Partial<Builder>,
  field: string,
  limits: VersionLimits,
): readonly Cause[] {
  const { engine, baseImage, pushSecret, resources } = builder;
  return [
    ...(engine === undefined
      ? []
      : notAllowed(engine, limits.engines, `${field}.engine`, {
          rule: "EngineAllowed",
          setting: "build.allowedEngines",
        })),
    ...(baseImage === undefined ? [] : validateBaseImage(baseImage, `${field}.baseImage`, limits)),
    ...(pushSecret === undefined || isDnsSubdomain(pushSecret.name)
      ? []
      : [
          {
            rule: "PushSecretName" as const,
            field: `${field}.pushSecret.name`,
            message: `${show(pushSecret.name)} ${NOT_SECRET}`,
          },
        ]),
    ...validateResources(resources ?? {}, `${field}.resources`, limits),
  ];
}

function validateBaseImage(
  image: string,
  field: string,
  { baseImages }: VersionLimits,
): readonly Cause[] {
  if (parseImageRef(image) === undefined) {
    return [{ rule: "BaseImage", field, message: `${show(image)} ${NOT_IMAGE}` }];
  }
  return notAllowed(image, baseImages, field, {
    rule: "BaseImageAllowed",
    setting: "build.allowedBaseImages",
  });
}

function validateResources(
  resources: NonNullable<Builder["resources"]>,
  field: string,
  { maxResources }: VersionLimits,
): readonly Cause[] {
  const faults = resourceFaults(resources);
  if (faults.length > 0) {
    return faults.map((fault) => ({
      rule: "Resources",
      field: `${field}.${fault.field}`,
      message: fault.message,
    }));
  }
  const lists = Object.entries({ requests: resources.requests, limits: resources.limits });
  return lists.flatMap(([list, quantities = {}]) =>
    Object.entries(quantities).flatMap(([name, quantity]) => {
      const most = own(maxResources, name);
      if (most === undefined || compareQuantities(quantity, most) <= 0) return [];
      const message = `${show(quantity)} is not allowed: the administrator allows at most ${most} (build.maxResources)`;
      return [{ rule: "ResourcesAllowed" as const, field: `${field}.${list}.${name}`, message }];
    }),
  );
}
