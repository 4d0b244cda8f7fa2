/** The contract of every journal that servers share: one writes, all others hear every batch whole, in order, once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { SystemClock } from "../../src/seams/clock.ts";
import { type JournalEntry, JournalRefusal, type ServerIdentity, type SharedJournal } from "../../src/store/journal.ts";
import { SharedMemory } from "../../src/store/journals/shared-memory.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../harness/etcd.ts";
import { identity, never, openEtcdJournal } from "./etcd/open-etcd-journal.ts";
import { until } from "./etcd/until.ts";

let etcd: Etcd | undefined;
before(async () => {
  if (canRunEtcd() === undefined) etcd = await startEtcd();
});
after(() => etcd?.stop());

interface Disk {
  open(): Promise<SharedJournal>;
  /** Takes the leadership from whoever has it, without a word to it. */
  depose(): Promise<void>;
}

let prefixes = 0;

const implementations: readonly { name: string; skip: string | undefined; runs: number; disk: () => Disk }[] = [
  {
    name: "memory",
    skip: undefined,
    runs: 50,
    disk: () => {
      const memory = new SharedMemory(new SystemClock());
      return { open: async () => memory.open(), depose: async () => memory.depose("deposed by the test", true) };
    },
  },
  {
    name: "etcd",
    skip: canRunEtcd(),
    runs: 8,
    disk: () => {
      const prefix = `/shared-${prefixes++}/`;
      return {
        open: () => openEtcdJournal(etcd?.endpoints ?? [], { prefix }),
        depose: async () => void (await etcd?.ctl("del", `${prefix}leader`)),
      };
    },
  },
];

const put = (revision: number, key: string, value: unknown = revision): JournalEntry => ({
  kind: "Pod",
  key,
  revision,
  json: JSON.stringify(value),
});
const gone = (revision: number, key: string): JournalEntry => ({ kind: "Pod", key, revision, json: undefined });

/** A process that follows, and what it heard. */
async function process(disk: Disk, name: string) {
  const journal = await disk.open();
  const { rows, revision } = await journal.load();
  const heard: (readonly JournalEntry[])[] = [];
  journal.follow({ batch: (entries) => heard.push(entries), lost: (reason) => assert.fail(reason) });
  const campaign = () => journal.campaign(identity(name), never);
  return { name, journal, rows, revision, heard, campaign };
}

const revisionsOf = (batches: readonly (readonly JournalEntry[])[]) =>
  batches.map((entries) => entries.map(({ revision }) => revision));

