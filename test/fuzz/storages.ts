/** Places of models: right ones of each kind, wrong ones, several at once, none. */
export const STORAGES: readonly object[] = [
  { localStorage: { path: "/models/mnist", nodeName: "node-1" } },
  { localStorage: { path: "/models/mnist", nodeName: "node-1", mountPath: "/out" } },
  { localStorage: { path: "/models/../etc", nodeName: "node-1" } },
  { localStorage: { path: "/etc" } },
  { nfs: { server: "nfs.example", path: "/exports/mnist" } },
  { nfs: { server: "-o", path: "x", mountPath: "/" } },
  { AWSEfs: { volumeHandle: "fs-12345678:/mnist:fsap-1" } },
  { AWSEfs: { volumeHandle: ":::", attributes: { encryptInTransit: "false", x: "y" } } },
  { persistentVolumeClaim: { claimName: "models", subPath: "mnist" } },
  { persistentVolumeClaim: { claimName: "models", subPath: "../..", mountPath: "/a:b" } },
  { persistentVolumeClaim: { claimName: "A_B" }, nfs: { server: "nfs.example", path: "/x" } },
  { constructor: {} },
  {},
];
