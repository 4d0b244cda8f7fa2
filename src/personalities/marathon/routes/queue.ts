/** /v2/queue: what waits and why; taking a delay away (specification 2.2). */
import type { RequestContext, Route } from "../../../http/route.ts";
import { ApiError } from "../../../model/errors.ts";
import type { PersonalityContext } from "../../personality.ts";
import { visibleApp } from "../deploy.ts";
import { apps } from "../kinds.ts";
import { isDelayed, queueEntries } from "../queue.ts";
import { answer } from "./answer.ts";
import { idOf } from "./app-id.ts";

export function queueRoutes({ store, clock }: PersonalityContext): readonly Route[] {
  const resource = "queue";
  return [
    { method: "GET", path: "/v2/queue", access: { verb: "read", resource }, handle: (_, context) => list(context) },
    {
      method: "DELETE",
      path: "/v2/queue/:id{.+}/delay",
      access: { verb: "write", resource },
      handle: (_, context) => resetDelay(context),
    },
  ];

  function list(context: RequestContext): Response {
    const lastUnusedOffers = context.url.searchParams.getAll("embed").includes("lastUnusedOffers");
    return answer({ queue: queueEntries(store, { nowMs: clock.now(), lastUnusedOffers }) }, context);
  }

  async function resetDelay(context: RequestContext): Promise<Response> {
    const id = idOf(context);
    await store.update((tx) => {
      const app = visibleApp(tx, id);
      const isQueued = app && (isDelayed(app, tx.nowMs) || hasEntry(id));
      if (!isQueued) throw new ApiError("NotFound", `Application ${id} not found in tasks queue.`);
      const { backoff: _, ...status } = app.status;
      tx.update(apps, { ...app, status });
    });
    return answer(undefined, context, { status: 204 });
  }

  function hasEntry(id: string): boolean {
    const entries = queueEntries(store, { nowMs: clock.now(), lastUnusedOffers: false });
    return entries.some((entry) => (entry as { app: { id: string } }).app.id === id);
  }
}
