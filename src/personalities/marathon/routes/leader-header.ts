import type { Route } from "../../../http/route.ts";

export const LEADER_HEADER = "X-Marathon-Leader";

/**
 * Of several servers the header names the one that leads, whichever was asked; clients that find the asked one there take
 * it for the leader. `leader` absent: the one that there is, under the address that the client used.
 */
export function withLeaderHeader(
  routes: readonly Route[],
  leader: (() => string | undefined) | undefined,
): readonly Route[] {
  if (leader === undefined) return routes;
  return routes.map((route) => ({
    ...route,
    handle: async (request, context) => {
      const response = await route.handle(request, context);
      if (!response.headers.has(LEADER_HEADER)) return response;
      const url = leader();
      if (url === undefined) response.headers.delete(LEADER_HEADER);
      else response.headers.set(LEADER_HEADER, url);
      return response;
    },
  }));
}
