/** A journal in memory that several stores share, one of which leads: an etcd for tests and simulation, with its faults. */
import { assert } from "../../lib/assert.ts";
import type { Clock } from "../../seams/clock.ts";
import {
  type Followed,
  type JournalContents,
  JournalDoubt,
  type JournalEntry,
  JournalRefusal,
  type Leadership,
  type ServerIdentity,
  type SharedJournal,
} from "../journal.ts";

interface Leader {
  readonly member: MemorySharedJournal;
  readonly identity: ServerIdentity;
  readonly term: number;
}

interface Candidate {
  readonly member: MemorySharedJournal;
  readonly identity: ServerIdentity;
  readonly won: (term: number) => void;
}

/** What outlives the processes. Open it once per process. */
export class SharedMemory {
  readonly clock: Clock;
  readonly #rows = new Map<string, JournalEntry & { readonly json: string }>();
  readonly #members = new Set<MemorySharedJournal>();
  #candidates: Candidate[] = [];
  #leader: Leader | undefined;
  #term = 0;
  #revision = 0;
  /** Set to a sentence to make every append fail with it: a full disk. */
  refuseWith: string | undefined;
  /** The next append loses its answer, and its author the leadership; whether it was written is for the author not to know. */
  doubtNext: "written" | "not written" | undefined;
  /** Whoever stands for leader waits. */
  nobodyLeads = false;
  /** How long a batch is on its way to a follower. */
  delayMs = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  open(): MemorySharedJournal {
    const member = new MemorySharedJournal(this);
    this.#members.add(member);
    return member;
  }

  get leader(): ServerIdentity | undefined {
    return this.#leader?.identity;
  }

  contents(): JournalContents {
    return { revision: this.#revision, rows: [...this.#rows.values()] };
  }

  /**
   * Takes the leadership from whoever has it, as when a lease runs out. `unnoticed`: the deposed one learns of it when it
   * next writes, as a process does that stood still.
   */
  depose(why: string, unnoticed = false): void {
    const deposed = this.#leader;
    if (!deposed) return;
    this.#leader = undefined;
    if (!unnoticed) deposed.member.lose(why);
    for (const member of this.#members) member.leaderChanged(undefined);
    this.#elect();
  }

  /** The history is gone: followers have to load anew. */
  compact(): void {
    for (const member of this.#members) if (member !== this.#leader?.member) member.cut("the history was compacted");
  }

  stand(candidate: Candidate): void {
    this.#candidates.push(candidate);
    this.#elect();
  }

  leave(member: MemorySharedJournal): void {
    this.#candidates = this.#candidates.filter((candidate) => candidate.member !== member);
    if (this.#leader?.member === member) this.depose("it gave the leadership up");
  }

  close(member: MemorySharedJournal): void {
    this.leave(member);
    this.#members.delete(member);
  }

  write(author: MemorySharedJournal, entries: readonly JournalEntry[]): void {
    if (this.#leader?.member !== author) throw new JournalRefusal("another server leads");
    if (this.refuseWith !== undefined) throw new JournalRefusal(this.refuseWith);
    const doubt = this.doubtNext;
    this.doubtNext = undefined;
    if (doubt !== "not written") this.#apply(entries);
    for (const member of this.#members) {
      if (doubt !== "not written" && (member !== author || doubt)) member.deliver(entries);
    }
    if (!doubt) return;
    this.depose("the answer of the journal was lost");
    throw new JournalDoubt("the answer of the journal was lost");
  }

  #apply(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      assert(entry.revision > this.#revision, "journal entries come in order of revision");
      this.#revision = entry.revision;
      const id = `${entry.kind}\n${entry.key}`;
      if (entry.json === undefined) this.#rows.delete(id);
      else this.#rows.set(id, { ...entry, json: entry.json });
    }
  }

  #elect(): void {
    if (this.#leader || this.nobodyLeads) return;
    const next = this.#candidates.shift();
    if (!next) return;
    this.#leader = { member: next.member, identity: next.identity, term: ++this.#term };
    for (const member of this.#members) member.leaderChanged(next.identity);
    next.won(this.#term);
  }
}

/** One process's end of a SharedMemory. */
export class MemorySharedJournal implements SharedJournal {
  readonly #shared: SharedMemory;
  readonly #listeners: ((leader: ServerIdentity | undefined) => void)[] = [];
  #followed: Followed | undefined;
  /** On their way here, in order. */
  #queue: { readonly entries: readonly JournalEntry[]; readonly dueMs: number }[] = [];
  #isEnded = false;
  #isLoaded = false;
  #lost: AbortController | undefined;
  #leads = false;

  constructor(shared: SharedMemory) {
    this.#shared = shared;
  }

  get leader(): ServerIdentity | undefined {
    return this.#shared.leader;
  }

  onLeader(listener: (leader: ServerIdentity | undefined) => void): void {
    this.#listeners.push(listener);
  }

  async load(): Promise<JournalContents> {
    this.#queue = [];
    this.#isLoaded = true;
    return this.#shared.contents();
  }

  follow(followed: Followed): void {
    assert(this.#isLoaded, "a journal is followed from what was loaded on");
    this.#followed = followed;
    this.#drainLater();
  }

  async campaign(me: ServerIdentity, signal: AbortSignal): Promise<Leadership> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const stop = () => {
      this.#shared.leave(this);
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    const lost = new AbortController();
    const won = (term: number) => {
      this.#lost = lost;
      resolve(term);
    };
    this.#shared.stand({ member: this, identity: me, won });
    const term = await promise.finally(() => signal.removeEventListener("abort", stop));
    this.#drain(Number.POSITIVE_INFINITY);
    this.#leads = true;
    return { term, lost: lost.signal, resign: async () => this.#shared.leave(this) };
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    try {
      this.#shared.write(this, entries);
    } catch (error) {
      if (this.#shared.refuseWith === undefined) this.lose((error as Error).message);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isEnded = true;
    this.#shared.close(this);
  }

  lose(why: string): void {
    this.#leads = false;
    this.#lost?.abort(new Error(why));
    this.#lost = undefined;
    this.#drainLater();
  }

  deliver(entries: readonly JournalEntry[]): void {
    if (!this.#isLoaded) return;
    const { clock, delayMs } = this.#shared;
    this.#queue.push({ entries, dueMs: clock.monotonic() + delayMs });
    this.#drainLater();
  }

  cut(reason: string): void {
    if (this.#isEnded || !this.#followed) return;
    this.#isEnded = true;
    this.#followed.lost(reason);
  }

  leaderChanged(leader: ServerIdentity | undefined): void {
    for (const listener of this.#listeners) listener(leader);
  }

  #drainLater(inMs = this.#shared.delayMs): void {
    const { clock } = this.#shared;
    clock.setTimer(inMs, () => this.#drain(clock.monotonic()));
  }

  #drain(untilMs: number): void {
    while (this.#followed && !this.#isEnded && !this.#leads) {
      const next = this.#queue[0];
      if (!next) return;
      // Timers of Node may come a moment early.
      if (next.dueMs > untilMs) {
        this.#drainLater(Math.max(1, next.dueMs - untilMs));
        return;
      }
      this.#queue.shift();
      this.#followed.batch(next.entries);
    }
  }
}
