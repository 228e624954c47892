import type { Model } from "../../src/api/model.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";

/** A Model as it is stored, of which nothing is known yet. */
export function makeModel(tweak: Tweak<Draft<Model>> = () => {}): Model {
  return frozen<Draft<Model>>(
    {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "Model",
      metadata: {
        name: "mnist",
        namespace: "team-a",
        uid: "m1",
        resourceVersion: "7",
        generation: 1,
      },
      spec: {},
    },
    tweak,
  );
}
