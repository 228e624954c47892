import { isDnsSubdomain } from "../api/names.ts";
import type { ClaimStorage } from "../api/modelversion.ts";
import type { Cause } from "../api/review.ts";
import { cleanRelative } from "../api/path.ts";
import type { StorageProvider, VolumePlan } from "./provider.ts";

/** A directory of a claim that the user made; nothing of it is ever made or deleted by us. */
export const claimProvider: StorageProvider<ClaimStorage> = {
  sharedWriters: true,
  makesDirectories: true,
  validate: (storage, field): readonly Cause[] => [
    ...(isDnsSubdomain(storage.claimName)
      ? []
      : [
          {
            field: `${field}.claimName`,
            message: `${JSON.stringify(storage.claimName)} is not the name of a claim (RFC 1123 subdomain)`,
          },
        ]),
    ...(storage.subPath === undefined || cleanRelative(storage.subPath) !== undefined
      ? []
      : [
          {
            field: `${field}.subPath`,
            message: `${JSON.stringify(storage.subPath)} must be a relative path without ".."`,
          },
        ]),
  ],
  location: (storage, namespace) =>
    `claim:${namespace}/${storage.claimName}:${cleanRelative(storage.subPath ?? "") ?? ""}`,
  plan: (storage): VolumePlan => {
    const subPath = cleanRelative(storage.subPath ?? "") ?? "";
    return { claimName: storage.claimName, ...(subPath === "" ? {} : { subPath }) };
  },
  below: (storage, name) => {
    const parent = cleanRelative(storage.subPath ?? "") ?? "";
    return { ...storage, subPath: parent === "" ? name : `${parent}/${name}` };
  },
  nodeName: () => undefined,
};
