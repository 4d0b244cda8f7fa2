/** Something of the store that nodes are told of: turns objects into entries, a batch of changes at a time, looking only at what changed. */
import type { Kind } from "../model/meta.ts";
import type { NetworkEntry, NetworkEntryKind } from "../model/network.ts";
import type { Change, Reader } from "../store/transaction.ts";

/** Which nodes an entry is for: everybody, or those through which HTTP comes in from outside (NodeEntry.isWayIn). */
export type Audience = "all" | "ways-in";

/** An entry that is as it was before is not sent again. */
export interface EntrySink {
  /** Without a word of whom it is for, it is for all. */
  put(entry: NetworkEntry, audience?: Audience): void;
  remove(kind: NetworkEntryKind, id: string): void;
}

/** Each owns its entries' kinds, or ids of its own among them. Keeps what indexes it needs itself. */
export interface EntrySource {
  readonly name: string;
  /** What it is told the changes of. */
  readonly kinds: readonly Kind[];
  /** Everything there is; called once, and again with a fresh instance after changes were missed. */
  begin(reader: Reader, sink: EntrySink): void;
  /** `reader` shows the state after all of the changes, or a later one. */
  changed(changes: readonly Change[], reader: Reader, sink: EntrySink): void;
}
