import type { RunningModelhook } from "./modelhook.ts";

/** Sum of a metric over all its labels, as the process tells Prometheus; 0 while it has none. */
export async function readMetric(
  { probeUrl }: Pick<RunningModelhook, "probeUrl">,
  name: string,
): Promise<number> {
  const text = await (await fetch(`${probeUrl}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}
