/**
 * The journal that several servers share, on an etcd cluster (v3.4 and later). Every write compares the leadership key, so
 * that a deposed leader cannot write however late it notices; everybody else follows by a watch. keys.ts says what lies
 * where, term.ts how leading is kept and lost, batch-plan.ts how a batch is written.
 */
import { assert } from "../../../lib/assert.ts";
import type { Clock } from "../../../seams/clock.ts";
import type { Log } from "../../../seams/log.ts";
import {
  type Followed,
  type JournalContents,
  type JournalEntry,
  type JournalMember,
  JournalRefusal,
  type Leadership,
  type ServerIdentity,
  type SharedJournal,
} from "../../journal.ts";
import { Appender } from "./appender.ts";
import { type BatchLimits, DEFAULT_LIMITS, maxRowBytes } from "./batch-plan.ts";
import { campaign, type Won } from "./campaign.ts";
import { EtcdClient, type EtcdConnection } from "./client.ts";
import { ClusterClaim } from "./cluster-claim.ts";
import { compactRegularly } from "./compaction.ts";
import { Delivery } from "./delivery.ts";
import { decodeHead } from "./head.ts";
import { type Keys, keysBelow, textOf } from "./keys.ts";
import { Mirror } from "./mirror.ts";
import { checkVersion, persistently } from "./open.ts";
import { Progress } from "./progress.ts";
import type { WatchEvent } from "./rpc/messages.ts";
import { type LeaderRecord, Sight } from "./sight.ts";
import { readSnapshot, type Snapshot, withStaged } from "./snapshot.ts";
import { Term } from "./term.ts";
import { Watcher } from "./watcher.ts";

export interface EtcdJournalOptions extends EtcdConnection {
  readonly clock: Clock;
  readonly log: Log;
  /** Default /styrmann/. */
  readonly prefix?: string;
  /** Written with the first batch, and compared at every start: two clusters below one prefix would destroy each other. */
  readonly clusterId?: string;
  /** How long nothing is heard of a leader before another takes over. Default 3,000. */
  readonly ttlMs?: number;
  /** How often the leader compacts etcd's history; 0 = never, because somebody else does. Default 5 minutes. */
  readonly compactEveryMs?: number;
  /** How long `open` and `load` try to reach etcd. Default 10,000. */
  readonly patienceMs?: number;
  readonly limits?: BatchLimits;
}

export const DEFAULT_PREFIX = "/styrmann/";
const DEFAULT_TTL_MS = 3_000;
const DEFAULT_COMPACTION_MS = 5 * 60_000;
const COMPACTION_BYTES = 200_000_000;
const DEFAULT_PATIENCE_MS = 10_000;
const BATCH_BYTES = 1_000_000;
/** Of the lease: another member is asked while there is time left for its answer. */
const ATTEMPT = 1 / 3;
/** A member that takes longer than this is no help to anybody. */
const MEMBER_MS = 1_000;

export class EtcdJournal implements SharedJournal {
  readonly preferredBatchBytes = BATCH_BYTES;
  readonly maxRowBytes: number;
  readonly #options: EtcdJournalOptions;
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #ttlMs: number;
  readonly #sight: Sight;
  readonly #delivery = new Delivery();
  readonly #mirror: Mirror;
  readonly #claim: ClusterClaim;
  #watcher: Watcher | undefined;
  #term: Term | undefined;
  #appender: Appender | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #head: { revision: number; stagedId: string | undefined } = { revision: 0, stagedId: undefined };
  readonly #progress = new Progress();
  /** Aborts when this journal is closed, or can no longer follow. */
  readonly #ended = new AbortController();

  /** Reaches etcd and checks that it will do. Rejects with JournalRefusal in words. */
  static async open(options: EtcdJournalOptions): Promise<EtcdJournal> {
    const journal = new EtcdJournal(options);
    try {
      await journal.#persistently(() => checkVersion(journal.#client));
      return journal;
    } catch (error) {
      journal.#client.close();
      throw error;
    }
  }

