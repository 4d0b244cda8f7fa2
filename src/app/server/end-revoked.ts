import type { OpenStreams } from "../../http/open-streams.ts";
import { type User, users } from "../../model/user.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";

/** Ends what a user has open who lost a token or a grant; whoever still may connects again. Until the store is closed. */
export async function endRevoked(store: Store, streams: OpenStreams, log: Log): Promise<void> {
  for (;;) {
    try {
      for await (const changes of store.watch({ kinds: [users] })) {
        for (const change of changes) if (takesBack(change)) cut(change.object.metadata.name, streams, log);
      }
      return;
    } catch (error) {
      const { reason } = error as { readonly reason?: string };
      if (reason === "Unavailable") return;
      if (reason !== "Expired") throw error;
    }
  }
}

function cut(name: string, streams: OpenStreams, log: Log): void {
  const ended = streams.cut(name);
  if (ended > 0) log.info("streams of a user ended, whose rights changed", { user: name, streams: ended });
}

function takesBack({ type, before: earlier, object }: Change): boolean {
  const [before, after] = [earlier as User | undefined, object as User];
  if (!before || type === "removed") return type === "removed";
  const grants = new Set(after.spec.grants.map(({ role, namespace }) => `${role} ${namespace ?? ""}`));
  const tokens = new Set(after.spec.tokens.map(({ id }) => id));
  return (
    before.spec.grants.some(({ role, namespace }) => !grants.has(`${role} ${namespace ?? ""}`)) ||
    before.spec.tokens.some(({ id }) => !tokens.has(id))
  );
}
