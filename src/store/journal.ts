/** What makes the store durable. Implementations: journals/{memory,sqlite,etcd}; proof: test/contract/journal. */

/** One row as it is after a change. `json` undefined = the row is gone. */
export interface JournalEntry {
  readonly kind: string;
  readonly key: string;
  readonly revision: number;
  readonly json: string | undefined;
}

export interface JournalContents {
  /** The last revision ever acknowledged, also when its row is gone. */
  readonly revision: number;
  readonly rows: readonly (JournalEntry & { readonly json: string })[];
}

/** The journal did not take a batch: none of it is, or will come to be, on disk. */
export class JournalRefusal extends Error {
  override readonly name = "JournalRefusal";
}

/**
 * Of a shared journal alone: the right to write was lost while a batch was under way, and nobody can say whether it was
 * written. All of it or none of it is; if it is, it will be delivered like another server's.
 */
export class JournalDoubt extends Error {
  override readonly name = "JournalDoubt";
}

export interface Journal {
  /** A row whose JSON has more bytes than this is never taken. Absent: no limit of its own. */
  readonly maxRowBytes?: number | undefined;
  /** Batches up to this many bytes of JSON cost least; the store makes them no larger where it can choose. */
  readonly preferredBatchBytes?: number | undefined;
  /** Everything durable. Called once, before the first append. */
  load(): Promise<JournalContents>;
  /**
   * Resolves when the whole batch is durable; rejects with JournalRefusal when none of it is, and a shared journal with
   * JournalDoubt, together with its leadership, when that cannot be known. Entries come in order of revision; batches are
   * appended one at a time.
   */
  append(entries: readonly JournalEntry[]): Promise<void>;
  close(): Promise<void>;
}

/** A control-plane process as the others know it. */
export interface ServerIdentity {
  readonly name: string;
  /** `https://HOST:PORT` that other servers reach it at. */
  readonly url: string;
  readonly version: string;
}

/** The right to write, until it is lost. */
export interface Leadership {
  /** Counts up with every change of leader. */
  readonly term: number;
  /**
   * Aborts, with an Error that says why, as soon as this process may no longer write. Never un-aborts. An append that is
   * under way then settles without waiting for anything that may not come.
   */
  readonly lost: AbortSignal;
  /** Gives it up at once, so that another takes over without waiting for the lease. */
  resign(): Promise<void>;
}

/** One of the processes that a shared journal is kept by. */
export interface JournalMember {
  readonly url: string;
  /** Why it is of no use at present; absent = it answers. */
  readonly problem?: string;
}

/** What a follower hears. */
export interface Followed {
  /** One whole batch that a leader has appended; in order, none twice, none left out, from the revision of `load` on. */
  batch(entries: readonly JournalEntry[]): void;
  /** Following has ended for good (history compacted, revoked): the store has to be loaded anew. */
  lost(reason: string): void;
}

/**
 * A journal that several control-plane processes share. One leads and appends; every append also proves that it still
 * leads, so that a deposed leader, however slow it notices, cannot write. The others follow.
 */
export interface SharedJournal extends Journal {
  /**
   * Called once, after `load`. What this process has appended and heard to be durable is not delivered; nothing is while
   * it leads or has an append under way.
   */
  follow(followed: Followed): void;
  /**
   * Resolves once this process leads, and everything that earlier leaders wrote has been delivered. Rejects when `signal`
   * aborts. May be called again after the leadership was lost.
   */
  campaign(me: ServerIdentity, signal: AbortSignal): Promise<Leadership>;
  /** Who leads, as far as this process knows; undefined when nobody does. */
  readonly leader: ServerIdentity | undefined;
  /** Asks each for a second at most; rejects never. Absent: there are none to tell apart. */
  members?(): Promise<readonly JournalMember[]>;
  /** Called whenever `leader` changes. */
  onLeader(listener: (leader: ServerIdentity | undefined) => void): void;
}