  private constructor(options: EtcdJournalOptions) {
    if (options.endpoints.length === 0) throw new JournalRefusal("no address of an etcd was given");
    this.#options = options;
    this.#client = new EtcdClient(options, options.clock);
    this.#keys = keysBelow(options.prefix ?? DEFAULT_PREFIX);
    this.#ttlMs = options.ttlMs ?? DEFAULT_TTL_MS;
    this.#sight = new Sight(options.clock, this.#ttlMs);
    this.#mirror = new Mirror(this.#keys);
    this.#claim = new ClusterClaim(this.#keys.prefix, options.clusterId);
    this.maxRowBytes = maxRowBytes(this.#limits);
  }

  get leader(): ServerIdentity | undefined {
    return this.#sight.leader;
  }

  members(): Promise<readonly JournalMember[]> {
    return this.#client.members(MEMBER_MS);
  }

  onLeader(listener: (leader: ServerIdentity | undefined) => void): void {
    this.#sight.onLeader(listener);
  }

  async load(): Promise<JournalContents> {
    assert(!this.#watcher, "a journal is loaded once");
    const snapshot = await this.#persistently(() => readSnapshot(this.#client, this.#keys));
    if (snapshot.cluster) this.#claim.check(snapshot.cluster);
    this.#learn(snapshot);
    this.#watcher = this.#watch(snapshot);
    this.#watcher.start();
    return { revision: snapshot.head.revision, rows: withStaged(snapshot, this.#mirror, this.#keys) };
  }

  follow(followed: Followed): void {
    assert(this.#watcher, "a journal is followed from what was loaded on");
    this.#delivery.follow(followed);
  }

  async campaign(me: ServerIdentity, signal: AbortSignal): Promise<Leadership> {
    assert(this.#watcher && !this.#term, "one campaign at a time, after the journal was loaded");
    const { clock, log } = this.#options;
    const common = { client: this.#client, keys: this.#keys, ttlMs: this.#ttlMs, clock, log };
    const either = AbortSignal.any([signal, this.#ended.signal]);
    // Of an earlier term everything has to be settled and told.
    await this.#turn;
    const won = await campaign({ ...common, sight: this.#sight, ...this.#claim.news }, me, either);
    const { record, revision: leaderRevision, sinceMs } = won;
    const term = new Term({ ...common, record, leaderRevision, sinceMs, ended: () => this.#endTerm() });
    this.#term = term;
    term.start();
    try {
      await this.#takeOver(term, won, AbortSignal.any([either, term.lost]));
      return term;
    } catch (error) {
      await term.resign();
      throw error;
    }
  }

  append(entries: readonly JournalEntry[]): Promise<void> {
    const appended = this.#turn.then(() => this.#append(entries));
    // What was staged is worked into the rows before the next batch; this one counts without it.
    this.#turn = appended.then(
      () => this.#appender?.settleSoon(),
      (error: unknown) => error,
    );
    return appended;
  }

  async close(): Promise<void> {
    this.#ended.abort(new JournalRefusal("the journal is closed"));
    await this.#term?.resign();
    await this.#turn;
    this.#watcher?.stop();
    this.#sight.stop();
    this.#client.close();
  }

  get #limits(): BatchLimits {
    return this.#options.limits ?? DEFAULT_LIMITS;
  }

  #persistently<T>(ask: () => Promise<T>): Promise<T> {
    const { clock, patienceMs } = this.#options;
    return persistently(ask, { clock, withinMs: patienceMs ?? DEFAULT_PATIENCE_MS });
  }

  #learn({ revision, head, headRevision, pieces, leader, pulseRevision, cluster }: Snapshot): void {
    this.#progress.saw(revision);
    this.#head = { revision: headRevision, stagedId: head.staged?.id };
    this.#sight.sawTerm(head.term);
    for (const piece of pieces) this.#mirror.sawPiece(piece);
    if (leader) this.#sight.sawLeader(leader.record, leader.revision);
    if (pulseRevision > 0) this.#sight.sawPulse(true, pulseRevision);
    if (cluster) this.#claim.saw(cluster.revision);
  }

  #watch({ revision, clusterId }: Snapshot): Watcher {
    const { clock, log } = this.#options;
    const { prefix: key, end } = this.#keys;
    return new Watcher({
      ...{ client: this.#client, clock, log, key, end, after: revision, clusterId },
      revision: (at, events) => this.#take(at, events),
      lost: (reason) => this.#lose(reason),
    });
  }

  #take(revision: number, events: readonly WatchEvent[]): void {
    for (const { type, kv } of events) {
      if (kv.key === this.#keys.pulse) this.#sight.sawPulse(type === "put", kv.modRevision);
      if (kv.key === this.#keys.leader) this.#sawLeader(type === "put" ? textOf(kv.value) : undefined, kv.modRevision);
      if (kv.key === this.#keys.cluster) this.#claim.saw(type === "put" ? kv.modRevision : 0);
      if (kv.key === this.#keys.head && type === "put") {
        this.#head = { revision: kv.modRevision, stagedId: decodeHead(textOf(kv.value)).staged?.id };
      }
    }
    const batch = this.#mirror.take(events);
    if (batch) {
      this.#sight.sawTerm(batch.term);
      this.#delivery.push(batch);
    }
    this.#progress.saw(revision);
  }

  #sawLeader(text: string | undefined, revision: number): void {
    const record = text === undefined ? undefined : (JSON.parse(text) as LeaderRecord);
    if (this.#term && revision > this.#term.leaderRevision) {
      this.#term.lose(record ? `${record.name} leads now` : "the leader's key in etcd is gone");
    }
    this.#sight.sawLeader(record, revision);
  }

  #lose(reason: string): void {
    this.#ended.abort(new JournalRefusal(reason));
    this.#term?.lose(reason);
    this.#delivery.lost(reason);
  }

  /** What earlier leaders wrote comes first: the key that was won is behind it in etcd's order. */
  async #takeOver(term: Term, { record, revision }: Won, signal: AbortSignal): Promise<void> {
    await this.#progress.reached(revision, signal);
    if (this.#delivery.waiting > 0) throw new JournalRefusal("others have written since this journal was loaded");
    this.#sight.sawLeader(record, revision);
    this.#delivery.lead(record.term);
    const { clock, log, compactEveryMs } = this.#options;
    const common = { client: this.#client, clock, log, keys: this.#keys, limits: this.#limits };
    const appender = new Appender({
      ...common,
      term,
      attemptMs: this.#ttlMs * ATTEMPT,
      headRevision: this.#head.revision,
    });
    await appender.takeOver(this.#mirror, this.#head.stagedId);
    signal.throwIfAborted();
    this.#appender = appender;
    const everyMs = compactEveryMs ?? DEFAULT_COMPACTION_MS;
    if (everyMs === 0) return;
    const round = { everyMs, everyBytes: COMPACTION_BYTES, written: () => appender.written, signal: term.lost };
    void compactRegularly({ client: this.#client, clock, log, key: this.#keys.compaction, ...round });
  }

  async #append(entries: readonly JournalEntry[]): Promise<void> {
    const appender = this.#appender;
    if (!appender) throw new JournalRefusal("this server does not lead");
    await appender.append(entries);
    this.#delivery.appended(entries.at(-1)?.revision ?? 0);
  }

  /** Others' batches are told once the append under way has its answer. */
  #endTerm(): void {
    this.#term = undefined;
    this.#appender = undefined;
    this.#turn = this.#turn.then(() => this.#delivery.release());
  }
}
