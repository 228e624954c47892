import type { ExportIntent } from "../../src/api/annotations.ts";
import type { Draft, Tweak } from "./frozen.ts";

/** What an export annotation states; complete, valid, and writable by one pod only. */
export function makeExport(tweak: Tweak<Draft<ExportIntent>> = () => {}): ExportIntent {
  const intent: Draft<ExportIntent> = {
    modelName: "mnist",
    imageRepo: "registry.example/models/mnist",
    storage: { localStorage: { path: "/models/mnist", nodeName: "node-1" } },
  };
  tweak(intent);
  return intent;
}
