import { buildPrograms } from "./build.ts";
import { type ImageRecipe, pushImage } from "./images/push.ts";
import {
  busyboxRecipe,
  kanikoRecipe,
  nodeBaseRecipe,
  pauseRecipe,
  type RecipeOptions,
} from "./images/recipes.ts";

export interface NodeImageOptions extends RecipeOptions {
  /** Host and port of the registry. */
  readonly registry: string;
}

const RECIPES = {
  pause: pauseRecipe,
  busybox: busyboxRecipe,
  kaniko: kanikoRecipe,
  nodeBase: nodeBaseRecipe,
} as const satisfies Record<string, (options: RecipeOptions) => Promise<ImageRecipe>>;

/** The images that are made here because a closed machine cannot pull them. */
export type NodeImageName = keyof typeof RECIPES;

/**
 * Makes and pushes the named images, one after the other, where the registry does not have them yet; gives them as
 * repo@digest. Each also has the tag `1`: `pause:1` is the sandbox that containerd's configuration names.
 */
export async function pushNodeImages<Name extends NodeImageName>(
  names: readonly Name[],
  options: NodeImageOptions,
): Promise<Readonly<Record<Name, string>>> {
  const { crane } = await buildPrograms(["crane"], options);
  const images: Partial<Record<NodeImageName, string>> = {};
  for (const name of names)
    images[name] = await pushImage(await RECIPES[name](options), { ...options, crane });
  return images as Record<Name, string>;
}
