import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { ReadinessReport } from "../../src/webhook/readiness.ts";
import type { RunningServer } from "../../src/webhook/server.ts";

/** What a balancer leads to. */
export interface Backend {
  readonly readiness: ReadinessReport;
  readonly webhook: RunningServer;
}

/** As a Service does: each new connection to 127.0.0.1 goes to one of the ready backends, open ones stay where they are. */
export async function startBalancer(
  backends: readonly Backend[],
): Promise<{ readonly port: number; close(): void }> {
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const ready = backends.filter((backend) => backend.readiness.isReady());
    const to = ready[turn % ready.length];
    turn += 1;
    if (to === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect(to.webhook.port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      open.add(socket.on("error", () => {}).on("close", () => open.delete(socket)));
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
