/** Names as a sentence lists them: the first few, and how many more there are. */
export function listed(names: readonly string[], most = 3, separator = ", "): string {
  const shown = names.slice(0, most).join(separator);
  return names.length <= most ? shown : `${shown} and ${names.length - most} more`;
}
