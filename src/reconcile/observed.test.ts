import { describe, expect, test } from "vitest";
import { makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import type { Storage } from "../api/storage.ts";
import { references } from "./observed.ts";

const UID = "0123abcd-4567-89ef-0123-456789abcdef";
const IMAGE = "registry.example/models/mnist:v0123abcd";

describe("what has to be looked up for a version", () => {
  test.each<[string, Storage, object]>([
    [
      "in a user's claim is that claim",
      { persistentVolumeClaim: { claimName: "models", subPath: "a" } },
      { location: "claim:team-a/models:a", image: IMAGE, claimName: "models" },
    ],
    [
      "on a node is that node, and the pair that we make",
      { localStorage: { path: "/models/a", nodeName: "node-1" } },
      {
        location: "local:node-1:/models/a",
        image: IMAGE,
        claimName: "mh-0123abcd456789ef",
        volumeName: "mh-0123abcd456789ef",
        nodeName: "node-1",
      },
    ],
    [
      "on a file server is the pair that we make",
      { nfs: { server: "nfs.example", path: "/a" } },
      {
        location: "nfs:nfs.example:/a",
        image: IMAGE,
        claimName: "mh-0123abcd456789ef",
        volumeName: "mh-0123abcd456789ef",
      },
    ],
    ["without a storage is its image", {}, { image: IMAGE }],
  ])("%s", (_, storage, expected) => {
    const version = makeModelVersion((draft) => {
      draft.metadata.uid = UID;
      draft.spec = { ...draft.spec, storage };
    });
    expect(references(version)).toEqual(expected);
  });

  test("that names its tag is the image with that tag", () => {
    const version = makeModelVersion((draft) => {
      draft.spec = { ...draft.spec, imageTag: "1.0" };
    });
    expect(references(version).image).toBe("registry.example/models/mnist:1.0");
  });

  test("that has begun is the image that was recorded then", () => {
    expect(references(makeBuiltVersion()).image).toBe("registry.example/models/mnist:v1");
  });

  test("that KubeDL stored with no storage at all is its image", () => {
    const version = makeModelVersion((draft) => {
      draft.metadata.uid = UID;
      const { storage: _, ...spec } = draft.spec;
      draft.spec = spec as typeof draft.spec;
    });
    expect(references(version)).toEqual({ image: IMAGE });
  });
});
