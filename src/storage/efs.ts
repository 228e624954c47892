import type { EfsStorage } from "../api/modelversion.ts";
import { cleanAbsolute } from "../api/path.ts";
import type { Cause } from "../api/review.ts";
import { notAllowed } from "./allow-list.ts";
import type { StorageProvider, VolumePlan } from "./provider.ts";
import { claimFor, volumeFor } from "./volume.ts";

/** Amazon Elastic File System by its CSI driver; the handle is `[FileSystemId]:[Subpath]:[AccessPointId]`. */
export const efsProvider: StorageProvider<EfsStorage> = {
  sharedWriters: true,
  makesDirectories: false,
  validate: (storage, field, { efsFileSystems }): readonly Cause[] => {
    const [fileSystem = "", subPath = "", accessPoint = "", ...more] =
      storage.volumeHandle.split(":");
    const isHandle =
      /^fs-[0-9a-z]+$/.test(fileSystem) &&
      !subPath.split("/").includes("..") &&
      (accessPoint === "" || /^fsap-[0-9a-z]+$/.test(accessPoint)) &&
      more.length === 0;
    if (isHandle) {
      const handle = `${field}.volumeHandle`;
      return notAllowed(fileSystem, efsFileSystems, handle, "AWSEfs.allowedFileSystems");
    }
    return [
      {
        field: `${field}.volumeHandle`,
        message: `${JSON.stringify(storage.volumeHandle)} must be [FileSystemId]:[Subpath]:[AccessPointId], such as fs-0123::fsap-4567`,
      },
    ];
  },
  location: (storage) => {
    const [fileSystem = "", subPath = "", accessPoint = ""] = storage.volumeHandle.split(":");
    // Without an access point paths begin at the root, with or without a slash.
    return `efs:${fileSystem}:${cleanAbsolute(`/${subPath}`) ?? subPath}:${accessPoint}`;
  },
  plan: (storage, request): VolumePlan => ({
    claimName: request.name,
    make: {
      volume: volumeFor(request, "ReadWriteMany", {
        csi: {
          driver: "efs.csi.aws.com",
          volumeHandle: storage.volumeHandle,
          ...(storage.attributes === undefined ? {} : { volumeAttributes: storage.attributes }),
        },
      }),
      claim: claimFor(request, "ReadWriteMany"),
    },
  }),
  below: (storage, name) => {
    const [fileSystem = "", subPath = "", accessPoint = ""] = storage.volumeHandle.split(":");
    return {
      ...storage,
      volumeHandle: `${fileSystem}:${subPath.replace(/\/$/, "")}/${name}:${accessPoint}`,
    };
  },
  nodeName: () => undefined,
};
