/** The contract of every journal: what was acknowledged is there after a reopen, what was refused never is. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SystemClock } from "../../src/seams/clock.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import type { SharedJournal } from "../../src/store/journal.ts";
import { type Journal, type JournalEntry, JournalRefusal } from "../../src/store/journal.ts";
import { MemoryJournal } from "../../src/store/journals/memory.ts";
import { SharedMemory } from "../../src/store/journals/shared-memory.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";
import { canRunEtcd, type Etcd, startEtcd } from "../harness/etcd.ts";
import { identity, never, openEtcdJournal } from "./etcd/open-etcd-journal.ts";

const scratch = mkdtempSync(join(tmpdir(), "styr-journal-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Implementation {
  readonly name: string;
  /** A disk and a way to open a journal on it again and again. */
  readonly disk: () => () => Promise<Journal>;
  /** Why it cannot run here. */
  readonly skip?: string | undefined;
}

let disks = 0;
let etcd: Etcd | undefined;
before(async () => {
  if (canRunEtcd() === undefined) etcd = await startEtcd();
});
after(() => etcd?.stop());

/** Leads as soon as it is loaded. */
function leads(shared: SharedJournal): Journal {
  return {
    load: async () => {
      const contents = await shared.load();
      await shared.campaign(identity("only"), never);
      return contents;
    },
    append: (entries) => shared.append(entries),
    close: () => shared.close(),
  };
}

const implementations: readonly Implementation[] = [
  {
    name: "memory",
    disk: () => {
      const journal = new MemoryJournal();
      return async () => journal;
    },
  },
  {
    name: "sqlite",
    disk: () => {
      const file = join(mkdtempSync(join(scratch, "disk-")), "store.db");
      return () => SqliteJournal.open(file);
    },
  },
  {
    name: "shared memory",
    disk: () => {
      const memory = new SharedMemory(new SystemClock());
      return async () => leads(memory.open());
    },
  },
  {
    name: "etcd",
    skip: canRunEtcd(),
    disk: () => {
      const prefix = `/disk-${disks++}/`;
      return async () => leads(await openEtcdJournal(etcd?.endpoints ?? [], { prefix }));
    },
  },
];

const put = (revision: number, key: string, value: unknown): JournalEntry => ({
  kind: "Pod",
  key,
  revision,
  json: JSON.stringify(value),
});
const gone = (revision: number, key: string): JournalEntry => ({ kind: "Pod", key, revision, json: undefined });

for (const { name, disk, skip } of implementations) {
  describe(`journal ${name}`, { skip: skip ?? false }, () => {
    test("an empty one has revision 0 and no rows", async () => {
      const journal = await disk()();
      assert.deepEqual(await journal.load(), { revision: 0, rows: [] });
      await journal.close();
    });

    test("keeps the last version of each row, and the revision of a removal", async () => {
      const open = disk();
      const first = await open();
      await first.load();
      await first.append([put(1, "a", { n: 1 }), put(2, "b", { text: "größe\n\u0000" })]);
      await first.append([put(3, "a", { n: 2 }), gone(4, "b")]);
      await first.close();
      const second = await open();
      const { revision, rows } = await second.load();
      assert.equal(revision, 4);
      assert.deepEqual(
        rows.map(({ kind, key, revision: at, json }) => ({ kind, key, at, value: JSON.parse(json) })),
        [{ kind: "Pod", key: "a", at: 3, value: { n: 2 } }],
      );
      await second.close();
    });

    test("appends asked for at once are all there, in order", async () => {
      const open = disk();
      const first = await open();
      await first.load();
      await Promise.all(Array.from({ length: 100 }, (_, n) => first.append([put(n + 1, `k${n % 10}`, n)])));
      await first.close();
      const second = await open();
      const { revision, rows } = await second.load();
      assert.equal(revision, 100);
      assert.deepEqual(
        rows.map(({ json }) => Number(json)).sort((a, b) => a - b),
        [90, 91, 92, 93, 94, 95, 96, 97, 98, 99],
      );
      await second.close();
    });
  });
}

describe("journal memory", () => {
  test("a refused batch leaves nothing", async () => {
    const journal = new MemoryJournal();
    journal.refuseWith = "the disk is full";
    await assert.rejects(journal.append([put(1, "a", 1)]), JournalRefusal);
    assert.deepEqual(await journal.load(), { revision: 0, rows: [] });
  });
});

