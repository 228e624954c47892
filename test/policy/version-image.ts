import { NAMESPACE } from "./policy-case.ts";
import { tooLong, type Row } from "./version-row.ts";

const NAME =
  'must be lower case letters, digits and "-", beginning and ending with a letter or digit';
const REPO = "is not a repository: lower case registry/path, such as registry.example/team/model";
const TAG =
  'is not a tag: at most 128 letters, digits, "_", "." and "-", not beginning with "." or "-"';
const REGISTRIES =
  "the administrator allows this namespace registry.test, docker.io/modelhub (build.allowedRegistries)";
const DIGEST = `sha256:${"0".repeat(64)}`;

/** The model and its image. */
export const IMAGE_ROWS: readonly Row[] = [
  ["ModelName", "a name of 52 characters", { modelName: "m".repeat(52) }],
  ["ModelName", "a name of one digit", { modelName: "7" }],
  [
    "ModelName",
    "a name with capitals",
    { modelName: "Digits" },
    `spec.modelName: "Digits" ${NAME}`,
  ],
  ["ModelName", "a name with a slash", { modelName: "a/b" }, `spec.modelName: "a/b" ${NAME}`],
  ["ModelName", "a name with a dot", { modelName: "a.b" }, `spec.modelName: "a.b" ${NAME}`],
  [
    "ModelName",
    "a name that ends with a dash",
    { modelName: "digits-" },
    `spec.modelName: "digits-" ${NAME}`,
  ],
  [
    "ModelName",
    "a name in another script",
    { modelName: "ziffern-ß" },
    `spec.modelName: "ziffern-ß" ${NAME}`,
  ],
  [
    "Schema",
    "a name of 53 characters",
    { modelName: "m".repeat(53) },
    "spec.modelName: has 53 characters; at most 52 are allowed",
    `spec.modelName: ${tooLong(52)}`,
  ],
  ["ImageRepo", "a repository of Docker Hub", { imageRepo: "modelhub/resnet" }],
  [
    "ImageRepo",
    "a registry with a port",
    { imageRepo: "registry.test:5000/digits" },
    undefined,
    undefined,
    { limits: { registries: { "*": ["*"] } } },
  ],
  [
    "ImageRepo",
    "a registry by its address",
    { imageRepo: "[2001:db8::1]:5000/digits" },
    undefined,
    undefined,
    { limits: { registries: { "*": ["*"] } } },
  ],
  [
    "ImageRepo",
    "dots and underscores in its repository",
    { imageRepo: "registry.test/a.b/c__d/e-f" },
  ],
  [
    "ImageRepo",
    "a tag in its repository",
    { imageRepo: "registry.test/digits:v1" },
    'spec.imageRepo: "registry.test/digits:v1" has a tag; put it into imageTag',
  ],
  [
    "ImageRepo",
    "a digest in its repository",
    { imageRepo: `registry.test/digits@${DIGEST}` },
    `spec.imageRepo: "registry.test/digits@${DIGEST}" has a digest; only a build knows it`,
  ],
  [
    "ImageRepo",
    "capitals in its repository",
    { imageRepo: "registry.test/Digits" },
    `spec.imageRepo: "registry.test/Digits" ${REPO}`,
  ],
  [
    "ImageRepo",
    "capitals in its registry",
    { imageRepo: "Registry.test/digits" },
    `spec.imageRepo: "Registry.test/digits" ${REPO}`,
  ],
  [
    "ImageRepo",
    "a URL for a repository",
    { imageRepo: "https://registry.test/digits" },
    `spec.imageRepo: "https://registry.test/digits" ${REPO}`,
  ],
  [
    "ImageRepo",
    "a slash at its repository's end",
    { imageRepo: "registry.test/digits/" },
    `spec.imageRepo: "registry.test/digits/" ${REPO}`,
  ],
  [
    "ImageRepo",
    "a space in its repository",
    { imageRepo: "registry.test/my digits" },
    `spec.imageRepo: "registry.test/my digits" ${REPO}`,
  ],
  [
    "ImageRepo",
    "a repository that climbs",
    { imageRepo: "registry.test/../digits" },
    `spec.imageRepo: "registry.test/../digits" ${REPO}`,
  ],
  ["ImageTag", "a tag", { imageTag: "v0.1" }],
  ["ImageTag", "a tag of 128 characters", { imageTag: "t".repeat(128) }],
  ["ImageTag", "a tag with capitals and an underscore", { imageTag: "_V1-rc.2" }],
  ["ImageTag", "a slash in its tag", { imageTag: "v/1" }, `spec.imageTag: "v/1" ${TAG}`],
  ["ImageTag", "a tag that begins with a dot", { imageTag: ".v1" }, `spec.imageTag: ".v1" ${TAG}`],
  ["ImageTag", "a tag that begins with a dash", { imageTag: "-v1" }, `spec.imageTag: "-v1" ${TAG}`],
  ["ImageTag", "a colon in its tag", { imageTag: "v1:2" }, `spec.imageTag: "v1:2" ${TAG}`],
  [
    "Schema",
    "a tag of 129 characters",
    { imageTag: "t".repeat(129) },
    "spec.imageTag: has 129 characters; at most 128 are allowed",
    `spec.imageTag: ${tooLong(128)}`,
  ],
  ["RegistryAllowed", "a registry that is allowed", { imageRepo: "registry.test/any/where" }],
  [
    "RegistryAllowed",
    "the port of HTTPS beside a registry that is allowed",
    { imageRepo: "registry.test:443/digits" },
  ],
  [
    "RegistryAllowed",
    "a repository below one that is allowed",
    { imageRepo: "index.docker.io/modelhub/resnet" },
  ],
  [
    "RegistryAllowed",
    "a registry that is not allowed",
    { imageRepo: "other.test/digits" },
    `spec.imageRepo: "other.test/digits" is not allowed: ${REGISTRIES}`,
    null,
  ],
  [
    "RegistryAllowed",
    "a port that is not allowed",
    { imageRepo: "registry.test:5000/digits" },
    `spec.imageRepo: "registry.test:5000/digits" is not allowed: ${REGISTRIES}`,
    null,
  ],
  [
    "RegistryAllowed",
    "a repository beside one that is allowed",
    { imageRepo: "modelhub2/resnet" },
    `spec.imageRepo: "modelhub2/resnet" is not allowed: ${REGISTRIES}`,
    null,
  ],
  [
    "RegistryAllowed",
    "a registry where none is allowed",
    {},
    'spec.imageRepo: "registry.test/models/digits" is not allowed: the administrator allows this namespace none (build.allowedRegistries)',
    null,
    { limits: { registries: { "*": ["*"], [NAMESPACE]: [] } } },
  ],
];
