import type { Connection } from "./connection.ts";
import type { Review } from "./review.ts";
import type { FuzzServer } from "./server.ts";
import { judge, type Verdict } from "./verdict.ts";

type Errors = Pick<FuzzServer, "takeError">;

/** Sends a review, and what its patch makes of it again: the webhook must be content with its own work. */
export async function answerTo(
  review: Review,
  connection: Connection,
  errors: Errors,
): Promise<Verdict> {
  const verdict = await judged(review, connection, errors);
  if (verdict.is !== "allowed" || verdict.again === undefined) return verdict;
  const again = await judged({ ...review, ...verdict.again }, connection, errors);
  if (again.is === "allowed" && again.again === undefined) return verdict;
  const found = again.is === "allowed" ? "patched once more" : again.is;
  const cause = again.is === "crash" ? `: ${again.cause}` : "";
  return { is: "crash", cause: `what was patched, sent again, is ${found}${cause}` };
}

async function judged(review: Review, connection: Connection, errors: Errors): Promise<Verdict> {
  let verdict: Verdict;
  try {
    verdict = judge(review, await connection.send(review));
  } catch (error) {
    verdict = { is: "crash", cause: `no answer: ${stackOf(error)}` };
  }
  const own = errors.takeError(review.index);
  if (verdict.is !== "crash") {
    return own === undefined ? verdict : { is: "crash", cause: `logged: ${stackOf(own)}` };
  }
  const error = own ?? errors.takeError();
  const why = error === undefined ? "" : `: ${stackOf(error)}`;
  return { is: "crash", cause: `${verdict.cause}${why}` };
}

/** The message of an error, and where it comes from. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n").find((line) => /\/(src|test)\//.test(line)) ?? "";
  return `${error.name}: ${error.message.slice(0, 300)} ${place.trim()}`.trim();
}
