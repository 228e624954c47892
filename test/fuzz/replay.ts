import { answerTo } from "./answer.ts";
import { openConnection } from "./connection.ts";
import { describeCrash } from "./outcome.ts";
import { makeReview } from "./review.ts";
import { readCorpus } from "./seeds.ts";
import { startServer } from "./server.ts";

/** Characters of a body that are shown. */
const SHOWN = 20_000;

/** Sends one review of a seed and shows it with its answer; gives the number of crashes. */
export async function replay(
  seed: number,
  index: number,
  print: (line: string) => void,
): Promise<number> {
  const corpus = readCorpus();
  const review = makeReview(seed, index, corpus);
  const server = await startServer(corpus.snapshots);
  const connection = openConnection(server.port);
  try {
    print(
      `POST /${review.endpoint}, content type ${review.contentType ?? "none"}, ${review.body.length} bytes`,
    );
    print(`made of ${review.made}\n`);
    print(shown(review.body.toString("utf8")));
    const reply = await connection.send(review).catch((error: Error) => error);
    if (reply instanceof Error) print(`\nno answer: ${reply.message}`);
    else print(`\nHTTP ${reply.code}, ${reply.contentType}\n\n${shown(reply.text)}`);
    const verdict = await answerTo(review, connection, server);
    print(
      verdict.is === "crash" ? describeCrash({ review, cause: verdict.cause }, seed) : verdict.is,
    );
    return verdict.is === "crash" ? 1 : 0;
  } finally {
    connection.close();
    await server.close();
  }
}

/** JSON with its lines, what else it is as it came; not without end. */
function shown(text: string): string {
  let read = text;
  try {
    const value = JSON.parse(text) as { response?: { patch?: string } };
    read = JSON.stringify(value, null, 2);
    const { patch } = value.response ?? {};
    if (patch !== undefined) {
      read += `\npatch ${JSON.stringify(JSON.parse(Buffer.from(patch, "base64").toString("utf8")), null, 2)}`;
    }
  } catch {
    // As it came, then.
  }
  return read.length > SHOWN ? `${read.slice(0, SHOWN)}… (${read.length} characters)` : read;
}
