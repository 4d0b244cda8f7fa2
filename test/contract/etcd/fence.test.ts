/** Another server has won and has written nothing, and the one before it does not know: only the key that every write compares can tell. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { JournalRefusal, type Leadership } from "../../../src/store/journal.ts";
import { Appender } from "../../../src/store/journals/etcd/appender.ts";
import { type BatchLimits, DEFAULT_LIMITS } from "../../../src/store/journals/etcd/batch-plan.ts";
import { EtcdClient } from "../../../src/store/journals/etcd/client.ts";
import type { EtcdJournal } from "../../../src/store/journals/etcd/etcd-journal.ts";
import { type Keys, keysBelow, textOf } from "../../../src/store/journals/etcd/keys.ts";
import { Mirror } from "../../../src/store/journals/etcd/mirror.ts";
import type { LeaderRecord } from "../../../src/store/journals/etcd/sight.ts";
import { Term } from "../../../src/store/journals/etcd/term.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { leading, openEtcdJournal } from "./open-etcd-journal.ts";
import { until } from "./until.ts";

const skip = canRunEtcd() ?? false;
const TIMEOUT_MS = 5_000;
/** So long that nothing but etcd can depose anybody in a test. */
const ENDLESS_MS = 60_000;
const clock = new SystemClock();
const ROW = { kind: "Pod", key: "second", revision: 2, json: '"a, late"' };

let etcd: Etcd;
before(async () => {
  if (!skip) etcd = await startEtcd();
});
after(() => etcd?.stop());

/** `a` led, wrote one batch and believes that it leads still; `b` does, and has written nothing. */
class Deposed {
  readonly client = new EtcdClient({ endpoints: etcd.endpoints }, clock);
  readonly keys: Keys;
  readonly #journals: EtcdJournal[] = [];
  headRevision = 0;
  #term: Term | undefined;

  constructor(prefix: string) {
    this.keys = keysBelow(prefix);
  }

  get term(): Term {
    assert.ok(this.#term);
    return this.#term;
  }

  async begin(): Promise<void> {
    const a = await this.#lead("a");
    await a.journal.append([{ kind: "Pod", key: "first", revision: 1, json: '"a"' }]);
    this.headRevision = (await this.read(this.keys.head))?.modRevision ?? 0;
    this.#term = await this.#termOfLeader();
    await a.leadership.resign();
    await this.#lead("b");
  }

  appender(limits: BatchLimits = DEFAULT_LIMITS): Appender {
    const { client, keys, term } = this;
    const common = { client, keys, term, clock, log: silentLog, limits, attemptMs: TIMEOUT_MS };
    return new Appender({ ...common, headRevision: this.headRevision });
  }

  async read(key: string) {
    const { kvs } = await this.client.range({ key }, TIMEOUT_MS);
    return kvs[0];
  }

  async end(): Promise<void> {
    this.client.close();
    for (const journal of this.#journals) await journal.close();
  }

  async #lead(name: string): Promise<{ journal: EtcdJournal; leadership: Leadership }> {
    const journal = await openEtcdJournal(etcd.endpoints, { prefix: this.keys.prefix, ttlMs: ENDLESS_MS });
    this.#journals.push(journal);
    return leading(journal, name);
  }

  /** What the leader has in its hands, for somebody who is told of nothing. */
  async #termOfLeader(): Promise<Term> {
    const leader = await this.read(this.keys.leader);
    assert.ok(leader);
    const record = JSON.parse(textOf(leader.value)) as LeaderRecord;
    const common = { client: this.client, clock, log: silentLog, keys: this.keys, ttlMs: ENDLESS_MS };
    const sinceMs = clock.monotonic();
    return new Term({ ...common, record, leaderRevision: leader.modRevision, sinceMs, ended: () => {} });
  }
}

const isRefusedByEtcd = (error: unknown) => error instanceof JournalRefusal && error.message === "b leads now";

describe("etcd: a leader that was deposed by one who has written nothing, and believes that it leads", { skip }, () => {
  let state: Deposed;
  let count = 0;
  beforeEach(async () => {
    state = new Deposed(`/fence-${++count}/`);
    await state.begin();
    assert.ok(state.term.isValid, "by its own clock it leads");
  });
  afterEach(() => state.end());

  test("its batch is refused by etcd, and then it knows that it is deposed", async () => {
    await assert.rejects(state.appender().append([ROW]), isRefusedByEtcd);
    assert.equal(state.term.lost.aborted, true);
    assert.equal(await state.read(state.keys.row("Pod", "second")), undefined);
    assert.equal((await state.read(state.keys.head))?.modRevision, state.headRevision);
  });

  test("not even a piece of a large batch gets in", async () => {
    const limits = { requestBytes: 5_000, operations: 128 };
    const entries = [2, 3].map((revision) => ({ ...ROW, revision, json: JSON.stringify("x".repeat(3_000)) }));
    await assert.rejects(state.appender(limits).append(entries), isRefusedByEtcd);
    assert.equal(await state.read(`${state.keys.staged}1-3/000000`), undefined);
  });

  test("it does not remove what the other has staged", async () => {
    const key = `${state.keys.staged}2-2/000000`;
    await state.client.txn({ unchanged: [], apply: [{ put: { key, value: "a piece" } }] }, TIMEOUT_MS);
    const piece = await state.read(key);
    assert.ok(piece);
    const mirror = new Mirror(state.keys);
    mirror.sawPiece(piece);
    await assert.rejects(state.appender().takeOver(mirror, undefined), isRefusedByEtcd);
    assert.ok(await state.read(key));
  });

  test("its sign of life is refused, which deposes it, and the pulse stays the other's", async () => {
    // A pulse of the other's would be a second one: the first comes with the victory.
    await until(async () => ((await state.read(state.keys.pulse))?.value.byteLength ?? 0) > 0, "a pulse of the other");
    const before = await state.read(state.keys.pulse);
    state.term.start();
    await until(() => state.term.lost.aborted, "the loss of the leadership");
    assert.match(String(state.term.lost.reason), /another server has taken the leadership over/);
    // With a lease of a minute the other shows life again in ten seconds.
    assert.equal((await state.read(state.keys.pulse))?.modRevision, before?.modRevision);
  });

  test("it gives up nothing that is another's", async () => {
    await state.term.resign();
    const leader = await state.read(state.keys.leader);
    const record = leader && (JSON.parse(textOf(leader.value)) as LeaderRecord);
    assert.deepEqual([record?.name, record?.hasResigned], ["b", undefined]);
  });
});