for (const { name, disk, skip, runs } of implementations) {
  describe(`shared journal ${name}`, { skip: skip ?? false }, () => {
    test("a follower hears whole batches, in order: also removals, and versions that their own batch replaced", async () => {
      const shared = disk();
      const [a, b] = [await process(shared, "a"), await process(shared, "b")];
      await a.campaign();
      const batches = [
        [put(1, "x"), put(2, "y")],
        [put(3, "x"), put(4, "x"), gone(5, "x"), put(6, "z", { text: "größe\n\u0000" })],
        [put(7, "new"), gone(8, "new"), gone(9, "y")],
      ];
      for (const batch of batches) await a.journal.append(batch);
      await until(() => b.heard.length >= 3, "three batches at the follower");
      assert.deepEqual(b.heard, batches);
      assert.deepEqual(a.heard, []);
      for (const { journal } of [a, b]) await journal.close();
    });

    test("one that comes later loads what is there and hears what comes after", async () => {
      const shared = disk();
      const a = await process(shared, "a");
      await a.campaign();
      await a.journal.append([put(1, "x"), put(2, "y")]);
      await a.journal.append([gone(3, "y")]);
      const late = await process(shared, "late");
      assert.equal(late.revision, 3);
      assert.deepEqual(late.rows, [put(1, "x")]);
      await a.journal.append([put(4, "z")]);
      await until(() => late.heard.length > 0, "the batch after the load");
      assert.deepEqual(revisionsOf(late.heard), [[4]]);
      for (const { journal } of [a, late]) await journal.close();
    });

    test("a candidate waits for the leader to resign, then has heard everything and writes in a higher term", async () => {
      const shared = disk();
      const [a, b] = [await process(shared, "a"), await process(shared, "b")];
      const first = await a.campaign();
      let hasWon = false;
      const winning = b.campaign().then((leadership) => {
        hasWon = true;
        return leadership;
      });
      for (let revision = 1; revision <= 20; revision++) await a.journal.append([put(revision, "x")]);
      assert.equal(hasWon, false);
      await first.resign();
      assert.equal(first.lost.aborted, true);
      const second = await winning;
      assert.equal(revisionsOf(b.heard).flat().at(-1), 20);
      assert.ok(second.term > first.term);
      await b.journal.append([put(21, "x")]);
      await assert.rejects(a.journal.append([put(21, "y")]), JournalRefusal);
      await until(() => a.heard.length > 0, "the new leader's batch at the old one");
      assert.deepEqual(revisionsOf(a.heard), [[21]]);
      for (const { journal } of [a, b]) await journal.close();
    });

    test("one that was deposed without noticing has its next write refused, is told, and writes nothing", async () => {
      const shared = disk();
      const [a, b] = [await process(shared, "a"), await process(shared, "b")];
      const leadership = await a.campaign();
      await a.journal.append([put(1, "x")]);
      await shared.depose();
      await assert.rejects(a.journal.append([put(2, "lost")]), JournalRefusal);
      assert.equal(leadership.lost.aborted, true);
      await b.campaign();
      await b.journal.append([put(2, "kept")]);
      const { rows } = await process(shared, "c").then(async (c) => {
        await c.journal.close();
        return c;
      });
      assert.deepEqual(rows.map(({ key }) => key).sort(), ["kept", "x"]);
      for (const { journal } of [a, b]) await journal.close();
    });

    test("everybody is told who leads, and when nobody does", async () => {
      const shared = disk();
      const [a, b] = [await process(shared, "a"), await process(shared, "b")];
      const told: (ServerIdentity | undefined)[] = [];
      b.journal.onLeader((leader) => told.push(leader));
      const leadership = await a.campaign();
      await until(() => b.journal.leader, "a leader");
      assert.deepEqual(b.journal.leader, identity("a"));
      await leadership.resign();
      await until(() => b.journal.leader === undefined, "that nobody leads");
      assert.deepEqual(told.filter(Boolean), [identity("a")]);
      assert.equal(told.at(-1), undefined);
      for (const { journal } of [a, b]) await journal.close();
    });

    test("several that begin on nothing at all, at once: each leads in its turn", async () => {
      const shared = disk();
      const all = await Promise.all(["a", "b", "c"].map((each) => process(shared, each)));
      const order: string[] = [];
      await Promise.all(
        all.map(async (each) => {
          const leadership = await each.campaign();
          order.push(each.name);
          await each.journal.append([put(order.length, each.name)]);
          await leadership.resign();
        }),
      );
      assert.deepEqual(order.toSorted(), ["a", "b", "c"]);
      for (const { journal } of all) await journal.close();
    });

    test("a campaign that is called off leaves the leadership to others", async () => {
      const shared = disk();
      const [a, b] = [await process(shared, "a"), await process(shared, "b")];
      const first = await a.campaign();
      const off = new AbortController();
      const campaign = b.journal.campaign(identity("b"), off.signal);
      off.abort(new Error("called off"));
      await assert.rejects(campaign, /called off/);
      await first.resign();
      await a.campaign();
      await a.journal.append([put(1, "x")]);
      for (const { journal } of [a, b]) await journal.close();
    });

    test("property: whoever leads, what each process has loaded, written and heard is the same sequence of batches", async () => {
      const entry = fc.record({ key: fc.constantFrom("a", "b", "c", "d/e"), value: fc.option(fc.string()) });
      const turn = fc.record({
        who: fc.nat(2),
        batches: fc.array(fc.array(entry, { minLength: 1, maxLength: 5 }), { maxLength: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(turn, { maxLength: 5 }), async (turns) => {
          const shared = disk();
          const processes = await Promise.all(["a", "b", "c"].map((each) => process(shared, each)));
          const written: { by: string; batch: readonly JournalEntry[] }[] = [];
          let revision = 0;
          for (const { who, batches } of turns) {
            const leader = processes[who] as (typeof processes)[number];
            const leadership = await leader.campaign();
            for (const entries of batches) {
              const batch = entries.map(({ key, value }) =>
                value === null ? gone(++revision, key) : put(++revision, key, value),
              );
              await leader.journal.append(batch);
              written.push({ by: leader.name, batch });
            }
            await leadership.resign();
          }
          for (const each of processes) {
            const expected = written.filter(({ by }) => by !== each.name).map(({ batch }) => batch);
            await until(() => each.heard.length >= expected.length, `all batches at ${each.name}`);
            assert.deepEqual(each.heard, expected);
          }
          for (const { journal } of processes) await journal.close();
        }),
        { numRuns: runs },
      );
    });
  });
}
