import { own } from "../api/fields.ts";
import { compareQuantities, parseQuantity } from "../api/quantity.ts";
import { NOT_QUANTITY } from "../api/resources.ts";
import { show } from "../api/schema-faults.ts";

type Quantities = Readonly<Record<string, string>>;

/** What the API server would refuse in a container's resources; `field` lies below them, such as `limits.memory`. */
export function resourceFaults(resources: {
  readonly requests?: Quantities | undefined;
  readonly limits?: Quantities | undefined;
}): readonly { readonly field: string; readonly message: string }[] {
  const { requests = {}, limits = {} } = resources;
  const unreadable = Object.entries({ requests, limits }).flatMap(([list, quantities]) =>
    Object.entries(quantities)
      .filter(([, quantity]) => !(parseQuantity(quantity) >= 0))
      .map(([name, quantity]) => ({
        field: `${list}.${name}`,
        message: `${show(quantity)} ${NOT_QUANTITY}`,
      })),
  );
  const tooLarge = Object.entries(requests).flatMap(([name, request]) => {
    const limit = own(limits, name);
    if (limit === undefined || !(compareQuantities(request, limit) > 0)) return [];
    const message = `${show(request)} must be no more than the limit, ${limit}`;
    return [{ field: `requests.${name}`, message }];
  });
  return [...unreadable, ...tooLarge];
}
