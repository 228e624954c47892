const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|u|n|[eE][+-]?\d+)?$/;

const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

const BINARY: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a Kubernetes quantity stands for (`resource.Quantity`); NaN when it is none. */
export function parseQuantity(text: string): number {
  const match = QUANTITY.exec(text);
  if (match === null) return Number.NaN;
  const [, digits = "", suffix = ""] = match;
  const binary = BINARY[suffix];
  if (binary !== undefined) return Number(digits) * binary;
  const exponent = DECIMAL[suffix];
  // As one literal, because 700 * 0.001 is not 0.7.
  return Number(exponent === undefined ? digits + suffix : `${digits}e${exponent}`);
}

/** Negative, zero or positive, as the first quantity is smaller than, equal to or larger than the second. */
export function compareQuantities(a: string, b: string): number {
  return parseQuantity(a) - parseQuantity(b);
}
