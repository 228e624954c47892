import { z } from "zod";
import { boundedMap } from "./bounded-map.ts";
import { IS_ABSOLUTE, IS_ROOT, listed, matches, rules, textRule } from "./cel.ts";
import { DNS_SUBDOMAIN } from "./names.ts";

/** Fault of a path that a volume can not be mounted at. */
export const NOT_MOUNT_PATH = 'must be an absolute path without ".." and ":", and not /';

/** Where containers see a model; absent means the default. */
export const mountPathSchema = z
  .string()
  .max(512)
  .optional()
  .describe("Absolute path at which containers see the model; /kubedl-model when absent.")
  .meta(rules(textRule(`${IS_ABSOLUTE} && !${IS_ROOT} && !self.contains(':')`, NOT_MOUNT_PATH)));

/** Fault of a directory on a node that can not be one. */
export const NOT_LOCAL_PATH = 'must be an absolute path below / without ".."';
/** Fault of a name that no node can have. */
export const NOT_NODE = "is not the name of a node (RFC 1123 subdomain)";

const localStorage = z
  .object({
    path: z
      .string()
      .min(1)
      .max(4096)
      .describe("Absolute directory on the node that holds the model.")
      .meta(rules(textRule(`${IS_ABSOLUTE} && !${IS_ROOT}`, NOT_LOCAL_PATH))),
    nodeName: z
      .string()
      .min(1)
      .max(253)
      .describe("Node whose disk holds the directory.")
      .meta(rules(textRule(matches(DNS_SUBDOMAIN), NOT_NODE))),
    mountPath: mountPathSchema,
  })
  .describe("A directory on the disk of one node, below a prefix that the administrator allows.");

/** Fault of a server that can not be one. */
export const NOT_SERVER = "must be a host name or an address";
/** Fault of a path that an NFS server can not export. */
export const NOT_NFS_PATH = 'must be an absolute path without ".."';

const nfs = z
  .object({
    server: z
      .string()
      .min(1)
      .max(253)
      .describe("Host name or address of an NFS server that the administrator allows.")
      .meta(rules(textRule(`!${matches(/[\s/]/)}`, NOT_SERVER))),
    path: z
      .string()
      .min(1)
      .max(4096)
      .describe("Absolute path that the server exports.")
      .meta(rules(textRule(IS_ABSOLUTE, NOT_NFS_PATH))),
    mountPath: mountPathSchema,
  })
  .describe("A directory of an NFS server.");

/** Fault of a volume handle that the EFS driver can not read. */
export const NOT_EFS_HANDLE =
  "must be [FileSystemId]:[Subpath]:[AccessPointId], such as fs-0123::fsap-4567";

const EFS_HANDLE = /^fs-[0-9a-z]+(:[^:]*(:(fsap-[0-9a-z]+)?)?)?$/;

const awsEfs = z
  .object({
    volumeHandle: z
      .string()
      .min(1)
      .max(512)
      .describe(
        "[FileSystemId]:[Subpath]:[AccessPointId], as the CSI driver efs.csi.aws.com reads it.",
      )
      .meta(
        rules(
          textRule(`${matches(EFS_HANDLE)} && !${matches(/[:/][.][.]([:/]|$)/)}`, NOT_EFS_HANDLE),
        ),
      ),
    attributes: boundedMap(z.string().max(1024).describe("Value of the attribute."), {
      maxKey: 253,
      most: 16,
    })
      .optional()
      .describe("Volume attributes of the CSI driver that the administrator allows."),
    mountPath: mountPathSchema,
  })
  .describe("A directory of an Amazon Elastic File System.");

/** Fault of a name that no claim can have. */
export const NOT_CLAIM = "is not the name of a claim (RFC 1123 subdomain)";
/** Fault of a directory that is not inside of its claim. */
export const NOT_SUB_PATH = 'must be a relative path without ".."';

const persistentVolumeClaim = z
  .object({
    claimName: z
      .string()
      .min(1)
      .max(253)
      .describe("Claim, in the namespace of the version.")
      .meta(rules(textRule(matches(DNS_SUBDOMAIN), NOT_CLAIM))),
    subPath: z
      .string()
      .max(4096)
      .optional()
      .describe("Directory inside the claim; its root when absent.")
      .meta(
        rules(textRule(`!self.startsWith('/') && !${matches(/(^|\/)[.][.](\/|$)/)}`, NOT_SUB_PATH)),
      ),
    mountPath: mountPathSchema,
  })
  .describe("A directory of a claim that exists already.");

/** The ways a model can be stored, in the order in which messages name them. */
export const STORAGE_TYPES = ["localStorage", "nfs", "AWSEfs", "persistentVolumeClaim"] as const;

const SET = STORAGE_TYPES.map((name) => `has(self.${name})`).join(", ");
const FOUND = listed(STORAGE_TYPES, (name) => `has(self.${name})`, " and ");

/** Where a model lies: exactly one storage type. */
export const storageSchema = z
  .object({
    localStorage: localStorage.optional(),
    nfs: nfs.optional(),
    AWSEfs: awsEfs.optional(),
    persistentVolumeClaim: persistentVolumeClaim.optional(),
  })
  .describe("Where the trained model lies: exactly one storage type.")
  .meta(
    rules({
      rule: `[${SET}].exists_one(x, x)`,
      message: `exactly one of ${STORAGE_TYPES.join(", ")} is allowed`,
      messageExpression: `"exactly one storage type is allowed, found " + ([${SET}].exists(x, x) ? ${FOUND} : "none") + "; allowed: ${STORAGE_TYPES.join(", ")}"`,
    }),
  );

export type Storage = z.output<typeof storageSchema>;
export type LocalStorage = z.output<typeof localStorage>;
export type ClaimStorage = z.output<typeof persistentVolumeClaim>;
export type NfsStorage = z.output<typeof nfs>;
export type EfsStorage = z.output<typeof awsEfs>;
