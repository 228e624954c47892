import { NOT_EFS_HANDLE, type EfsStorage } from "../api/storage.ts";
import { show } from "../api/schema-faults.ts";
import { cleanAbsolute } from "../api/path.ts";
import type { Cause } from "../api/review.ts";
import { notAllowed } from "../api/allow-list.ts";
import type { StorageLimits, StorageProvider, VolumePlan } from "./provider.ts";
import { claimFor, volumeFor } from "./volume.ts";

/** Amazon Elastic File System by its CSI driver; the handle is `[FileSystemId]:[Subpath]:[AccessPointId]`. */
export const efsProvider: StorageProvider<EfsStorage> = {
  sharedWriters: true,
  makesDirectories: false,
  validate: (storage, field, limits): readonly Cause[] => [
    ...validateHandle(storage.volumeHandle, `${field}.volumeHandle`, limits),
    ...validateAttributes(storage.attributes, `${field}.attributes`, limits),
  ],
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

function validateHandle(
  handle: string,
  field: string,
  { efsFileSystems }: StorageLimits,
): readonly Cause[] {
  const [fileSystem = "", subPath = "", accessPoint = "", ...more] = handle.split(":");
  const isHandle =
    /^fs-[0-9a-z]+$/.test(fileSystem) &&
    !subPath.split("/").includes("..") &&
    (accessPoint === "" || /^fsap-[0-9a-z]+$/.test(accessPoint)) &&
    more.length === 0;
  if (!isHandle)
    return [{ rule: "EfsHandle", field, message: `${show(handle)} ${NOT_EFS_HANDLE}` }];
  return notAllowed(fileSystem, efsFileSystems, field, {
    rule: "EfsFileSystemAllowed",
    setting: "AWSEfs.allowedFileSystems",
  });
}

/** The driver takes, besides others, the address of a server and a directory from them: both would lead out of what is allowed. */
function validateAttributes(
  attributes: Readonly<Record<string, string>> = {},
  field: string,
  { efsAttributes }: StorageLimits,
): readonly Cause[] {
  return Object.keys(attributes).flatMap((name) =>
    notAllowed(name, efsAttributes, `${field}.${name}`, {
      rule: "EfsAttributesAllowed",
      setting: "AWSEfs.allowedAttributes",
    }),
  );
}
