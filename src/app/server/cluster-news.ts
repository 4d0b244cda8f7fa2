import { type Joining, serverUrls } from "../../api/joining.ts";
import type { ClusterNews } from "../../model/cluster-news.ts";
import { CLUSTER_TRUST_NAME, clusterTrusts } from "../../model/cluster-trust.ts";
import { ApiError } from "../../model/errors.ts";
import { servers } from "../../model/server.ts";
import type { Store } from "../../store/store.ts";
import { newsOf } from "../../trust/authorities.ts";

/** What agents are told to find the cluster again; undefined until its CA is written down. */
export function clusterNews(store: Store, joining: Joining): ClusterNews | undefined {
  const trust = store.get(clusterTrusts, CLUSTER_TRUST_NAME);
  return trust && newsOf(trust.spec, serverUrls(store, joining));
}

/** Calls `tell` whenever the news may have changed. Ends with `signal`, or with the store. */
export async function followNews(store: Store, tell: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const _changes of store.watch({ kinds: [servers, clusterTrusts], signal })) tell();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.reason === "Unavailable") return;
      tell();
    }
  }
}
