import { isNode } from "yaml";
import type { KubeObject } from "../api/kube-types.ts";
import { workloadOf } from "../jobs/workloads.ts";
import { injectionOf, type Said } from "./injection.ts";
import { patchDocument } from "./patch-document.ts";
import { printDocument } from "./print-document.ts";
import type { World } from "./world.ts";
import type { FoundObject, YamlDocument } from "./yaml-file.ts";

/** A file that was read. */
export interface SourceFile {
  /** As the user named it. */
  readonly name: string;
  readonly text: string;
  readonly documents: readonly YamlDocument[];
}

/** What is to be injected, and by what. */
export interface InjectRequest {
  readonly files: readonly SourceFile[];
  readonly world: World;
  /** Namespace of what names none. */
  readonly namespace: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The files as the cluster would have them, and what is said of their objects. */
export interface InjectResult {
  readonly files: readonly {
    readonly name: string;
    readonly before: string;
    readonly after: string;
  }[];
  readonly said: readonly SaidOf[];
}

/** Something that is said of an object of a file. */
interface SaidOf extends Said {
  /** `FILE:LINE kind/name: message`. */
  readonly line: string;
}

/** Puts models into the pods of files. The trees of the documents are changed; their texts keep all that does not change. */
export function injectFiles({ files, world, namespace, now }: InjectRequest): InjectResult {
  const said: SaidOf[] = [];
  const injected = files.map(({ name, text, documents }) => {
    const texts = documents.map((document) => {
      const answers = document.objects.map((found) => {
        const { object } = found;
        const place = { world, namespace: object.metadata?.namespace || namespace, now };
        return { found, injection: injectionOf(object, place) };
      });
      for (const { found, injection } of answers) {
        for (const each of injection.said) {
          const line = `${placeOf(name, document, found)}: ${each.message}`;
          said.push({ ...each, line });
        }
      }
      const patches = answers.flatMap(({ found, injection }) =>
        injection.patches.map((patch) => ({ ...patch, pointer: found.pointer + patch.pointer })),
      );
      for (const { pointer, operations } of patches) {
        patchDocument(document.tree, pointer, operations);
      }
      return patches.length === 0
        ? text.slice(document.start, document.end)
        : printDocument(document);
    });
    return { name, before: text, after: documents.length === 0 ? text : texts.join("") };
  });
  return { files: injected, said };
}

/** True for an object that is a pod, or makes pods. */
export function isInjectable(object: KubeObject): boolean {
  const isPod = object.apiVersion === "v1" && object.kind === "Pod";
  return isPod || workloadOf(object) !== undefined;
}

/** An object of a file as it is named to people: `FILE:LINE kind/name`. */
export function placeOf(
  file: string,
  { text, start, tree }: YamlDocument,
  { pointer, object: { kind, metadata } }: FoundObject,
): string {
  const path = pointer.split("/").slice(1);
  const node: unknown = path.length === 0 ? tree.contents : tree.getIn(path, true);
  const position = (isNode(node) ? node.range?.[0] : undefined) ?? start;
  const line = text.slice(0, position).split("\n").length;
  return `${file}:${line} ${kind}/${metadata?.name || metadata?.generateName || "?"}`;
}
