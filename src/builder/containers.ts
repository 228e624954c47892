/** Containers of kaniko's build pod, in the order in which they run. */
export const BUILD_CONTAINERS = { source: "source", kaniko: "kaniko", verify: "verify" } as const;

/** The one container of a build pod of the direct engine. */
export const DIRECT_CONTAINER = "build-image";
