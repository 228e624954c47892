import { createHash } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { userInfo } from "node:os";

/**
 * Runs `action` while no other process of this user on this machine runs one under the same name.
 * The lock is a listening socket in Linux's abstract name space: it ends with its process, even by kill -9,
 * and leaves no file behind. `onWait` is called once if somebody else holds it.
 */
export async function withLock<T>(
  name: string,
  onWait: () => void,
  action: () => Promise<T>,
): Promise<T> {
  // Hashed, because such a path has at most 107 bytes.
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 32);
  const path = `\0modelhook-${userInfo().uid}-${hash}`;
  const waiting = new Set<Socket>();
  let told = false;
  let server = await listen(path, waiting);
  while (server === undefined) {
    if (!told) onWait();
    told = true;
    await untilReleased(path);
    server = await listen(path, waiting);
  }
  try {
    return await action();
  } finally {
    server.close();
    for (const socket of waiting) socket.destroy();
  }
}

/** The server that is the lock, or undefined while somebody else has it. */
async function listen(path: string, waiting: Set<Socket>): Promise<Server | undefined> {
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => waiting.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server));
  });
}

/** Waits at the holder's socket: it closes when the holder lets go or dies. */
async function untilReleased(path: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(path);
    socket.on("error", () => {});
    socket.once("close", () => resolve());
  });
  // The holder may have stopped accepting and still be bound for a moment.
  await sleep(20);
}
