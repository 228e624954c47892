import { NOT_LOCAL_PATH, NOT_NODE, type LocalStorage } from "../api/storage.ts";
import { isDnsSubdomain } from "../api/names.ts";
import { show } from "../api/schema-faults.ts";
import type { Cause } from "../api/review.ts";
import { below, cleanAbsolute } from "../api/path.ts";
import type { StorageLimits, StorageProvider, VolumePlan, VolumeRequest } from "./provider.ts";
import { claimFor, volumeFor } from "./volume.ts";

/**
 * A directory on one node, by a PersistentVolume of type `local` on the administrator's prefix; the rest of the path is the
 * mount's subPath, which the kubelet makes and refuses when a link escapes. Never hostPath: that follows links.
 */
export const localProvider: StorageProvider<LocalStorage> = {
  sharedWriters: false,
  makesDirectories: true,
  validate: ({ path, nodeName }, field, limits): readonly Cause[] => [
    ...validatePath(path, `${field}.path`, limits),
    ...(isDnsSubdomain(nodeName)
      ? []
      : [
          {
            rule: "LocalNode" as const,
            field: `${field}.nodeName`,
            message: `${show(nodeName)} ${NOT_NODE}`,
          },
        ]),
  ],
  location: (storage) => `local:${storage.nodeName}:${cleanAbsolute(storage.path) ?? storage.path}`,
  plan: (storage, request): VolumePlan => {
    const path = cleanAbsolute(storage.path) ?? storage.path;
    const prefix = prefixOf(path, request.limits);
    // Policy denied such a path at apply time; an administrator may have tightened it since.
    if (prefix === undefined) throw new RangeError(`no allowed prefix holds ${path}`);
    const subPath = below(prefix, path) ?? "";
    return {
      claimName: request.name,
      ...(subPath === "" ? {} : { subPath }),
      make: {
        volume: localVolume(storage, prefix, request),
        claim: claimFor(request, "ReadWriteOnce"),
      },
    };
  },
  below: (storage, name) => ({ ...storage, path: `${cleanAbsolute(storage.path) ?? ""}/${name}` }),
  nodeName: (storage) => storage.nodeName,
};

function validatePath(written: string, field: string, limits: StorageLimits): readonly Cause[] {
  const path = cleanAbsolute(written);
  if (path === undefined || path === "/") {
    return [{ rule: "LocalPath", field, message: `${show(written)} ${NOT_LOCAL_PATH}` }];
  }
  if (prefixOf(path, limits) !== undefined) return [];
  const allowed =
    limits.localPrefixes.length === 0
      ? "the administrator allows this namespace no path on a node (localStorage.allowedPrefixes)"
      : `allowed are directories below ${limits.localPrefixes.join(", ")}`;
  const message = `${show(written)} is not allowed: ${allowed}`;
  return [{ rule: "LocalPathAllowed", field, message }];
}

/** The longest allowed prefix that holds a clean path. */
function prefixOf(path: string, limits: StorageLimits): string | undefined {
  return limits.localPrefixes
    .filter((prefix) => below(prefix, path) !== undefined)
    .toSorted((a, b) => b.length - a.length)[0];
}

function localVolume(
  storage: LocalStorage,
  prefix: string,
  request: VolumeRequest,
): ReturnType<typeof volumeFor> {
  return volumeFor(request, "ReadWriteOnce", {
    local: { path: prefix },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              {
                key: "kubernetes.io/hostname",
                operator: "In",
                values: [request.hostname ?? storage.nodeName],
              },
            ],
          },
        ],
      },
    },
  });
}
