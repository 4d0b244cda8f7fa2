/**
 * The leases of all nodes, in memory. A heartbeat costs a look-up and a few fields: the heap of deadlines is not touched
 * by it, an entry that turns out to have been put off is put back when it comes up.
 */
import { Heap } from "../../lib/heap.ts";
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import type { Goodbye, Heartbeat } from "../../model/heartbeat.ts";
import { dueMs, isAway, isTakenDown, type Lease, NO_GRACE, newLease, restOfGrace } from "./lease.ts";

/** What a heartbeat was. A stale one came late or twice and says nothing. */
export type Heard = "stale" | "alive";

/** Sessions remembered of one node: a frame of the one before may still be under way. */
const SESSIONS = 4;

/** After we stood still: until what was sent meanwhile is read. */
const SETTLE_MS = 2_000;

interface Entry {
  readonly atMs: number;
  readonly node: string;
}

export class Leases {
  readonly #leases = new Map<string, Lease>();
  readonly #heap = new Heap<Entry>((a, b) => (a.atMs === b.atMs ? a.node < b.node : a.atMs < b.atMs));
  /** The entry of the heap that counts for a node; others of it are left over. */
  readonly #queued = new Map<string, number>();
  /** Before this nobody's silence means anything, heard or not. */
  #graceMs = NO_GRACE;

  get size(): number {
    return this.#leases.size;
  }

  get(node: string): Lease | undefined {
    return this.#leases.get(node);
  }

  values(): Iterable<Lease> {
    return this.#leases.values();
  }

  add(node: string, nowMs: number, graceMs: number, settings: ClusterSettingsSpec): Lease {
    const lease = newLease(node, nowMs, Math.max(graceMs, this.#graceMs));
    this.#leases.set(node, lease);
    this.schedule(lease, settings);
    return lease;
  }

  remove(node: string): void {
    this.#leases.delete(node);
    this.#queued.delete(node);
  }

  /** Counts a sign of life. Who asks whether the node was lost does so before. */
  hear(lease: Lease, beat: Heartbeat, nowMs: number, settings: ClusterSettingsSpec): Heard {
    const before = lease.sessions.get(beat.session);
    if (before !== undefined && beat.sequence <= before) return "stale";
    if (before === undefined) rememberSession(lease, beat.session);
    lease.sessions.set(beat.session, beat.sequence);
    // Sent before it was taken down.
    if (isTakenDown(lease) && lease.leaving?.goodbye.session === beat.session) return "stale";
    lease.heardMs = nowMs;
    lease.beatMs = nowMs;
    lease.quietMs = undefined;
    lease.unheardMs = 0;
    lease.wasHeld = false;
    lease.hasLived = true;
    lease.hasBeaten = true;
    lease.bootId = beat.bootId;
    // What an agent said before its goodbye may arrive after it.
    if (isAway(lease, nowMs) && lease.leaving?.goodbye.session === beat.session) return "alive";
    lease.leaving = undefined;
    if (lease.graceMs !== this.#graceMs) {
      lease.graceMs = this.#graceMs;
      this.schedule(lease, settings);
    }
    return "alive";
  }

  /** False when it is of a session that another has followed. */
  leave(lease: Lease, goodbye: Goodbye, nowMs: number, graceMs: number): boolean {
    const newest = [...lease.sessions.keys()].at(-1);
    if (newest !== undefined && newest !== goodbye.session) return false;
    lease.leaving = { goodbye, sinceMs: nowMs };
    lease.graceMs = graceMs;
    return true;
  }

  /** Its silence is taken for real. */
  lose(lease: Lease, nowMs: number): void {
    lease.loss = { sinceMs: nowMs };
    lease.hasBeaten = false;
    lease.returnedUntilMs = undefined;
  }

  /** Everybody is taken to have been heard just now, as we could not have heard them; but for who was silent before. */
  renewAll(nowMs: number, waitMs: number): void {
    this.#graceMs = Math.max(this.#graceMs, nowMs + waitMs);
    for (const lease of this.#leases.values()) {
      if (lease.unheardMs === 0) lease.heardMs = nowMs;
      lease.graceMs = Math.max(lease.graceMs, nowMs + restOfGrace(lease, waitMs, SETTLE_MS));
    }
  }

  /** Makes the heap know of a deadline that came nearer. */
  schedule(lease: Lease, settings: ClusterSettingsSpec): void {
    if (lease.loss) return;
    const atMs = dueMs(lease, settings);
    const queued = this.#queued.get(lease.node);
    if (queued !== undefined && queued <= atMs) return;
    this.#queued.set(lease.node, atMs);
    this.#heap.push({ atMs, node: lease.node });
  }

  scheduleAll(settings: ClusterSettingsSpec): void {
    for (const lease of this.#leases.values()) this.schedule(lease, settings);
  }

  /** The nodes whose silence has become long enough, in order of time and name. Each is named once, until scheduled again. */
  expire(nowMs: number, settings: ClusterSettingsSpec): readonly Lease[] {
    const expired: Lease[] = [];
    for (let top = this.#heap.peek(); top !== undefined && top.atMs <= nowMs; top = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#queued.get(top.node) !== top.atMs) continue;
      this.#queued.delete(top.node);
      const lease = this.#leases.get(top.node);
      if (!lease || lease.loss) continue;
      if (dueMs(lease, settings) <= nowMs) expired.push(lease);
      else this.schedule(lease, settings);
    }
    return expired;
  }

  /** When `expire` is to be asked again; an entry may turn out to have been put off. */
  get nextMs(): number | undefined {
    return this.#heap.peek()?.atMs;
  }
}

function rememberSession({ sessions }: Lease, session: string): void {
  sessions.set(session, Number.NEGATIVE_INFINITY);
  for (const oldest of sessions.keys()) {
    if (sessions.size <= SESSIONS) break;
    sessions.delete(oldest);
  }
}
