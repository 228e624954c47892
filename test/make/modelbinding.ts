import type { ModelBinding } from "../../src/api/modelbinding.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";

/** A ModelBinding whose spec can be assigned. */
export type MadeBinding = Draft<ModelBinding> & { spec: Draft<ModelBinding["spec"]> };

/** A stored ModelBinding that gives mnist-v1 to the pods with the label app=web. */
export function makeBinding(tweak: Tweak<MadeBinding> = () => {}): ModelBinding {
  return frozen<MadeBinding>(
    {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelBinding",
      metadata: {
        name: "web",
        namespace: "team-a",
        creationTimestamp: "2026-11-01T00:00:00Z",
      },
      spec: {
        selector: { matchLabels: { app: "web" } },
        serve: { modelVersion: "mnist-v1" },
      },
    },
    tweak,
  );
}
