import { isDnsSubdomain } from "../api/names.ts";
import { NOT_CLAIM, NOT_SUB_PATH, type ClaimStorage } from "../api/storage.ts";
import { show } from "../api/schema-faults.ts";
import type { Cause } from "../api/review.ts";
import { cleanRelative } from "../api/path.ts";
import type { StorageProvider, VolumePlan } from "./provider.ts";

/** A directory of a claim that the user made; nothing of it is ever made or deleted by us. */
export const claimProvider: StorageProvider<ClaimStorage> = {
  sharedWriters: true,
  makesDirectories: true,
  validate: ({ claimName, subPath }, field): readonly Cause[] => [
    ...(isDnsSubdomain(claimName)
      ? []
      : [
          {
            rule: "ClaimName" as const,
            field: `${field}.claimName`,
            message: `${show(claimName)} ${NOT_CLAIM}`,
          },
        ]),
    ...(subPath === undefined || cleanRelative(subPath) !== undefined
      ? []
      : [
          {
            rule: "ClaimSubPath" as const,
            field: `${field}.subPath`,
            message: `${show(subPath)} ${NOT_SUB_PATH}`,
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
