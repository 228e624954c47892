import { z } from "zod";
import { boundedMap } from "./bounded-map.ts";
import { rules } from "./cel.ts";
import { show } from "./schema-faults.ts";

/** Fault of a text that is no quantity. */
export const NOT_QUANTITY = "must be a quantity, such as 100m or 64Mi";

/** A quantity of Kubernetes: a text, or a number as people write it in YAML; our kinds take whole ones only. */
const quantity = z
  .union([z.string().max(63), z.number()], {
    error: ({ input }) => `${show(input)} ${NOT_QUANTITY}`,
  })
  .transform(String)
  .describe("A quantity, such as 100m or 64Mi.");

/** Resources that one list may hold; the rules of all lists together must stay cheap. */
const MAX_RESOURCES = 8;

const quantities = boundedMap(quantity, { maxKey: 63, most: MAX_RESOURCES });

const ARE_QUANTITIES = {
  rule: "self.all(name, isQuantity(string(self[name])) && !quantity(string(self[name])).isLessThan(quantity('0')))",
  message: `every value ${NOT_QUANTITY}`,
};

/** `resources` of a container: requests and limits by the name of the resource. */
export const resourcesSchema = z
  .object({
    requests: quantities
      .optional()
      .describe("What the node must have free, by resource.")
      .meta(rules(ARE_QUANTITIES)),
    limits: quantities
      .optional()
      .describe("What may be used at most, by resource.")
      .meta(rules(ARE_QUANTITIES)),
  })
  .meta(
    rules({
      rule: "!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits) || !quantity(string(self.requests[name])).isGreaterThan(quantity(string(self.limits[name]))))",
      message: "a request must be no more than the limit of the same resource",
    }),
  );
