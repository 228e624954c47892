/** What everybody may do with a model in an image: its readers run as any user. */
const FILE_READABLE = 0o444;
const DIRECTORY_READABLE = 0o555;

/** Permission bits without setuid, setgid and sticky. */
const PERMISSIONS = 0o777;

/** The mode that a file of the model has in its image, whatever it was trained with. */
export function fileMode(mode: number): number {
  return (mode & PERMISSIONS) | FILE_READABLE;
}

/** The same for a directory. */
export function directoryMode(mode: number): number {
  return (mode & PERMISSIONS) | DIRECTORY_READABLE;
}
