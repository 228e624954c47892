import type { CustomResourceDefinition, KubeObject } from "../api/kube-types.ts";
import type { Exporters } from "../gather/exporters.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import type { ApiServer } from "../kube/client.ts";
import { startInformer, type Informer } from "../kube/informer.ts";
import { resources } from "../kube/resources.ts";
import { createStore } from "../kube/store.ts";
import { find } from "../kube/write.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Starts the watch of one kind. */
export type WatchKind = (
  of: Exporters["stores"][number],
  signal: AbortSignal,
) => Pick<Informer, "synced" | "stopped">;

/** Kinds that every API server has. */
const BUILT_IN: ReadonlySet<string> = new Set(["", "batch"]);

/** How long the first list of a kind is waited for. */
const SYNC_MS = 30_000;

/** How soon a definition is read again that could not be read. */
const RETRY_MS = 5000;

/**
 * Watches the exporting jobs of every kind that the cluster has: those that it brings at once, the others from the moment that
 * their definition serves their version until it does so no more. The definitions are followed by their metadata, and one is read
 * when it changes and is of a kind in the table; a kind that is absent is never asked for.
 */
export function startKindWatches(
  { stores }: Exporters,
  watchKind: WatchKind,
  options: { readonly api: ApiServer; readonly log: Logger; readonly signal: AbortSignal },
): Pick<Informer, "synced" | "stopped"> {
  const { api, log, signal } = options;
  const running = new Map<
    JobKind,
    { readonly end: () => void; readonly informer: Pick<Informer, "synced" | "stopped"> }
  >();
  /** The latest look at each definition; looks at one are made one after the other. */
  const looks = new Map<string, Promise<void>>();

  function start(of: Exporters["stores"][number]): void {
    if (running.has(of.kind) || signal.aborted) return;
    const controller = new AbortController();
    const until = AbortSignal.any([signal, controller.signal]);
    const informer = watchKind(of, until);
    running.set(of.kind, { end: () => controller.abort(new Error("the kind has gone")), informer });
  }

  function stop({ kind, store }: Exporters["stores"][number]): void {
    running.get(kind)?.end();
    running.delete(kind);
    store.replace([]);
  }

  async function look(name: string, rows: Exporters["stores"]): Promise<void> {
    try {
      const served = await servedVersions(api, name, signal);
      for (const each of rows) if (served.includes(each.kind.version)) start(each);
      for (const each of rows) if (!served.includes(each.kind.version)) stop(each);
    } catch (err) {
      if (signal.aborted) return;
      log.warn({ err, definition: name }, "A kind of jobs can not be looked at; trying again");
      setTimeout(() => lookAgain(name), RETRY_MS).unref();
    }
  }

  function lookAgain(name: string): void {
    const rows = stores.filter(({ kind }) => `${kind.plural}.${kind.group}` === name);
    if (rows.length === 0 || signal.aborted) return;
    const before = looks.get(name) ?? Promise.resolve();
    looks.set(
      name,
      before.then(async () => look(name, rows)),
    );
  }

  for (const each of stores) if (BUILT_IN.has(each.kind.group)) start(each);
  const definitions = startInformer<KubeObject>(api, resources.customresourcedefinitions, {
    store: createStore(),
    metadataOnly: true,
    onChange: ({ object }) => lookAgain(object.metadata?.name ?? ""),
    log,
    signal,
  });

  async function sync(): Promise<void> {
    await inTime(definitions.synced, "the definitions of kinds");
    await Promise.all(looks.values());
    const kinds = [...running].map(async ([{ plural, group }, { informer }]) =>
      inTime(informer.synced.catch(unlessGone), `${plural}.${group}`),
    );
    await Promise.all(kinds);
  }

  /** The watch of a kind ends when the kind goes; nobody waits for that one any more. */
  function unlessGone(reason: unknown): void {
    if (signal.aborted) throw reason;
  }

  /** A kind that can not be listed, for want of a right or a broken conversion, must not keep all others from being led. */
  async function inTime(synced: Promise<void>, what: string): Promise<void> {
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), SYNC_MS).unref();
    const isSynced = await Promise.race([synced.then(() => true), late.promise]).finally(() =>
      clearTimeout(timer),
    );
    if (!isSynced) log.error({ what }, "These can not be listed; the others are led without them");
  }

  async function end(): Promise<void> {
    await definitions.stopped;
    await Promise.all(looks.values());
    await Promise.all([...running.values()].map(async ({ informer }) => informer.stopped));
  }

  const synced = sync();
  // Whoever awaits it still gets the rejection; nobody has to.
  synced.catch(() => {});
  return { synced, stopped: end() };
}

/** The versions that a definition serves, once the API server has taken it up; none when it is gone. */
async function servedVersions(
  api: ApiServer,
  name: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const definition = await find<CustomResourceDefinition>(
    api,
    resources.customresourcedefinitions,
    { name },
    { signal },
  );
  const isEstablished = (definition?.status?.conditions ?? []).some(
    (each) => each.type === "Established" && each.status === "True",
  );
  if (definition === undefined || !isEstablished) return [];
  return definition.spec.versions.filter((each) => each.served).map((each) => each.name);
}
