import { connect, type Socket } from "node:net";
import type { Sent } from "./verdict.ts";

/** What came back. */
export interface Reply {
  readonly code: number;
  readonly contentType: string;
  readonly text: string;
}

/** A connection that is kept open: one review after the other. */
export interface Connection {
  /** Rejects when the connection ends before the answer does. */
  send(review: Sent): Promise<Reply>;
  close(): void;
}

/** Silence after which an answer is given up. */
const SILENCE_MS = 60_000;

/** HTTP/1.1 by hand: the clients that there are take longer for a request than the webhook does. */
export function openConnection(port: number): Connection {
  let socket: Socket | undefined;
  let waiting: PromiseWithResolvers<Reply> | undefined;
  let received: Buffer = Buffer.alloc(0);

  function open(): Socket {
    const opened = connect(port, "127.0.0.1");
    opened.setNoDelay(true).setTimeout(SILENCE_MS);
    const end = (error: Error): void => {
      opened.destroy();
      if (socket !== opened) return;
      socket = undefined;
      waiting?.reject(error);
    };
    opened.on("data", (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const parsed = parseReply(received);
      if (parsed === undefined) return;
      if (parsed === "odd") {
        end(new Error("the answer is not as long as it says"));
        return;
      }
      const { reply, closes } = parsed;
      if (closes) {
        socket = undefined;
        opened.destroy();
      }
      waiting?.resolve(reply);
    });
    opened.once("timeout", () => end(new Error(`no answer within ${SILENCE_MS} ms`)));
    opened.once("error", end);
    opened.once("close", () => end(new Error("the connection was closed")));
    return opened;
  }

  return {
    async send({ endpoint, contentType, contentEncoding, body }) {
      socket ??= open();
      waiting = Promise.withResolvers();
      received = Buffer.alloc(0);
      const head =
        `POST /${endpoint}?timeout=10s HTTP/1.1\r\nhost: fuzz\r\ncontent-length: ${body.length}\r\n` +
        (contentType === undefined ? "" : `content-type: ${contentType}\r\n`) +
        (contentEncoding === undefined ? "" : `content-encoding: ${contentEncoding}\r\n`);
      socket.write(Buffer.concat([Buffer.from(`${head}\r\n`), body]));
      return waiting.promise;
    },
    close: () => socket?.destroy(),
  };
}

/** The answer when all of it is there; every answer of the webhook says its length. */
function parseReply(
  bytes: Buffer,
): { readonly reply: Reply; readonly closes: boolean } | "odd" | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1]);
  if (bytes.length < end + 4 + length) return undefined;
  if (bytes.length !== end + 4 + length) return "odd";
  return {
    reply: {
      code: Number(head.slice(9, 12)),
      contentType: /^content-type: (.*)$/im.exec(head)?.[1] ?? "",
      text: bytes.toString("utf8", end + 4, end + 4 + length),
    },
    closes: /^connection: close/im.test(head),
  };
}
