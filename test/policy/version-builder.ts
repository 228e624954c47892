import { resources, type Row } from "./version-row.ts";

const QUANTITY = "must be a quantity, such as 100m or 64Mi";
const QUANTITIES = `Invalid value: every value ${QUANTITY}`;

/** How the image is built. */
export const BUILDER_ROWS: readonly Row[] = [
  ["EngineAllowed", "an engine that is allowed", { builder: { engine: "kaniko" } }],
  [
    "EngineAllowed",
    "an engine that is not allowed",
    { builder: { engine: "kaniko" } },
    'spec.builder.engine: "kaniko" is not allowed: the administrator allows none (build.allowedEngines)',
    null,
    { limits: { engines: [] } },
  ],
  [
    "BaseImage",
    "the administrator's base image",
    { builder: { baseImage: "registry.test/busybox:1" } },
  ],
  [
    "BaseImage",
    "capitals in its base image",
    { builder: { baseImage: "registry.test/Busybox" } },
    'spec.builder.baseImage: "registry.test/Busybox" is not an image reference: lower case registry/path:tag',
  ],
  [
    "BaseImage",
    "a space in its base image",
    { builder: { baseImage: "busy box" } },
    'spec.builder.baseImage: "busy box" is not an image reference: lower case registry/path:tag',
  ],
  [
    "BaseImageAllowed",
    "another base image that is allowed",
    { builder: { baseImage: "registry.test/cuda:12" } },
  ],
  [
    "BaseImageAllowed",
    "a base image that is not allowed",
    { builder: { baseImage: "registry.test/evil:1" } },
    'spec.builder.baseImage: "registry.test/evil:1" is not allowed: the administrator allows registry.test/busybox:1, registry.test/cuda:12 (build.allowedBaseImages)',
    null,
  ],
  ["PushSecretName", "a push Secret", { builder: { pushSecret: { name: "push.me" } } }],
  [
    "PushSecretName",
    "a push Secret of another namespace",
    { builder: { pushSecret: { name: "team-b/push" } } },
    'spec.builder.pushSecret.name: "team-b/push" is not the name of a Secret (RFC 1123 subdomain)',
  ],
  [
    "Resources",
    "resources as texts",
    resources({ requests: { cpu: "500m", memory: "1Gi" }, limits: { memory: "2Gi" } }),
  ],
  [
    "Resources",
    "resources as whole numbers",
    resources({ requests: { cpu: 1 }, limits: { cpu: 2 } }),
  ],
  [
    "Resources",
    "a quantity that is none",
    resources({ limits: { memory: "much" } }),
    `spec.builder.resources.limits.memory: "much" ${QUANTITY}`,
    `spec.builder.resources.limits: ${QUANTITIES}`,
  ],
  [
    "Resources",
    "a negative quantity",
    resources({ requests: { cpu: "-1" } }),
    `spec.builder.resources.requests.cpu: "-1" ${QUANTITY}`,
    `spec.builder.resources.requests: ${QUANTITIES}`,
  ],
  [
    "Resources",
    "a request above its limit",
    resources({ requests: { cpu: 2 }, limits: { cpu: "1500m" } }),
    "spec.builder.resources.requests.cpu: 2 must be no more than the limit, 1500m",
    "spec.builder.resources: Invalid value: a request must be no more than the limit of the same resource",
  ],
  [
    "Schema",
    "a list as a quantity",
    resources({ limits: { memory: [] } }),
    `spec.builder.resources.limits.memory: a list ${QUANTITY}`,
    'spec.builder.resources.limits.memory: Invalid value: "array": spec.builder.resources.limits.memory in body must be of type integer,string: "array"',
  ],
  [
    "Schema",
    "resources of nine kinds",
    resources({
      limits: Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`r${index}`, "1"])),
    }),
    "spec.builder.resources.limits: has 9 entries; at most 8 are allowed",
    "spec.builder.resources.limits: Too many: 9: must have at most 8 items",
  ],
  [
    "ResourcesAllowed",
    "as much as is allowed",
    resources({ requests: { cpu: 4 }, limits: { cpu: "4000m", memory: "8Gi" } }),
  ],
  [
    "ResourcesAllowed",
    "a resource without a ceiling",
    resources({ limits: { "ephemeral-storage": "1Ti" } }),
  ],
  [
    "ResourcesAllowed",
    "a limit above the ceiling",
    resources({ limits: { memory: "9Gi" } }),
    'spec.builder.resources.limits.memory: "9Gi" is not allowed: the administrator allows at most 8Gi (build.maxResources)',
    null,
  ],
  [
    "ResourcesAllowed",
    "a request above the ceiling",
    resources({ requests: { cpu: 5 } }),
    "spec.builder.resources.requests.cpu: 5 is not allowed: the administrator allows at most 4 (build.maxResources)",
    null,
  ],
];
