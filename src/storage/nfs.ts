import { NOT_NFS_PATH, NOT_SERVER, type NfsStorage } from "../api/storage.ts";
import { show } from "../api/schema-faults.ts";
import type { Cause } from "../api/review.ts";
import { cleanAbsolute } from "../api/path.ts";
import { notAllowed } from "../api/allow-list.ts";
import type { StorageProvider, VolumePlan } from "./provider.ts";
import { claimFor, volumeFor } from "./volume.ts";

/** A directory that an NFS server exports. */
export const nfsProvider: StorageProvider<NfsStorage> = {
  sharedWriters: true,
  makesDirectories: false,
  validate: ({ server, path }, field, { nfsServers }): readonly Cause[] => [
    ...(cleanAbsolute(path) === undefined
      ? [
          {
            rule: "NfsPath" as const,
            field: `${field}.path`,
            message: `${show(path)} ${NOT_NFS_PATH}`,
          },
        ]
      : []),
    ...(/[\s/]/.test(server)
      ? [
          {
            rule: "NfsServer" as const,
            field: `${field}.server`,
            message: `${show(server)} ${NOT_SERVER}`,
          },
        ]
      : notAllowed(
          server.toLowerCase(),
          nfsServers.map((each) => each.toLowerCase()),
          `${field}.server`,
          { rule: "NfsServerAllowed", setting: "nfs.allowedServers" },
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
