import { describe, expect, test } from "vitest";
import { makePagedServer, type PagedServer } from "../../test/make/paged-server.ts";
import type { Pod } from "../api/kube-types.ts";
import { isGone } from "./errors.ts";
import { listAll, listPages } from "./list.ts";
import { resources } from "./resources.ts";

const PAGES = [[named("a"), named("b")], [named("c")]];

function named(name: string): object {
  return { metadata: { name } };
}

function tokens({ asked }: PagedServer): readonly unknown[] {
  return asked.map(({ query }) => [query?.["limit"], query?.["continue"]]);
}

async function names(pages: ReturnType<typeof listPages<Pod>>): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const { items } of pages) found.push(items.map(({ metadata }) => metadata?.name));
  return found;
}

describe("a collection", () => {
  test("is read whole, every object with its type", async () => {
    const api = makePagedServer(PAGES);
    expect(await listAll(api, resources.pods)).toEqual({
      items: ["a", "b", "c"].map((name) => ({ apiVersion: "v1", kind: "Pod", metadata: { name } })),
      resourceVersion: "7",
    });
    expect(tokens(api)).toEqual([
      [500, undefined],
      [500, "1"],
    ]);
  });

  test("is read in one page when the token of the next one has expired", async () => {
    const api = makePagedServer(PAGES, { expired: 1 });
    expect((await listAll(api, resources.pods)).items).toHaveLength(3);
    expect(tokens(api)).toEqual([
      [500, undefined],
      [500, "1"],
      [undefined, undefined],
    ]);
  });

  test("that is empty has no objects", async () => {
    expect((await listAll(makePagedServer([]), resources.pods)).items).toEqual([]);
  });
});

describe("page by page", () => {
  test("it asks for a page when the one before was taken", async () => {
    const api = makePagedServer(PAGES);
    const pages = listPages<Pod>(api, resources.pods, { pageSize: 2 });
    expect(api.asked).toEqual([]);
    await pages.next();
    expect(tokens(api)).toEqual([[2, undefined]]);
    expect(await names(pages)).toEqual([["c"]]);
  });

  test("a token that has expired is told, since the pages so far are half a view", async () => {
    const pages = listPages<Pod>(makePagedServer(PAGES, { expired: 1 }), resources.pods);
    await expect(names(pages)).rejects.toSatisfy(isGone);
  });
});
