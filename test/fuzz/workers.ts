import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { runCampaign, type Campaign } from "./campaign.ts";
import { merged, type Outcome } from "./outcome.ts";

/** What a worker tells: how far it is, or the end. */
type Told = { readonly sent: number; readonly crashes: number } | { readonly outcome: Outcome };

/** Parts the reviews among workers, each with a webhook of its own, and puts together what became of them. */
export async function runWorkers(
  { seed, count }: Campaign,
  workers: number,
  progress: (sent: number, crashes: number) => void,
): Promise<Outcome> {
  const told = Array.from({ length: workers }, () => ({ sent: 0, crashes: 0 }));
  const outcomes = told.map(async (_, first) =>
    runWorker({ seed, count, first, step: workers }, (sent, crashes) => {
      told[first] = { sent, crashes };
      const all = told.reduce((a, b) => ({
        sent: a.sent + b.sent,
        crashes: a.crashes + b.crashes,
      }));
      progress(all.sent, all.crashes);
    }),
  );
  return merged(await Promise.all(outcomes));
}

async function runWorker(
  campaign: Campaign,
  progress: (sent: number, crashes: number) => void,
): Promise<Outcome> {
  const worker = new Worker(new URL(import.meta.url), { workerData: campaign });
  return new Promise((resolve, reject) => {
    worker.on("message", (told: Told) => {
      if ("outcome" in told) resolve(told.outcome);
      else progress(told.sent, told.crashes);
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a worker ended with ${code}`)));
  });
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const tell = (told: Told): void => port.postMessage(told);
  const progress = (sent: number, crashes: number): void => tell({ sent, crashes });
  tell({ outcome: await runCampaign(workerData as Campaign, { process, progress }) });
}
