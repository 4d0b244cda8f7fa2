import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { NetworkEntry } from "../../model/network.ts";
import type { Pod } from "../../model/pod.ts";
import { SystemClock } from "../../seams/clock.ts";
import { type LogFields, silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { NetworkCache } from "./network-cache.ts";
import { NetworkPlane } from "./network-plane.ts";

const entry = (id: string): NetworkEntry => ({ kind: "names", id, records: [] });

describe("what a node keeps of the network on its disk", () => {
  let home = "";
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "styr-network-"));
  });
  after(() => rm(home, { recursive: true, force: true }));

  const cacheIn = (folder: string) => {
    const warnings: string[] = [];
    const log = {
      ...silentLog,
      warn: (message: string, fields?: LogFields) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
    };
    return { cache: new NetworkCache({ folder: join(home, folder), clock: new SystemClock(), log }), warnings };
  };

  test("is read again as it was written", async () => {
    const { cache, warnings } = cacheIn("whole");
    assert.deepEqual(await cache.load(), []);
    const entries = Array.from({ length: 500 }, (_, at) => entry(`e${at}`));
    cache.changed(() => entries);
    await cache.stop();
    assert.deepEqual(await cacheIn("whole").cache.load(), entries);
    assert.deepEqual(warnings, []);
  });

  test("is not believed when its end is missing, it is torn, or it is of another form", async () => {
    const { cache } = cacheIn("torn");
    cache.changed(() => [entry("a"), entry("b")]);
    await cache.stop();
    const path = join(home, "torn", "network.jsonl");
    const text = await readFile(path, "utf8");
    const halves = [
      text.slice(0, text.indexOf('{"end"')),
      text.slice(0, -30),
      "{}\n",
      `${text.split("\n")[0]}\n{"kind"\n`,
    ];
    for (const half of halves) {
      await writeFile(path, half);
      const { cache: again, warnings } = cacheIn("torn");
      assert.deepEqual(await again.load(), []);
      assert.equal(warnings.length, 1, half);
    }
  });

  test("a large one is written less often, as it is written whole for each change", async () => {
    const clock = new ManualClock();
    const cache = new NetworkCache({ folder: join(home, "large"), clock, log: silentLog });
    const large = (last: string) => [
      ...Array.from({ length: 4_000 }, (_, at) => entry(`e${at}`.padEnd(64, "."))),
      entry(last),
    ];
    const written = async (last: string) => {
      const text = await readFile(join(home, "large", "network.jsonl"), "utf8").catch(() => "");
      return text.includes(`"${last}"`);
    };
    const isWrittenWithin = async (last: string, mostMs: number, patienceMs: number) => {
      cache.changed(() => large(last));
      await clock.advance(mostMs);
      // Slices are written between turns: of a clock that stands, each is one step.
      const untilMs = Date.now() + patienceMs;
      while (Date.now() < untilMs && !(await written(last))) await clock.advance(0.01);
      return await written(last);
    };
    assert.equal(await isWrittenWithin("first", 5_000, 10_000), true);
    assert.equal(await isWrittenWithin("second", 5_000, 100), false);
    assert.equal(await isWrittenWithin("second", 55_000, 10_000), true);
  });

  describe("what changes is added behind it", () => {
    const names = async (folder: string) => (await cacheIn(folder).cache.load()).map(({ id }) => id);

    /** A whole of `count`, on the disk. */
    const begun = async (folder: string, count: number) => {
      const { cache, warnings } = cacheIn(folder);
      const all = Array.from({ length: count }, (_, at) => entry(`e${at}`));
      cache.changed(() => all);
      await cache.stop();
      const path = join(home, folder, "network.jsonl");
      return { cache, warnings, all: () => all, path, size: async () => (await readFile(path)).length };
    };

    test("and costs the disk no more than itself", async () => {
      const { cache, all, path, size } = await begun("added", 2_000);
      const before = await readFile(path, "utf8");
      const changed: NetworkEntry = {
        kind: "names",
        id: "e7",
        records: [{ type: "A", name: "a", address: "10.0.0.1" }],
      };
      cache.noted({ entries: [changed, entry("new")], removed: [{ kind: "names", id: "e8" }] }, all);
      await cache.stop();
      assert.ok((await readFile(path, "utf8")).startsWith(before), "the whole is not written anew");
      assert.ok((await size()) < before.length + 400);
      const read = await cacheIn("added").cache.load();
      assert.equal(read.length, 2_000);
      assert.deepEqual(
        read.find(({ id }) => id === "e7"),
        changed,
      );
      assert.deepEqual([read.some(({ id }) => id === "e8"), read.some(({ id }) => id === "new")], [false, true]);
    });

    test("within seconds, however large the whole is", async () => {
      const clock = new ManualClock();
      const cache = new NetworkCache({ folder: join(home, "soon"), clock, log: silentLog });
      const large = Array.from({ length: 8_000 }, (_, at) => entry(`e${at}`.padEnd(64, ".")));
      cache.changed(() => large);
      let isWritten = false;
      void cache.stop().then(() => {
        isWritten = true;
      });
      await passes(clock, () => isWritten, "the first whole", LARGE_MS);
      cache.noted({ entries: [entry("last")], removed: [] }, () => large);
      await clock.advance(5_000);
      await passes(clock, async () => (await names("soon")).includes("last"), "what came last", LARGE_MS);
      assert.equal((await names("soon")).length, 8_001);
    });

    test("and one that was torn by a power failure is left out, not what is before it", async () => {
      const { cache, all, path } = await begun("torn-end", 3);
      for (const id of ["x", "y"]) {
        cache.noted({ entries: [entry(id)], removed: [] }, all);
        await cache.stop();
      }
      const text = await readFile(path, "utf8");
      for (let end = text.lastIndexOf('"y"'); end < text.length - 2; end++) {
        await writeFile(path, text.slice(0, end));
        assert.deepEqual(await names("torn-end"), ["e0", "e1", "e2", "x"]);
      }
    });

    test("until that is as much as the whole, which then is written anew", async () => {
      const { cache, all, size } = await begun("anew", 3);
      let most = 0;
      for (let at = 0; at < 60; at++) {
        const entries = Array.from({ length: 300 }, (_, each) => entry(`e${each}`.padEnd(150, ".")));
        cache.noted({ entries, removed: [] }, all);
        await cache.stop();
        most = Math.max(most, await size());
      }
      assert.ok(most < 1.3 * 1024 * 1024, `${most} bytes`);
      assert.deepEqual(await names("anew"), ["e0", "e1", "e2"].concat(await names("anew").then((all) => all.slice(3))));
    });

    test("after a disk that could not take something everything is written again", async () => {
      const { cache, all, path, warnings } = await begun("lost", 3);
      await rm(join(home, "lost"), { recursive: true });
      await writeFile(join(home, "lost"), "");
      cache.noted({ entries: [entry("x")], removed: [] }, all);
      await cache.stop();
      assert.equal(warnings.length, 1);
      await rm(join(home, "lost"));
      cache.noted({ entries: [entry("y")], removed: [] }, () => [...all(), entry("x"), entry("y")]);
      await cache.stop();
      assert.deepEqual(await names("lost"), ["e0", "e1", "e2", "x", "y"]);
      assert.ok(path.endsWith("network.jsonl"));
    });

    test("of itself, also when nothing changes any more: it is tried until it is written, and until then the mark and the words say so", async () => {
      const clock = new ManualClock();
      const folder = join(home, "full");
      const cache = new NetworkCache({ folder, clock, log: silentLog });
      cache.changed(() => [entry("a")]);
      await clock.advance(5_000);
      await passes(clock, () => existsSync(join(folder, "network.jsonl")), "the first whole");
      // A disk that takes names, and nothing in them.
      await rm(join(folder, "network.jsonl"));
      await symlink("/dev/full", join(folder, "network.jsonl"));
      cache.noted({ entries: [entry("policy")], removed: [] }, () => [entry("a"), entry("policy")]);
      await clock.advance(5_000);
      await passes(clock, () => cache.problem !== "", "the words");
      assert.match(cache.problem, /ENOSPC/);
      await passes(clock, () => existsSync(join(folder, "network.jsonl.new")), "the mark");
      const next = cacheIn("full").cache;
      await rm(join(folder, "network.jsonl"));
      await next.load();
      assert.equal(next.isBehind, true);
      await clock.advance(5_000);
      await passes(clock, () => cache.problem === "", "the whole to be written, with no further change");
      const last = cacheIn("full").cache;
      assert.deepEqual(
        (await last.load()).map(({ id }) => id),
        ["a", "policy"],
      );
      assert.equal(last.isBehind, false);
    });

    test("and is known to be less than was known where that could not be written, or cannot be read", async () => {
      const { cache, all, path } = await begun("behind", 2);
      assert.equal(cacheIn("behind").cache.isBehind, false);
      await rm(path);
      await symlink("/dev/full", path);
      cache.noted({ entries: [entry("x")], removed: [] }, all);
      await cache.stop();
      await rm(path);
      await writeFile(path, '{"styrmann":"network","form":2}\n{"end":true}\n');
      const isBehind = async () => {
        const again = cacheIn("behind").cache;
        await again.load();
        return again.isBehind;
      };
      assert.equal(await isBehind(), true);
      await rm(`${path}.new`);
      assert.equal(await isBehind(), false);
      await writeFile(path, "of another form\n");
      assert.equal(await isBehind(), true);
      await rm(path);
      assert.equal(await isBehind(), false, "a host that knew nothing yet");
    });

    test("and where the whole is gone, everything is", async () => {
      const { cache, all, path } = await begun("gone", 3);
      await rm(path);
      for (const id of ["x", "y"]) {
        cache.noted({ entries: [entry(id)], removed: [] }, () => [...all(), entry("x"), entry("y")]);
        await cache.stop();
      }
      assert.deepEqual(await names("gone"), ["e0", "e1", "e2", "x", "y"]);
    });

    test("the form before this one is read", async () => {
      const { path } = await begun("before", 2);
      await writeFile(path, (await readFile(path, "utf8")).replace('"form":2', '"form":1'));
      assert.deepEqual(await names("before"), ["e0", "e1"]);
    });
  });

  test("a disk that cannot take it costs a warning and nothing else", async () => {
    await writeFile(join(home, "file"), "");
    const { cache, warnings } = cacheIn("file/below");
    cache.changed(() => [entry("a")]);
    await cache.stop();
    assert.equal(warnings.length, 1);
  });

  test("brings the host's network back before any control plane is heard, and is gone after removal", async () => {
    const { cache } = cacheIn("plane");
    cache.changed(() => [entry("a")]);
    await cache.stop();
    const parts = { nodeName: "n1", parts: [], clock: new SystemClock(), log: silentLog };
    const plane = new NetworkPlane({ ...parts, cache: cacheIn("plane").cache });
    await plane.begin();
    assert.deepEqual([...plane.state.tables.names.keys()], ["a"]);
    plane.hear({ type: "all", revision: 1, entries: [entry("b")] });
    assert.deepEqual([...plane.state.tables.names.keys()], ["b"]);
    await plane.stop();
    assert.deepEqual(await cacheIn("plane").cache.load(), [entry("b")]);
    await plane.remove();
    assert.deepEqual(await cacheIn("plane").cache.load(), []);
  });

  test("has what a restored control plane does not know until it is confirmed, and not after it", async () => {
    const settings = { podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12", domain: "c", mode: "auto" } as const;
    const cluster = { kind: "cluster", id: "cluster", ...settings } as const;
    const held = { ...cluster, isRestored: true, restoration: "r1" } as const;
    const parts = { nodeName: "n1", parts: [], clock: new ManualClock(), log: silentLog };
    const plane = new NetworkPlane({ ...parts, cache: cacheIn("restored").cache });
    plane.hear({ type: "all", revision: 1, entries: [cluster, entry("late")] });
    plane.hear({ type: "all", revision: 1, entries: [held] });
    await plane.stop();
    assert.deepEqual(await cacheIn("restored").cache.load(), [held, { ...entry("late"), unlisted: {} }]);
    const again = new NetworkPlane({ ...parts, cache: cacheIn("restored").cache });
    await again.begin();
    again.hear({ type: "all", revision: 1, entries: [held] });
    again.hear({ type: "changed", revision: 2, entries: [cluster], removed: [] });
    await again.stop();
    assert.deepEqual(await cacheIn("restored").cache.load(), [cluster]);
  });

  test("a pod that begins while the disk has less than was known waits for a server, and goes on at its first word", async () => {
    const clock = new ManualClock();
    const { cache } = cacheIn("less");
    cache.changed(() => [
      {
        kind: "cluster",
        id: "cluster",
        podRange: "10.42.0.0/16",
        serviceRange: "10.96.0.0/12",
        domain: "c",
        mode: "auto",
      },
    ]);
    await cache.stop();
    await writeFile(join(home, "less", "network.jsonl.new"), "");
    const plane = new NetworkPlane({ nodeName: "n1", parts: [], clock, log: silentLog, cache: cacheIn("less").cache });
    await plane.begin();
    plane.follow({});
    const pod = { metadata: { name: "p", namespace: "default", uid: "u1" }, spec: { containers: [] } };
    let isIn = false;
    const coming = plane.coming(pod as unknown as Pod, "10.42.0.5").then(() => {
      isIn = true;
    });
    await clock.advance(200_000);
    assert.equal(isIn, false);
    assert.match(plane.report.parts.find(({ name }) => name === "memory")?.words ?? "", /wait until a server is heard/);
    plane.hear({ type: "all", revision: 1, entries: [entry("a")] });
    await coming;
    assert.deepEqual(plane.report.parts, []);
  });

  test("words of a disk that takes nothing stand beside those of the parts", async () => {
    const clock = new ManualClock();
    await writeFile(join(home, "taken"), "");
    const cache = cacheIn("taken").cache;
    const plane = new NetworkPlane({ nodeName: "n1", parts: [], clock, log: silentLog, cache });
    plane.hear({ type: "all", revision: 1, entries: [entry("a")] });
    await cache.stop();
    const [row] = plane.report.parts;
    assert.equal(row?.state, "failing");
    assert.match(row?.words ?? "", /^what this node knows of the network is not on its disk \(E\w+: /);
  });
});

const LARGE_MS = 20_000;

/** Slices are written between turns: of a clock that stands, each is one step. */
async function passes(
  clock: ManualClock,
  isSo: () => boolean | Promise<boolean>,
  missing: string,
  mostMs = 10_000,
): Promise<void> {
  const untilMs = Date.now() + mostMs;
  while (!(await isSo())) {
    assert.ok(Date.now() < untilMs, missing);
    await clock.advance(0.01);
  }
}
