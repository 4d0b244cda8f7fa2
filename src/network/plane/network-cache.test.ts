import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { NetworkEntry } from "../../model/network.ts";
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
});
