/** Absolute path without `//`, `/./` and a trailing slash; undefined when it is relative or climbs by `..`. */
export function cleanAbsolute(path: string): string | undefined {
  if (!path.startsWith("/")) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") || path.includes("\0") ? undefined : `/${parts.join("/")}`;
}

/** Relative path without empty parts; undefined when it is absolute or climbs by `..`. */
export function cleanRelative(path: string): string | undefined {
  if (path.startsWith("/") || path.includes("\0")) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}

/** The rest of a clean path below a clean prefix: empty when equal, undefined when outside. */
export function below(prefix: string, path: string): string | undefined {
  if (path === prefix) return "";
  const start = prefix === "/" ? "/" : `${prefix}/`;
  return path.startsWith(start) ? path.slice(start.length) : undefined;
}

/** Where the kubelet mounts a path of a container: a relative one below the root, and `..` followed. */
export function mountedAt(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** A clean path that a volume may be mounted at: not the root, and without `:`, which the API server refuses. */
export function cleanMountPath(path: string): string | undefined {
  const clean = path.includes(":") ? undefined : cleanAbsolute(path);
  return clean === "/" ? undefined : clean;
}
