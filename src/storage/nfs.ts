import type { NfsStorage } from "../api/modelversion.ts";
import type { Cause } from "../api/review.ts";
import { cleanAbsolute } from "../api/path.ts";
import { notAllowed } from "./allow-list.ts";
import type { StorageProvider, VolumePlan } from "./provider.ts";
import { claimFor, volumeFor } from "./volume.ts";

/** A directory that an NFS server exports. */
export const nfsProvider: StorageProvider<NfsStorage> = {
  sharedWriters: true,
  makesDirectories: false,
  validate: (storage, field, { nfsServers }): readonly Cause[] => [
    ...(cleanAbsolute(storage.path) === undefined
      ? [
          {
            field: `${field}.path`,
            message: `${JSON.stringify(storage.path)} must be an absolute path without ".."`,
          },
        ]
      : []),
    ...(/[\s/]/.test(storage.server)
      ? [
          {
            field: `${field}.server`,
            message: `${JSON.stringify(storage.server)} must be a host name or an address`,
          },
        ]
      : notAllowed(
          storage.server.toLowerCase(),
          nfsServers.map((server) => server.toLowerCase()),
          `${field}.server`,
          "nfs.allowedServers",
        )),
  ],
  location: (storage) =>
    `nfs:${storage.server.toLowerCase()}:${cleanAbsolute(storage.path) ?? storage.path}`,
  plan: (storage, request): VolumePlan => ({
    claimName: request.name,
    make: {
      volume: volumeFor(request, "ReadWriteMany", {
        nfs: { server: storage.server, path: cleanAbsolute(storage.path) ?? storage.path },
      }),
      claim: claimFor(request, "ReadWriteMany"),
    },
  }),
  below: (storage, name) => {
    const parent = cleanAbsolute(storage.path) ?? storage.path;
    return { ...storage, path: parent === "/" ? `/${name}` : `${parent}/${name}` };
  },
  nodeName: () => undefined,
};
