/** Why a file can not be used. */
export interface FileFault {
  /** As the user named it. */
  readonly file: string;
  /** Both from 1; absent for what is wrong with the whole file. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** A fault on one line, with its place as editors and terminals find it. */
export function faultText({ file, line, column, message }: FileFault): string {
  const place = [line, column].filter((each) => each !== undefined);
  return `${[file, ...place].join(":")}: ${message}`;
}