describe("journal sqlite", () => {
  test("a second opener is told that another styr has it", async () => {
    const file = join(mkdtempSync(join(scratch, "disk-")), "store.db");
    const first = await SqliteJournal.open(file);
    await first.load();
    await assert.rejects(SqliteJournal.open(file), /another styr is running/);
    await first.close();
  });

  test("nobody but its owner can read it, nor the log beside it", async () => {
    const file = join(mkdtempSync(join(scratch, "disk-")), "store.db");
    const journal = await SqliteJournal.open(file);
    await journal.load();
    await journal.append([put(1, "a", 1)]);
    for (const each of [file, `${file}-wal`]) assert.equal(statSync(each).mode & 0o077, 0, each);
    await journal.close();
  });

  test("a file that is no database is refused in words and left alone", async () => {
    const file = join(mkdtempSync(join(scratch, "disk-")), "store.db");
    writeFileSync(file, "x".repeat(5000));
    await assert.rejects(SqliteJournal.open(file), /store\.db: file is not a database/);
    assert.equal(readFileSync(file, "utf8"), "x".repeat(5000));
  });

  test("a log torn at any byte opens with a whole number of batches, the acknowledged ones in order", async () => {
    const dir = mkdtempSync(join(scratch, "disk-"));
    const file = join(dir, "store.db");
    const journal = await SqliteJournal.open(file);
    await journal.load();
    for (let n = 1; n <= 30; n += 2) await journal.append([put(n, `a${n}`, n), put(n + 1, `b${n}`, n)]);
    copyFileSync(file, join(dir, "torn.db"));
    copyFileSync(`${file}-wal`, join(dir, "whole-wal"));
    await journal.close();

    const random = new SeededRandom(7);
    const size = readFileSync(join(dir, "whole-wal")).length;
    for (let round = 0; round < 40; round++) {
      const torn = join(dir, `round${round}`);
      mkdirSync(torn);
      copyFileSync(join(dir, "torn.db"), join(torn, "store.db"));
      copyFileSync(join(dir, "whole-wal"), join(torn, "store.db-wal"));
      truncateSync(join(torn, "store.db-wal"), random.int(size + 1));
      const reopened = await SqliteJournal.open(join(torn, "store.db"));
      const { revision, rows } = await reopened.load();
      await reopened.close();
      assert.equal(revision % 2, 0, `revision ${revision} is the end of a batch`);
      assert.equal(rows.length, revision, "every row up to the revision, none beyond");
    }
  });

  test("a full disk refuses the batch in words, keeps what was there, and takes writes again when there is room", async (t) => {
    if (userInfo().uid !== 0) return t.skip("needs root for a small disk of its own");
    const dir = mkdtempSync(join(scratch, "full-"));
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "none", dir]);
    if (mounted.status !== 0) return t.skip(`cannot mount a small disk: ${mounted.stderr}`);
    try {
      const journal = await SqliteJournal.open(join(dir, "store.db"));
      await journal.load();
      await journal.append([put(1, "small", "x")]);
      writeFileSync(join(dir, "hog"), Buffer.alloc(1_400_000));
      await assert.rejects(journal.append([put(2, "large", "y".repeat(1_000_000))]), /disk is full/);
      rmSync(join(dir, "hog"));
      await journal.append([put(2, "again", "z")]);
      await journal.close();
      const reopened = await SqliteJournal.open(join(dir, "store.db"));
      assert.deepEqual(
        (await reopened.load()).rows.map(({ key }) => key),
        ["again", "small"],
      );
      await reopened.close();
    } finally {
      spawnSync("umount", [dir]);
    }
  });

  test("a backup taken while others write opens on its own", async () => {
    const dir = mkdtempSync(join(scratch, "disk-"));
    const journal = await SqliteJournal.open(join(dir, "store.db"));
    await journal.load();
    await journal.append([put(1, "a", 1)]);
    await Promise.all([
      journal.append([put(2, "b", 2)]),
      journal.backup(join(dir, "copy.db")),
      journal.append([put(3, "c", 3)]),
    ]);
    await journal.close();
    const copy = await SqliteJournal.open(join(dir, "copy.db"));
    assert.equal((await copy.load()).revision, 2);
    await copy.close();
  });
});
