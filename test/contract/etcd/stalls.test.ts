/** Leases so short, and an event loop that is blocked so often, that leaders are deposed at every point of their work. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SeededRandom } from "../../../src/seams/random.ts";
import { JournalDoubt, type JournalEntry, JournalRefusal, type Leadership } from "../../../src/store/journal.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { identity, openEtcdJournal } from "./open-etcd-journal.ts";
import { until } from "./until.ts";

const skip = canRunEtcd() ?? false;
const TTL_MS = 300;
const PREFIX = "/stalls/";
const limits = { requestBytes: 20_000, operations: 128 };

let etcd: Etcd;
before(async () => {
  if (!skip) etcd = await startEtcd();
});
after(() => etcd?.stop());

/** Campaigns, writes and is deposed, over and over; keeps what it was told. */
class Server {
  readonly name: string;
  readonly known: JournalEntry[] = [];
  readonly acknowledged: JournalEntry[] = [];
  doubts = 0;
  terms = 0;
  #isStopping = false;
  #leadership: Leadership | undefined;

  constructor(name: string) {
    this.name = name;
  }

  async run(random: SeededRandom): Promise<void> {
    const journal = await openEtcdJournal(etcd.endpoints, { prefix: PREFIX, ttlMs: TTL_MS, limits });
    await journal.load();
    const batch = (entries: readonly JournalEntry[]) => {
      assert.ok(!this.#leadership || this.#leadership.lost.aborted, "nothing is delivered to who leads");
      this.known.push(...entries);
    };
    journal.follow({ batch, lost: (reason) => assert.fail(reason) });
    while (!this.#isStopping) {
      try {
        this.#leadership = await journal.campaign(identity(this.name), AbortSignal.timeout(1_000));
        this.terms++;
        while (!this.#leadership.lost.aborted && !this.#isStopping)
          await this.#write(journal.append.bind(journal), random);
        if (random.int(3) === 0) await this.#leadership.resign();
      } catch (error) {
        if (error instanceof JournalDoubt) this.doubts++;
        // A campaign that was lost again, or took too long.
        await new Promise((resolve) => setTimeout(resolve, random.int(50)));
      }
    }
    await this.#leadership?.resign();
    await until(
      () => this.known.at(-1)?.revision === lastRevision,
      () => `${this.name} has ${this.known.at(-1)?.revision}, not ${lastRevision}`,
    );
    await journal.close();
  }

  stop(): void {
    this.#isStopping = true;
  }

  async #write(append: (entries: readonly JournalEntry[]) => Promise<void>, random: SeededRandom): Promise<void> {
    let revision = this.known.at(-1)?.revision ?? 0;
    const count = 1 + random.int(random.int(10) === 0 ? 60 : 3);
    const entries = Array.from({ length: count }, (): JournalEntry => {
      const json = random.int(5) === 0 ? undefined : JSON.stringify(`${this.name}${"x".repeat(random.int(1_000))}`);
      return { kind: "Pod", key: `k${random.int(20)}`, revision: ++revision, json };
    });
    const written = append(entries);
    if (random.int(25) === 0) stall(random.int(2 * TTL_MS));
    try {
      await written;
      this.known.push(...entries);
      this.acknowledged.push(...entries);
    } catch (error) {
      assert.ok(error instanceof JournalRefusal || error instanceof JournalDoubt, String(error));
      if (error instanceof JournalDoubt) this.doubts++;
    }
  }
}

let lastRevision = -1;

function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe("etcd: leaders that stall", { skip }, () => {
  test("whatever each was told, all come to know the same entries in the same order, and nothing acknowledged is missing", async () => {
    const servers = ["a", "b", "c"].map((name) => new Server(name));
    const running = servers.map((server) => server.run(new SeededRandom(server.name)));
    const ended = Promise.all(running);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 6_000))]);
    for (const server of servers) server.stop();
    // Who is in a campaign gives up within a second; then nobody writes.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const late = await openEtcdJournal(etcd.endpoints, { prefix: PREFIX, limits });
    const { revision, rows } = await late.load();
    await late.close();
    lastRevision = revision;
    await ended;
    const [first] = servers;
    for (const { known } of servers) assert.deepEqual(known, first?.known);
    const sequence = first?.known ?? [];
    assert.deepEqual(
      sequence.map((entry) => entry.revision),
      Array.from({ length: revision }, (_, n) => n + 1),
    );
    for (const { acknowledged } of servers) {
      for (const entry of acknowledged) assert.deepEqual(sequence[entry.revision - 1], entry);
    }
    const state = new Map<string, JournalEntry>();
    for (const entry of sequence) state.set(entry.key, entry);
    const there = [...state.values()].filter(({ json }) => json !== undefined);
    assert.deepEqual(
      rows.toSorted((x, y) => x.revision - y.revision),
      there.toSorted((x, y) => x.revision - y.revision),
    );
    assert.ok(servers.reduce((sum, { terms }) => sum + terms, 0) > 3, "leaders were deposed");
  });
});
