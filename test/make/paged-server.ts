import type { ApiServer, RequestOptions } from "../../src/kube/client.ts";
import { ApiError } from "../../src/kube/errors.ts";

/** An API server that has one collection, and what it was asked. */
export interface PagedServer extends ApiServer {
  readonly asked: readonly (RequestOptions & { readonly path: string })[];
}

/** An API server that answers every list with these pages; the token of a page that has `expired` is refused. */
export function makePagedServer(
  pages: readonly (readonly object[])[],
  options: { readonly expired?: number } = {},
): PagedServer {
  const asked: PagedServer["asked"][number][] = [];
  return {
    asked,
    url: "https://test",
    async request<T>(_method: string, path: string, request: RequestOptions = {}): Promise<T> {
      asked.push({ path, ...request });
      const { limit, continue: token = "0" } = request.query ?? {};
      const index = Number(token);
      if (limit !== undefined && index === options.expired) throw gone(path);
      const isLast = limit === undefined || index + 1 >= pages.length;
      const items = limit === undefined ? pages.flat() : (pages[index] ?? []);
      const next = isLast ? {} : { continue: String(index + 1) };
      return { metadata: { resourceVersion: "7", ...next }, items } as T;
    },
    stream: async () => {
      throw new Error("nothing is watched");
    },
    close: async () => {},
  };
}

function gone(path: string): ApiError {
  const message = "The provided continue parameter is too old";
  return new ApiError({ status: 410, reason: "Expired", message, details: {}, request: path });
}
