/** Changes of the store, on their way to the agents that they concern: each is looked at once, whatever the number of agents. */
import { ApiError } from "../model/errors.ts";
import { type Pod, pods } from "../model/pod.ts";
import { restorations } from "../model/restoration.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";
import type { AgentLink } from "./agent-link.ts";
import type { Sessions } from "./sessions.ts";

/** Until the signal is given, or the store is closed. */
export async function followAssignments(store: Store, sessions: Sessions, signal: AbortSignal): Promise<void> {
  let since = store.revision;
  while (!signal.aborted) {
    try {
      for await (const changes of store.watch({ kinds: [pods, restorations], since, signal })) route(changes, sessions);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The store is closed.
      if (error.reason === "Unavailable") return;
      since = store.revision;
      startOver(sessions);
    }
  }
}

function route(changes: readonly Change[], sessions: Sessions): void {
  const touched = new Set<AgentLink>();
  // Whether what is not listed goes on is said with all that is.
  if (changes.some(({ kind }) => kind.name === restorations.name)) startOver(sessions);
  for (const { type, key, kind, object } of changes) {
    if (kind.name !== pods.name) continue;
    const { spec, metadata } = object as Pod;
    const session = spec.nodeName === undefined ? undefined : sessions.get(spec.nodeName);
    if (!session) continue;
    if (type === "removed") session.calls.forget(metadata.uid);
    for (const feed of session.link.feeds.values()) feed.touch(metadata.uid, key);
    touched.add(session.link);
  }
  for (const { feeds } of touched) for (const feed of feeds.values()) feed.pump();
}

function startOver(sessions: Sessions): void {
  for (const { link } of sessions.values()) {
    for (const feed of link.feeds.values()) {
      feed.startOver();
      feed.pump();
    }
  }
}
