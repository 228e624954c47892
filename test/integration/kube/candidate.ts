import { connect } from "../../../src/kube/client.ts";
import { runElection } from "../../../src/kube/election.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

/** A candidate in a process of its own, to be killed: `node candidate.ts <kubeconfig> <namespace> <lease>`; prints "leading". */
const [kubeconfigPath = "", namespace = "", name = ""] = process.argv.slice(2);

runElection({
  api: await connect({ kubeconfigPath }),
  namespace,
  name,
  identity: "mortal",
  leaseDurationMs: 3_000,
  renewDeadlineMs: 2_000,
  retryPeriodMs: 200,
  onStarted: async () => void process.stdout.write("leading\n"),
  log: createLogger({ level: "silent" }),
  signal: new AbortController().signal,
});
