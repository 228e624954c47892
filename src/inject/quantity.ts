const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|u|n|[eE][+-]?\d+)?$/;

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
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
  const [, digits = "", suffix] = match;
  if (suffix === undefined) return Number(digits);
  return FACTORS[suffix] === undefined ? Number(digits + suffix) : Number(digits) * FACTORS[suffix];
}

/** Negative, zero or positive, as the first quantity is smaller than, equal to or larger than the second. */
export function compareQuantities(a: string, b: string): number {
  return parseQuantity(a) - parseQuantity(b);
}
