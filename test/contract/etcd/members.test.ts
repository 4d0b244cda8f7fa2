/** Three members of etcd, some of which are killed or frozen while a leader writes and a follower listens. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { JournalDoubt, type JournalEntry, JournalRefusal, type Leadership } from "../../../src/store/journal.ts";
import type { EtcdJournal } from "../../../src/store/journals/etcd/etcd-journal.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../../harness/etcd.ts";
import { identity, openEtcdJournal } from "./open-etcd-journal.ts";
import { until } from "./until.ts";

const skip = canRunEtcd() ?? false;
let etcd: Etcd;
before(async () => {
  if (!skip) etcd = await startEtcd({ members: 3 });
});
after(() => etcd?.stop());
/** Of the test that runs: a failure must not leave somebody writing for ever. */
const unfinished: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.allSettled(unfinished.splice(0).map((stop) => stop()));
});

/** Writes row after row, campaigns again when it was deposed, and keeps what was acknowledged and what is not known. */
class Writer {
  readonly journal: EtcdJournal;
  readonly acknowledged: number[] = [];
  readonly doubtful: number[] = [];
  refusals = 0;
  terms = 0;
  #revision: number;
  readonly #stopping = new AbortController();
  #leadership: Leadership | undefined;
  readonly ended: Promise<void>;

  constructor(journal: EtcdJournal, revision: number) {
    this.journal = journal;
    this.#revision = revision;
    journal.follow({
      batch: (entries) => {
        this.#revision = entries.at(-1)?.revision ?? this.#revision;
      },
      lost: (reason) => assert.fail(reason),
    });
    this.ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the test is over"));
    await this.ended;
    await this.journal.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (!this.#leadership || this.#leadership.lost.aborted) {
        this.#leadership = await this.#campaign();
        if (!this.#leadership) continue;
        this.terms++;
      }
      await this.#write();
    }
  }

  /** Undefined: it is over, or what was won was lost before it could be taken over, as etcd did not answer in time; a server campaigns again then. */
  #campaign(): Promise<Leadership | undefined> {
    return this.journal.campaign(identity("writer"), this.#stopping.signal).catch(async (error: Error) => {
      if (this.#stopping.signal.aborted) return undefined;
      if (!/lease could not be renewed/.test(error.message)) throw error;
      this.refusals++;
      await sleep(20);
      return undefined;
    });
  }

  async #write(): Promise<void> {
    const revision = this.#revision + 1;
    try {
      await this.journal.append([{ kind: "Pod", key: `r${revision}`, revision, json: String(revision) }]);
      this.#revision = revision;
      this.acknowledged.push(revision);
    } catch (error) {
      if (error instanceof JournalDoubt) this.doubtful.push(revision);
      else if (error instanceof JournalRefusal) this.refusals++;
      else throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function pair(prefix: string) {
  const journal = await openEtcdJournal(etcd.endpoints, { prefix, ttlMs: 3_000 });
  const { revision } = await journal.load();
  const writer = new Writer(journal, revision);
  const follower = await openEtcdJournal(etcd.endpoints.toReversed(), { prefix, ttlMs: 3_000 });
  unfinished.push(
    () => writer.stop(),
    () => follower.close(),
  );
  const { rows: loaded } = await follower.load();
  const heard: JournalEntry[] = [];
  follower.follow({ batch: (entries) => heard.push(...entries), lost: (reason) => assert.fail(reason) });
  await until(() => writer.acknowledged.length > 20, "the first writes");
  return { writer, follower, loaded, heard };
}

/** Nothing that was acknowledged is lost; the follower heard everything there is, once, in order. */
async function agree(
  { writer, follower, loaded, heard }: Awaited<ReturnType<typeof pair>>,
  prefix: string,
): Promise<void> {
  await writer.stop();
  const late = await openEtcdJournal(etcd.endpoints, { prefix });
  const { rows, revision } = await late.load();
  await late.close();
  const there = new Set(rows.map((row) => row.revision));
  assert.deepEqual(
    writer.acknowledged.filter((each) => !there.has(each)),
    [],
    "acknowledged, and not there",
  );
  const missing = () => `revision ${revision} at the follower, which has ${heard.at(-1)?.revision}`;
  await until(() => heard.at(-1)?.revision === revision, missing);
  const sequence = heard.map((entry) => entry.revision);
  assert.deepEqual(
    sequence,
    sequence.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(sequence).size, sequence.length, "none twice");
  const known = [...loaded.map((row) => row.revision), ...sequence].toSorted((a, b) => a - b);
  assert.deepEqual(
    known,
    [...there].toSorted((a, b) => a - b),
    "none left out",
  );
  await follower.close();
}

const goesOn = (writer: Writer, what: string) => {
  const before = writer.acknowledged.length;
  return until(
    () => writer.acknowledged.length > before + 20,
    () => `writes after ${what}: ${writer.acknowledged.length - before}, ${writer.refusals} refused`,
  );
};

describe("etcd: members that fail", { skip }, () => {
  test("the member that leads the others is killed: writes go on within seconds, and nothing acknowledged is lost", async () => {
    const running = await pair("/leader/");
    const member = await etcd.leader();
    await member.kill9();
    const from = performance.now();
    await goesOn(running.writer, `the loss of ${member.name}`);
    assert.ok(performance.now() - from < 8_000, "writes went on within 8 s");
    await member.start();
    await agree(running, "/leader/");
  });

  test("the member that the writer talks to stands still: it goes on with another, and leads on", async () => {
    const running = await pair("/still/");
    const leader = await etcd.leader();
    const [first] = etcd.members;
    // If the frozen one leads the others as well, they first have to notice that.
    const leads = leader.name === first?.name;
    first?.freeze();
    await goesOn(running.writer, "a member stands still");
    if (!leads) assert.equal(running.writer.terms, 1, "the leadership was kept");
    first?.thaw();
    await agree(running, "/still/");
  });

  test("two of three are lost: writes are refused or not known, reads of what was loaded go on, and all comes back by itself", async () => {
    const running = await pair("/majority/");
    const [one, two] = [etcd.members[0], etcd.members[1]];
    await one?.kill9();
    await two?.kill9();
    const { writer } = running;
    await until(() => writer.refusals + writer.doubtful.length > 0, "a refused write");
    await until(() => running.follower.leader === undefined, "that nobody leads, as the follower sees it");
    const stopped = writer.acknowledged.length;
    await sleep(500);
    assert.equal(writer.acknowledged.length, stopped);
    // Its own member may have been the first to go: what it missed it hears below.
    assert.ok(running.heard.length > 0, "the follower keeps what it heard");
    await Promise.all([one?.start(), two?.start()]);
    await goesOn(writer, "the majority is back");
    await agree(running, "/majority/");
  });
});
